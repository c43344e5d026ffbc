/** What stands on the map, worked out of the board's figures. Pure: the drawing is in layers.ts. */
import { communeOf, roughPoint, shortSite, type Urgency } from "../../shared/format.ts";
import { isDone } from "../../shared/statuses.ts";
import { urgencyNow } from "../select.ts";
import type { Board, BoardRequest, Place, Route } from "../types.ts";

export type At = [lat: number, lng: number];

export interface Pin {
  key: string;
  at: At;
  /** Requests standing at this point, the most pressing first. */
  ids: string[];
  kind: "pickup" | "return" | "mixed";
  how: Urgency;
  /** The one courier who goes there for all of them; null when somebody is still missing or several go. */
  courierId: string | null;
  couriers: string[];
  /** True while nobody goes for at least one of them. */
  someFree: boolean;
  rough: boolean;
  title: string;
}

export interface Name {
  key: string;
  at: At;
  text: string;
  rank: number;
  look: "shop" | "office" | "place" | "sea";
}

export interface Line {
  courierId: string;
  points: At[];
  /** Stops in order, for numbering the lit route. */
  stops: { at: At; no: number; settled: boolean }[];
}

/** A usable coordinate pair, or null. */
export function point(place: { lat?: number | null; lng?: number | null } | null | undefined): At | null {
  const { lat, lng } = place ?? {};
  if (typeof lat !== "number" || typeof lng !== "number" || !Number.isFinite(lat) || !Number.isFinite(lng)) return null;
  return Math.abs(lat) <= 90 && Math.abs(lng) <= 180 ? [lat, lng] : null;
}

const spot = (at: At) => `${at[0].toFixed(5)},${at[1].toFixed(5)}`;
const PRESSING: Urgency[] = ["late", "risk", "soon", "calm", "stopped"];

/** One pin per point with open requests. */
export function pins(board: Board | null, minutesPassed: number): Pin[] {
  const found = new Map<string, { at: At; requests: BoardRequest[] }>();
  for (const request of board?.requests ?? []) {
    const at = isDone(request.status) ? null : point(request.place);
    if (!at) continue;
    const here = found.get(spot(at));
    if (here) here.requests.push(request);
    else found.set(spot(at), { at, requests: [request] });
  }
  return [...found].map(([key, { at, requests }]) => {
    const rank = (one: BoardRequest) => PRESSING.indexOf(urgencyNow(one, minutesPassed));
    const sorted = [...requests].sort((a, b) => rank(a) - rank(b));
    const first = sorted[0]!;
    const kinds = new Set(sorted.map((one) => ((one.leg ?? one.kind) === "return" ? "return" : "pickup")));
    const couriers = [...new Set(sorted.map((one) => one.courier_id ?? ""))];
    return {
      key,
      at,
      ids: sorted.map((one) => one.id),
      kind: kinds.size > 1 ? "mixed" : [...kinds][0] === "return" ? "return" : "pickup",
      how: urgencyNow(first, minutesPassed),
      courierId: couriers.length === 1 ? couriers[0] || null : null,
      couriers: couriers.filter(Boolean),
      someFree: couriers.includes(""),
      rough: sorted.some((one) => roughPoint(one.place?.precision)),
      title: [first.place?.name, first.citizen_name].filter(Boolean).join(" · "),
    } satisfies Pin;
  });
}

/** One line per courier with a run: where the courier is, then the stops still open. */
export function lines(board: Board | null, routes: Route[] | null | undefined): Line[] {
  const positions = new Map((board?.couriers ?? []).map((one) => [one.id, point(one.position)]));
  return (routes ?? []).map((route) => {
    const start = positions.get(route.courier_id);
    const points: At[] = start ? [start] : [];
    const stops: Line["stops"] = [];
    (route.stops ?? []).forEach((stop, index) => {
      const at = point(stop.place);
      if (!at) return;
      const settled = stop.state === "done" || stop.state === "failed";
      stops.push({ at, no: index + 1, settled });
      if (!settled) points.push(at);
    });
    return { courierId: route.courier_id, points, stops };
  });
}

/** Names to write: shops and offices, then each commune of the requests at the middle of its points. */
export function names(board: Board | null): Name[] {
  const found: Name[] = [];
  const taken = new Set<string>();
  const awaited = new Set(
    (board?.requests ?? []).filter((one) => !isDone(one.status)).map((one) => one.shop_name ?? ""),
  );
  const site = (one: { id: string; name?: string | null } & Place, look: "shop" | "office") => {
    const at = point(one);
    if (!at || !one.name) return;
    // A shop nobody goes to now gives way to the communes somebody goes to.
    const rank = look === "office" ? 0 : awaited.has(one.name) ? 1 : 3;
    found.push({ key: `${look}/${one.id}`, at, text: shortSite(one.name), rank, look });
    taken.add(one.name);
  };
  (board?.offices ?? []).forEach((one) => site(one, "office"));
  (board?.shops ?? []).forEach((one) => site(one, "shop"));
  const places = new Map<string, At[]>();
  for (const request of board?.requests ?? []) {
    const at = point(request.place);
    const name = request.place?.name;
    // A citizen's whole address is no name for a map; its commune is.
    const text = communeOf(name) ?? (name?.includes(",") || request.place?.at === "citizen" ? null : name);
    if (at && text && !taken.has(text)) places.set(text, [...(places.get(text) ?? []), at]);
  }
  for (const [text, points] of places) {
    const middle = (i: 0 | 1) => points.reduce((sum, at) => sum + at[i], 0) / points.length;
    found.push({ key: `place/${text}`, at: [middle(0), middle(1)], text, rank: 2, look: "place" });
  }
  return [...found, ...SEA];
}

/** Always on the map, whatever the data say. */
const SEA: Name[] = [
  { key: "sea/hoang-sa", at: [16.5, 112.0], text: "Quần đảo Hoàng Sa (Việt Nam)", rank: 0, look: "sea" },
  { key: "sea/truong-sa", at: [8.64, 111.92], text: "Quần đảo Trường Sa (Việt Nam)", rank: 0, look: "sea" },
  { key: "sea/bien-dong", at: [13.2, 112.6], text: "Biển Đông", rank: 1, look: "sea" },
];

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Side = "below" | "above" | "right" | "left" | "on";

/** A name waiting for room: its point, its size, and the sides it may stand on. */
export interface Wanting {
  key: string;
  x: number;
  y: number;
  width: number;
  rank: number;
  sides: readonly Side[];
}

const HEIGHT = 16;
const GAP = 15;

function boxAt(one: Wanting, side: Side): Box {
  const { x, y, width } = one;
  const at = {
    below: [x, y + GAP + HEIGHT / 2],
    above: [x, y - GAP - HEIGHT / 2],
    right: [x + GAP + width / 2, y],
    left: [x - GAP - width / 2, y],
    on: [x, y],
  }[side];
  return { x: at[0]!, y: at[1]!, width, height: HEIGHT };
}

/** Where each name can be written without touching a taken box or another name or the edge; names without room are left out. */
export function roomFor(
  names: readonly Wanting[],
  taken: readonly Box[],
  view: { width: number; height: number },
): Map<string, Side> {
  const full: Box[] = [...taken];
  const found = new Map<string, Side>();
  const inside = (box: Box) =>
    box.x - box.width / 2 >= 0 &&
    box.x + box.width / 2 <= view.width &&
    box.y >= HEIGHT / 2 &&
    box.y <= view.height - HEIGHT / 2;
  const free = (box: Box) =>
    inside(box) &&
    full.every(
      (one) =>
        Math.abs(one.x - box.x) * 2 >= one.width + box.width || Math.abs(one.y - box.y) * 2 >= one.height + box.height,
    );
  for (const name of [...names].sort((a, b) => a.rank - b.rank)) {
    const side = name.sides.find((one) => free(boxAt(name, one)));
    if (!side) continue;
    found.set(name.key, side);
    full.push(boxAt(name, side));
  }
  return found;
}
