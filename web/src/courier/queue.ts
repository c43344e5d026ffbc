/** Rules of the phone's own record: which event a stop ends with, what is done, what goes out next. Pure. */
import { isCarried, isDone } from "../shared/statuses.ts";
import type { EventType, FieldEvent, Kept, Money, Pack, PackStop, Result, Task } from "./types.ts";

const ENDED_WELL = new Set<EventType>(["collected", "handed_over", "delivered", "arrived_office", "departed_office"]);
const ENDED_BADLY = new Set<EventType>(["collect_failed", "delivery_failed", "handover_refused"]);

/** Largest number of events sent at once. */
export const BATCH = 50;

type Where = { kind?: string | null | undefined; place?: { at?: string | null } | null | undefined };

/** The event that completes a stop. */
export function goodEnd(stop: Where): EventType {
  const at = stop.place?.at ?? "citizen";
  if (at === "office") return stop.kind === "delivery" ? "arrived_office" : "departed_office";
  if (stop.kind !== "delivery") return "collected";
  return at === "shop" ? "handed_over" : "delivered";
}

/** The event that records a failure there; null where nothing can fail. */
export function badEnd(stop: Where): EventType | null {
  const at = stop.place?.at ?? "citizen";
  if (at === "office") return null;
  if (stop.kind !== "delivery") return "collect_failed";
  return at === "shop" ? "handover_refused" : "delivery_failed";
}

/** What must be asked for in cash. */
export function due(money: Money | null | undefined): number {
  return (money?.postage ?? 0) + (money?.state_fee ?? 0);
}

/** A stop as this phone sees it: the pack, and over it what was done here since. */
export interface View {
  stop: PackStop;
  state: "open" | "arrived" | "done" | "failed";
  /** Requests that still need something done. */
  open: Task[];
  /** True while an act at this stop has not reached the server. */
  waiting: boolean;
}

function tasksOf(stop: PackStop): Task[] {
  const known = stop.requests ?? [];
  const ids = stop.request_ids ?? [];
  const rest = ids.filter((id) => !known.some((task) => task.id === id));
  return [...known, ...rest.map((id): Task => ({ id }))];
}

function settledByServer(stop: PackStop, task: Task): boolean {
  return isDone(task.status) || (stop.kind !== "delivery" && isCarried(task.status));
}

/** Events that hold: sent and accepted, or still on their way. */
export const holds = (event: Kept) => event.state === "waiting" || event.state === "applied";

/** Requests this phone could not collect: they cannot be handed to anybody later in the run. */
function neverCollected(events: readonly Kept[]): Set<string> {
  return new Set(
    events.filter((event) => event.type === "collect_failed" && holds(event)).flatMap((event) => event.request_ids),
  );
}

/** One stop with this phone's own acts laid over it. */
export function viewOf(stop: PackStop, events: readonly Kept[]): View {
  const mine = events.filter((event) => event.stop_id === stop.stop_id && holds(event));
  const waiting = mine.some((event) => event.state === "waiting");
  if (stop.state === "done" || stop.state === "failed") return { stop, state: stop.state, open: [], waiting };
  const good = new Set<string>();
  const bad = new Set<string>();
  for (const event of mine) {
    if (ENDED_WELL.has(event.type)) event.request_ids.forEach((id) => good.add(id));
    if (ENDED_BADLY.has(event.type)) event.request_ids.forEach((id) => bad.add(id));
  }
  const tasks = tasksOf(stop);
  if (stop.kind === "delivery") {
    neverCollected(events).forEach((id) => bad.add(id));
    tasks.filter((task) => task.status === "PICKUP_FAILED").forEach((task) => bad.add(task.id));
  }
  const open = tasks.filter((task) => !good.has(task.id) && !bad.has(task.id) && !settledByServer(stop, task));
  if (open.length === 0 && (tasks.length > 0 || good.size + bad.size > 0)) {
    const allFailed = tasks.length > 0 && tasks.every((task) => bad.has(task.id));
    return { stop, state: allFailed ? "failed" : "done", open, waiting };
  }
  const arrived = mine.some((event) => event.type === "arrived");
  return { stop, state: arrived ? "arrived" : "open", open, waiting };
}

/** The whole run in its order. */
export function run(pack: Pack | null, events: readonly Kept[]): View[] {
  return (pack?.stops ?? []).map((stop) => viewOf(stop, events));
}

/** Whether a view still asks for something. */
export const isOpen = (view: View) => view.state === "open" || view.state === "arrived";

/** Events still to send for one courier, oldest first, at most one batch. */
export function nextBatch(events: readonly Kept[], courierId: string): Kept[] {
  return events
    .filter((event) => event.state === "waiting" && event.courier_id === courierId)
    .sort((a, b) => a.device_seq - b.device_seq)
    .slice(0, BATCH);
}

/** Acts a person would count as waiting: positions are not told. */
export function waitingCount(events: readonly Kept[], courierId: string): number {
  return events.filter(
    (event) => event.state === "waiting" && event.courier_id === courierId && event.type !== "position",
  ).length;
}

/** Acts the server refused or contradicted. */
export function issues(events: readonly Kept[]): Kept[] {
  return events
    .filter((event) => event.state === "conflict" || event.state === "rejected")
    .sort((a, b) => a.device_seq - b.device_seq);
}

/** The event without this phone's own notes. */
export function wire(event: Kept): FieldEvent {
  const { courier_id: _courier, state: _state, code: _code, server_state: _server, ...sent } = event;
  return sent;
}

/** Events as they stand after an answer; ones it does not mention stay as they were. */
export function settle(events: readonly Kept[], results: readonly Result[]): Kept[] {
  const said = new Map(results.map((result) => [result.event_id, result]));
  return events.map((event) => {
    const result = said.get(event.event_id);
    if (!result) return event;
    const state = result.result === "duplicate" ? "applied" : result.result;
    return { ...event, state, code: result.code ?? null, server_state: result.server_state ?? null };
  });
}

/** What a form still lacks before a stop can be completed, as word keys in the order of the page. */
export interface Proof {
  requestIds: string[];
  papersChecked: boolean;
  slipSigned: boolean;
  recordNo: string;
  officerId: string;
  relation: string;
  recipientName: string;
  idType: string;
  last4: string;
  receipts: Record<string, string>;
  /** The ticks of the stop's safety checklist; empty where there is none. */
  safety: Record<string, boolean>;
  signed: boolean;
}

export type Lack = "requests" | "papers" | "slip" | "record" | "officer" | "name" | "last4" | "receipt" | "signature";

/** Checks a form against the guards the server holds for this event. */
export function lacks(type: EventType, proof: Proof, tasks: readonly Task[]): Lack[] {
  const missing: Lack[] = [];
  const need = (bad: boolean, key: Lack) => bad && missing.push(key);
  if (type !== "collected" && type !== "handed_over" && type !== "delivered") return missing;
  need(proof.requestIds.length === 0, "requests");
  if (type === "collected") {
    need(!proof.papersChecked, "papers");
    need(!proof.slipSigned, "slip");
  }
  if (type === "handed_over") {
    need(!proof.recordNo.trim(), "record");
    need(!proof.officerId.trim(), "officer");
  }
  if (type === "delivered") {
    need(!proof.recipientName.trim(), "name");
    need(!/^[0-9A-Za-z]{4}$/.test(proof.last4), "last4");
  }
  const paying = tasks.filter((task) => proof.requestIds.includes(task.id) && due(task.money) > 0);
  // A state fee is handed over against a numbered receipt (QĐ 45/2016/QĐ-TTg art 6.6); postage alone need not be.
  need(
    paying.some((task) => (task.money?.state_fee ?? 0) > 0 && !proof.receipts[task.id]?.trim()),
    "receipt",
  );
  need(!proof.signed, "signature");
  return missing;
}

/** The payload of the completing event, with the safety ticks where the stop asks for them. */
export function payloadOf(type: EventType, proof: Proof, signature: string | null): Record<string, unknown> {
  const safety = Object.keys(proof.safety).length > 0 ? { safety: proof.safety } : {};
  return { ...guarded(type, proof, signature), ...safety };
}

function guarded(type: EventType, proof: Proof, signature: string | null): Record<string, unknown> {
  if (type === "collected") return { slip_signed: proof.slipSigned, signature, documents_checked: proof.papersChecked };
  if (type === "handed_over")
    return { record_no: proof.recordNo.trim(), signature, officer_id: proof.officerId.trim() };
  if (type === "delivered") {
    const { relation, recipientName, idType, last4 } = proof;
    return {
      signature,
      recipient: { relation, name: recipientName.trim(), id_type: idType, id_last4: last4.toUpperCase() },
    };
  }
  return {};
}
