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

const NOT_YET_COLLECTED = new Set(["REQUESTED", "DISPATCHED", "ASSIGNED", "PICKUP_FAILED"]);

/** Whether somebody may still be sent for it by hand: only before the post holds it. */
export function assignable(request: BoardRequest): boolean {
  return !request.status || NOT_YET_COLLECTED.has(request.status);
}

function matches(request: BoardRequest, filter: Filter, minutesPassed: number): boolean {
  if (filter === "all") return true;
  if (filter === "unassigned") return !request.courier_id && assignable(request);
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

/** Whether a running promise that is not yet late falls due in a band. */
function fallsIn(request: BoardRequest, band: Band, minutesPassed: number): boolean {
  const slack = slackNow(request, minutesPassed);
  return slack !== null && slack >= 0 && inBand(request.due_at, band);
}

export interface RailBand {
  band: Band;
  count: number;
  unassigned: number;
  risk: number;
  how: Urgency;
}

export interface Rail {
  late: { count: number; unassigned: number };
  bands: RailBand[];
}

const SHORTEST_RAIL = 12;

/** The due rail: what is late, then each band with the requests the list would show for it; empty bands at the end are cut. */
export function rail(board: Board | null, minutesPassed: number): Rail {
  const running = (board?.requests ?? []).filter((request) => slackNow(request, minutesPassed) !== null);
  const free = (list: BoardRequest[]) => list.filter((request) => !request.courier_id).length;
  const late = running.filter((request) => urgencyNow(request, minutesPassed) === "late");
  const now = (instant(board?.now) ?? 0) + minutesPassed * 60_000;
  const bands = (board?.due_bands ?? [])
    .filter((band) => instant(band.from_at) !== null)
    .map((band): RailBand => {
      const here = running.filter((request) => fallsIn(request, band, minutesPassed));
      const risk = here.filter((request) => urgencyNow(request, minutesPassed) === "risk").length;
      const end = instant(band.to_at);
      return {
        band,
        count: here.length,
        unassigned: free(here),
        risk,
        how: urgency(end === null ? null : Math.max(0, (end - now) / 60_000 - 1)),
      };
    });
  const lastUsed = bands.reduce((last, one, index) => (one.count ? index : last), 0);
  return {
    late: { count: late.length, unassigned: free(late) },
    bands: bands.slice(0, Math.max(SHORTEST_RAIL, lastUsed + 1)),
  };
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
    if (wish.band && !fallsIn(request, wish.band, wish.minutesPassed)) return false;
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
