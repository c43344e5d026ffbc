/** What the board knows and what the reader chose; the parts of the page read from here and never from each other. */
import { computed, signal } from "@preact/signals";
import { instant } from "../shared/time.ts";
import { filterCounts, rail, visible, type Filter } from "./select.ts";
import type { Band, Board, BoardRequest, Courier, Mode, Plan } from "./types.ts";

const KEPT_WORLD = "dieutin.world";
const KEPT_PROVINCE = "dieutin.province";

function kept(key: string): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}

const asked = new URLSearchParams(globalThis.location?.search ?? "");

export const world = signal<Mode>((asked.get("mode") ?? kept(KEPT_WORLD)) === "test" ? "test" : "live");
export const province = signal<string>(asked.get("province") ?? kept(KEPT_PROVINCE));

export const board = signal<Board | null>(null);
/** Device time at which the board's body was received. */
export const receivedAt = signal(0);
/** Device time of the last good answer, with or without news. */
export const contactAt = signal(0);
/** Why the last call failed; null while all is well. */
export const trouble = signal<{ offline: boolean; text: string } | null>(null);
/** Device time, once a second. */
export const tick = signal(Date.now());

export const filter = signal<Filter>("all");
export const search = signal("");
export const band = signal<Band | null>(null);
export const selectedId = signal<string | null>(null);
export const litCourier = signal<string | null>(null);
export const rightTab = signal<"couriers" | "alerts" | "plan">("couriers");

/** The draft under review, null when there is none. */
export const draft = signal<Plan | null>(null);
/** How far the planner is: null = not running, 0–1. */
export const planning = signal<{ progress: number; queued: boolean } | null>(null);
export const notice = signal<{ text: string; bad: boolean } | null>(null);

/**
 * The instant of this world. Live time runs on between answers; test time is moved by its tests only,
 * so there the last instant told is the truth.
 */
export const worldNow = computed(() => {
  const told = instant(board.value?.now);
  if (told === null) return world.value === "live" ? tick.value : null;
  return board.value?.mode === "test" ? told : told + Math.max(0, tick.value - receivedAt.value);
});

/** Whole minutes of this world since the board's figures were made. */
export const minutesPassed = computed(() => {
  const told = instant(board.value?.now);
  return told === null || worldNow.value === null ? 0 : Math.floor((worldNow.value - told) / 60_000);
});

export const couriersById = computed(() => new Map((board.value?.couriers ?? []).map((one) => [one.id, one])));
export const requestsById = computed(() => new Map((board.value?.requests ?? []).map((one) => [one.id, one])));
export const shown = computed(() =>
  visible(board.value, {
    filter: filter.value,
    search: search.value,
    band: band.value,
    minutesPassed: minutesPassed.value,
  }),
);
export const dueRail = computed(() => rail(board.value, minutesPassed.value));
export const counts = computed(() => filterCounts(board.value, minutesPassed.value));

let lastSeen: BoardRequest | null = null;

/** The selected request, kept as it was last seen when the board no longer has it. */
export const selected = computed<{ request: BoardRequest; gone: boolean } | null>(() => {
  const id = selectedId.value;
  if (!id) return null;
  const request = requestsById.value.get(id);
  if (request) lastSeen = request;
  if (lastSeen?.id !== id) return null;
  return { request: lastSeen, gone: !request };
});

const places = computed(() => new Map((board.value?.couriers ?? []).map((one, index) => [one.id, index])));

/** A courier's place in the list, which gives the letter. */
export const courierPlace = (courier: Courier | null | undefined): number => places.value.get(courier?.id ?? "") ?? 0;

/** A courier's place in the sequence of colours. */
export const courierColour = (courier: Courier | null | undefined): number =>
  courier?.color_index ?? courierPlace(courier);

/** Puts the other world (or another province) on screen, forgetting what belonged to the first. */
export function look(next: { world?: Mode; province?: string }): void {
  if (next.world && next.world !== world.value) {
    keep(KEPT_WORLD, next.world);
    world.value = next.world;
  }
  if (next.province !== undefined) {
    keep(KEPT_PROVINCE, next.province);
    province.value = next.province;
  }
  board.value = null;
  contactAt.value = 0;
  selectedId.value = null;
  litCourier.value = null;
  band.value = null;
  draft.value = null;
  planning.value = null;
  notice.value = null;
}

let noticeTimer: ReturnType<typeof setTimeout> | undefined;

/** Shows one line for a while. */
export function tell(text: string, bad = false): void {
  notice.value = { text, bad };
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (notice.value = null), bad ? 12_000 : 5_000);
}
