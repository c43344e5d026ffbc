/** Which requests the list shows, and how pressing each is. Pure: plain values in, plain values out. */
import { fold, urgency, type Urgency } from "../shared/format.ts";
import { isCarried, isDone } from "../shared/statuses.ts";
import { instant } from "../shared/time.ts";
import type { Band, Board, BoardRequest } from "./types.ts";

export type Filter = "all" | "unassigned" | "risk" | "late" | "collected" | "done";
export const FILTERS: readonly Filter[] = ["all", "unassigned", "risk", "late", "collected", "done"];

/** Slack now: the server's figure less the whole minutes passed since it was given; null once the clock has stopped. */
export function slackNow(request: BoardRequest, minutesPassed: number): number | null {
  const given = request.slack_minutes;
  return given === null || given === undefined ? null : given - minutesPassed;
}

/** How pressing a request is now. */
export function urgencyNow(request: BoardRequest, minutesPassed: number): Urgency {
  return urgency(slackNow(request, minutesPassed), request.promise_state === "AT_RISK");
}

/** Whether somebody may still be sent for it by hand. */
export function assignable(request: BoardRequest): boolean {
  return !isDone(request.status) && request.status !== "LOST" && request.status !== "DAMAGED";
}

function matches(request: BoardRequest, filter: Filter, minutesPassed: number): boolean {
  if (filter === "all") return true;
  if (filter === "unassigned") return !request.courier_id && assignable(request) && !isCarried(request.status);
  if (filter === "collected") return isCarried(request.status);
  if (filter === "done") return isDone(request.status);
  const now = urgencyNow(request, minutesPassed);
  return filter === "late" ? now === "late" : now === "risk";
}

/** The folded text one search looks through. */
export function haystack(request: BoardRequest, courierName: string | null | undefined): string {
  const { id, item_id, external_ref, shop_name, citizen_name, place } = request;
  return fold([id, item_id, external_ref, shop_name, citizen_name, place?.name, courierName].filter(Boolean).join(" "));
}

/** Whether a due instant lies in a band; a band with no beginning takes everything before its end. */
export function inBand(dueAt: string | null | undefined, band: Pick<Band, "from_at" | "to_at">): boolean {
  const due = instant(dueAt);
  if (due === null) return false;
  const from = instant(band.from_at);
  const to = instant(band.to_at);
  return (from === null || due >= from) && (to === null || due < to);
}

export interface Wish {
  filter: Filter;
  search: string;
  band: Band | null;
  minutesPassed: number;
}

/** Requests that fit the wish, in the server's order (least slack first). */
export function visible(board: Board | null, wish: Wish): BoardRequest[] {
  const names = new Map((board?.couriers ?? []).map((courier) => [courier.id, courier.name]));
  const terms = fold(wish.search).split(/\s+/).filter(Boolean);
  return (board?.requests ?? []).filter((request) => {
    if (!matches(request, wish.filter, wish.minutesPassed)) return false;
    if (wish.band && (request.slack_minutes == null || !inBand(request.due_at, wish.band))) return false;
    if (terms.length === 0) return true;
    const text = haystack(request, request.courier_id ? names.get(request.courier_id) : null);
    return terms.every((term) => text.includes(term));
  });
}

/** How many requests each filter would show. */
export function filterCounts(board: Board | null, minutesPassed: number): Record<Filter, number> {
  const counts: Record<Filter, number> = { all: 0, unassigned: 0, risk: 0, late: 0, collected: 0, done: 0 };
  for (const request of board?.requests ?? []) {
    for (const filter of FILTERS) if (matches(request, filter, minutesPassed)) counts[filter] += 1;
  }
  return counts;
}

/** The id one step away from `current` in the list, or an end of it. */
export function neighbour(list: readonly { id: string }[], current: string | null, step: 1 | -1): string | null {
  if (list.length === 0) return null;
  const at = list.findIndex((one) => one.id === current);
  if (at < 0) return list[step > 0 ? 0 : list.length - 1]?.id ?? null;
  return list[Math.min(list.length - 1, Math.max(0, at + step))]?.id ?? null;
}
