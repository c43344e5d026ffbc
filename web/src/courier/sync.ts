/** Sends what waits and fetches the day: on every act, on going online, on coming back to the page, every 30 s. */
import { ApiError, callJson, reasonText, type Call } from "../shared/api.ts";
import { clockOffset } from "../shared/time.ts";
import * as db from "./db.ts";
import { nextBatch, settle, wire } from "./queue.ts";
import {
  expired,
  kept,
  offsetMs,
  online,
  pack,
  packAt,
  photosWaiting,
  refusal,
  sending,
  sentAt,
  session,
  tick,
} from "./state.ts";
import type { Kept, Media, Pack, Result } from "./types.ts";

const EVERY_MS = 30_000;
/** Pictures up to this size (signatures) go before the events, larger ones (photos) after. */
const SMALL_BYTES = 64 * 1024;

let running: Promise<void> | null = null;
let again = false;
let packEtag: string | null = null;

function authorised(call: Call = {}): Call {
  return {
    ...call,
    withoutCookies: true,
    headers: { Authorization: `Bearer ${session.value?.token ?? ""}`, "Dispatch-Page": "courier", ...call.headers },
  };
}

async function upload(wanted: (one: Media) => boolean): Promise<void> {
  const mine = (await db.media()).filter((one) => one.courier_id === session.value?.courier_id);
  photosWaiting.value = mine.length;
  for (const one of mine.filter(wanted)) {
    try {
      const headers = { "Content-Type": one.blob.type || "application/octet-stream" };
      await callJson(
        `/v1/courier/media/${one.sha256}`,
        authorised({ method: "PUT", raw: one.blob, headers, timeoutMs: 60_000 }),
      );
    } catch (failure) {
      // A refused picture must not hold back the events; it stays here and is tried again.
      if (failure instanceof ApiError && !failure.offline && failure.status !== 401) {
        refusal.value = reasonText(failure);
        continue;
      }
      throw failure;
    }
    await db.forgetMedia(one.sha256);
    photosWaiting.value = Math.max(0, photosWaiting.value - 1);
  }
}

async function post(batch: Kept[]): Promise<Result[]> {
  const sent = Date.now();
  const call = authorised({ method: "POST", body: { events: batch.map(wire) }, timeoutMs: 30_000 });
  const { data } = await callJson<{ results?: Result[] | null; server_time?: string | null }>("/v1/courier/sync", call);
  offsetMs.value = clockOffset(data?.server_time, sent, Date.now()) ?? offsetMs.value;
  await db.remember("offset", offsetMs.value);
  return data?.results ?? [];
}

/** Sends one batch; when the server refuses it whole, each event alone, so that one bad event cannot block the rest. */
async function sendBatch(batch: Kept[]): Promise<Result[]> {
  try {
    return await post(batch);
  } catch (failure) {
    const refused = failure instanceof ApiError && [400, 413, 422].includes(failure.status);
    if (!refused) throw failure;
    if (batch.length === 1) return [{ event_id: batch[0]!.event_id, result: "rejected", code: failure.code }];
    const results: Result[] = [];
    for (const one of batch) results.push(...(await sendBatch([one])));
    return results;
  }
}

async function sendEvents(): Promise<boolean> {
  let news = false;
  for (;;) {
    const batch = nextBatch(kept.value, session.value?.courier_id ?? "");
    if (batch.length === 0) return news;
    const results = await sendBatch(batch);
    const settled = settle(batch, results);
    const moved = settled.filter((event) => event.state !== "waiting");
    await db.update(moved);
    const byId = new Map(moved.map((event) => [event.event_id, event]));
    kept.value = kept.value.map((event) => byId.get(event.event_id) ?? event);
    news = true;
    if (moved.length < batch.length) return news; // the server left some unanswered: next round
  }
}

/** Fetches the day pack and drops the acts it already contains. */
async function fetchDay(): Promise<void> {
  const applied = kept.value.filter((event) => event.state === "applied").map((event) => event.event_id);
  const sent = Date.now();
  const answer = await callJson<Pack>(
    "/v1/courier/day",
    authorised({ headers: packEtag ? { "If-None-Match": packEtag } : {} }),
  );
  packAt.value = Date.now();
  if (answer.status !== 304 && answer.data) {
    packEtag = answer.etag;
    pack.value = answer.data;
    if (offsetMs.value === 0) offsetMs.value = clockOffset(answer.data.now, sent, packAt.value) ?? 0;
    await db.remember("pack", { pack: answer.data, at: packAt.value, courier_id: session.value?.courier_id });
    await db.forget(applied);
    const gone = new Set(applied);
    kept.value = kept.value.filter((event) => !gone.has(event.event_id));
  }
}

async function once(): Promise<void> {
  if (!session.value || expired.value) return;
  sending.value = true;
  refusal.value = "";
  try {
    await upload((one) => one.blob.size <= SMALL_BYTES);
    await sendEvents();
    await fetchDay();
    await upload((one) => one.blob.size > SMALL_BYTES);
    online.value = true;
    sentAt.value = Date.now();
  } catch (failure) {
    if (failure instanceof ApiError && failure.status === 401) expired.value = true;
    else if (failure instanceof ApiError && failure.offline) online.value = false;
    else refusal.value = reasonText(failure);
  } finally {
    sending.value = false;
  }
}

/** Sends and fetches now; calls made meanwhile cause one more turn, never two at once. */
export function flush(): Promise<void> {
  if (running) {
    again = true;
    return running;
  }
  running = (async () => {
    do {
      again = false;
      await once();
    } while (again);
    running = null;
  })();
  return running;
}

/** Reads back what this phone kept, for a page opened without a network. */
export async function readBack(): Promise<void> {
  session.value = await db.recall("session");
  kept.value = await db.events();
  offsetMs.value = (await db.recall<number>("offset")) ?? 0;
  const day = await db.recall<{ pack: Pack; at: number; courier_id: string }>("pack");
  if (day && day.courier_id === session.value?.courier_id) {
    pack.value = day.pack;
    packAt.value = day.at;
  }
}

/** Forgets the tag of the last pack, so that the next fetch is whole (another courier, another day). */
export function forgetDay(): void {
  packEtag = null;
  pack.value = null;
  packAt.value = 0;
}

/** Starts the rhythm for the life of the page. */
export function startSync(): void {
  addEventListener("online", () => {
    online.value = true;
    void flush();
  });
  addEventListener("offline", () => (online.value = false));
  addEventListener("focus", () => void flush());
  document.addEventListener("visibilitychange", () => !document.hidden && void flush());
  setInterval(() => void flush(), EVERY_MS);
  setInterval(() => (tick.value = Date.now()), 1_000);
  void flush();
}
