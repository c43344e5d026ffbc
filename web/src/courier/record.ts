/** Records what the courier does: event and pictures go to this phone's store first, then to the server. */
import { rfc3339 } from "../shared/time.ts";
import { sha256 } from "../shared/sha256.ts";
import { uuid7 } from "../shared/uuid.ts";
import * as db from "./db.ts";
import { dropOldPositions, here, metresBetween, type Fix } from "./position.ts";
import { kept, offsetMs, photosWaiting, session } from "./state.ts";
import { flush } from "./sync.ts";
import type { EventType, Kept, Media } from "./types.ts";

export interface Happening {
  type: EventType;
  stopId: string | null;
  requestIds: string[];
  payload?: Record<string, unknown>;
  media?: string[];
}

/** Names a picture by its hash, ready to be stored with its event. */
export async function picture(blob: Blob): Promise<Media> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { sha256: sha256(bytes), blob, courier_id: session.value?.courier_id ?? "" };
}

/** Stores happenings of one moment, in their order, and starts sending. */
export async function record(happenings: Happening[], pictures: Media[] = []): Promise<void> {
  const courier = session.value?.courier_id;
  if (!courier) return;
  const now = Date.now();
  const at = here(now);
  const drafts = happenings.map((one): Omit<Kept, "device_seq"> => ({
    event_id: uuid7(now),
    type: one.type,
    stop_id: one.stopId,
    request_ids: one.requestIds,
    at_device: rfc3339(now),
    clock_offset_ms: offsetMs.value,
    lat: at?.lat ?? null,
    lng: at?.lng ?? null,
    accuracy_m: at?.accuracy_m ?? null,
    payload: one.payload ?? {},
    media: one.media ?? [],
    courier_id: courier,
    state: "waiting",
  }));
  kept.value = [...kept.value, ...(await db.add(drafts, pictures))];
  photosWaiting.value += pictures.length;
  void flush();
}

const TELL_EVERY_MS = 60_000;
const TELL_AFTER_M = 50;
const TELL_ANYWAY_MS = 240_000;

/** Tells the board where the courier is: each minute when moving, every four minutes when not, never from a hidden page. */
export function startPositions(): void {
  let told: Fix | null = null;
  setInterval(() => {
    const now = here(Date.now());
    if (!now || !session.value || document.hidden) return;
    if (told && metresBetween(told, now) < TELL_AFTER_M && now.at - told.at < TELL_ANYWAY_MS) return;
    told = now;
    void dropOldPositions().then(() => record([{ type: "position", stopId: null, requestIds: [] }]));
  }, TELL_EVERY_MS);
}
