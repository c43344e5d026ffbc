/** Draws pins, couriers, names and lines on a Leaflet map, touching only what changed. */
import L from "leaflet";
import { initials } from "../../shared/format.ts";
import { letter, lineClass } from "../chips.tsx";
import type { Courier } from "../types.ts";
import { point, roomFor, type At, type Line, type Name, type Pin, type Side } from "./pins.ts";

function element(className: string, text = "", title = ""): HTMLElement {
  const made = document.createElement("div");
  made.className = className;
  made.textContent = text;
  if (title) made.title = title;
  return made;
}

interface Drawn {
  key: string;
  at: At;
  /** Changes exactly when the picture does. */
  look: string;
  html: () => HTMLElement;
  z?: number;
  onClick?: (() => void) | undefined;
}

/** Markers by key: moved, redrawn or removed as the wanted set changes. */
export class Markers {
  private readonly group: L.LayerGroup;
  private readonly known = new Map<string, { marker: L.Marker; drawn: Drawn }>();

  constructor(map: L.Map) {
    this.group = L.layerGroup().addTo(map);
  }

  sync(wanted: Drawn[]): void {
    const keys = new Set(wanted.map((one) => one.key));
    for (const [key, { marker }] of this.known) {
      if (keys.has(key)) continue;
      this.group.removeLayer(marker);
      this.known.delete(key);
    }
    for (const drawn of wanted) this.put(drawn);
  }

  private put(drawn: Drawn): void {
    const icon = () => L.divIcon({ className: "mark-holder", html: drawn.html(), iconSize: [0, 0] });
    const have = this.known.get(drawn.key);
    if (!have) {
      const options = {
        icon: icon(),
        keyboard: false,
        interactive: Boolean(drawn.onClick),
        zIndexOffset: drawn.z ?? 0,
      };
      const marker = L.marker(drawn.at, options).addTo(this.group);
      const entry = { marker, drawn };
      marker.on("click", () => entry.drawn.onClick?.());
      this.known.set(drawn.key, entry);
      return;
    }
    if (have.drawn.at[0] !== drawn.at[0] || have.drawn.at[1] !== drawn.at[1]) have.marker.setLatLng(drawn.at);
    if (have.drawn.look !== drawn.look) have.marker.setIcon(icon());
    if (have.drawn.z !== drawn.z) have.marker.setZIndexOffset(drawn.z ?? 0);
    have.drawn = drawn;
  }
}

const GLYPH = { pickup: "▲", return: "▼", mixed: "◆" } as const;
const RANK = { late: 400, risk: 300, soon: 200, calm: 100, stopped: 0 } as const;

/** A pin: glyph tells the kind, dark fill that someone is still missing, grey edge that several go, "!" that the promise is pressed. */
export function pinMark(pin: Pin, chosen: boolean, index: number | null, dim: boolean, onClick: () => void): Drawn {
  const classes = [
    "pin",
    `pin-${pin.how}`,
    index !== null ? lineClass(index) : pin.couriers.length > 1 && !pin.someFree ? "pin-shared" : "pin-free",
    pin.rough ? "pin-rough" : "",
    chosen ? "is-chosen" : "",
    dim ? "is-dim" : "",
  ];
  const className = classes.filter(Boolean).join(" ");
  const many = pin.ids.length > 1 ? String(pin.ids.length) : "";
  return {
    key: pin.key,
    at: pin.at,
    look: `${className}|${pin.kind}|${many}|${pin.title}`,
    z: chosen ? 2000 : RANK[pin.how],
    onClick,
    html: () => {
      const mark = element(className, GLYPH[pin.kind], pin.title);
      if (many) mark.append(element("pin-count", many));
      else if (pin.how === "late" || pin.how === "risk") mark.append(element("pin-bang", "!"));
      return mark;
    },
  };
}

/** A courier: initials in the line colour, hollow when the position is old or estimated. */
export function courierMark(
  courier: Courier,
  colour: number,
  place: number,
  doubtful: boolean,
  lit: boolean,
  onClick: () => void,
): Drawn | null {
  const at = point(courier.position);
  if (!at) return null;
  const className = `man ${lineClass(colour)} ${doubtful ? "is-doubtful" : ""} ${lit ? "is-lit" : ""}`;
  return {
    key: courier.id,
    at,
    look: className + courier.name + place,
    z: lit ? 3000 : 1000,
    onClick,
    html: () => {
      const mark = element(className, initials(courier.name), courier.name ?? "");
      mark.append(element("man-letter", letter(place)));
      return mark;
    },
  };
}

/** Shop and office signs; their names are written separately. */
export function siteMark(name: Name): Drawn {
  return {
    key: name.key,
    at: name.at,
    look: name.look,
    z: -500,
    html: () => element(`site site-${name.look}`, "", name.text),
  };
}

const AROUND: readonly Side[] = ["below", "right", "above", "left"];

/** Names that find room at this zoom, off the pins and off one another. */
export function nameMarks(map: L.Map, all: Name[], avoid: At[]): Drawn[] {
  const wanting = all.map((one) => {
    const { x, y } = map.latLngToContainerPoint(one.at);
    const sides: readonly Side[] = one.look === "sea" ? ["on"] : one.look === "place" ? ["on", ...AROUND] : AROUND;
    return { key: one.key, x, y, width: one.text.length * 6.5 + 6, rank: one.rank, sides };
  });
  const taken = avoid.map((at) => ({ ...map.latLngToContainerPoint(at), width: 24, height: 24 }));
  const size = map.getSize();
  const room = roomFor(wanting, taken, { width: size.x, height: size.y });
  return all
    .filter((one) => room.has(one.key))
    .map((one) => {
      const side = room.get(one.key) ?? "below";
      return {
        key: one.key,
        at: one.at,
        look: one.text + side,
        z: -1000,
        html: () => element(`name name-${one.look} name-${side}`, one.text),
      };
    });
}

/** Route lines, with the lit courier's stops numbered. */
export class Lines {
  private readonly group: L.LayerGroup;
  private readonly numbers: Markers;
  private last = "";

  constructor(map: L.Map) {
    this.group = L.layerGroup().addTo(map);
    this.numbers = new Markers(map);
  }

  sync(lines: Line[], indexOf: (courierId: string) => number, lit: string | null, isDraft: boolean): void {
    const look = JSON.stringify([lines, lit, isDraft, lines.map((line) => indexOf(line.courierId))]);
    if (look === this.last) return;
    this.last = look;
    this.group.clearLayers();
    for (const line of [...lines].sort((a, b) => Number(a.courierId === lit) - Number(b.courierId === lit))) {
      if (line.points.length < 2) continue;
      const dim = lit === null ? "" : lit === line.courierId ? "is-lit" : "is-dim";
      const shape = (className: string) =>
        L.polyline(line.points, {
          className: `${className} ${lineClass(indexOf(line.courierId))} ${dim}`,
          interactive: false,
        });
      this.group.addLayer(shape("route-casing"));
      this.group.addLayer(shape(isDraft ? "route-line is-draft" : "route-line"));
      for (const stop of line.stops) {
        if (stop.settled) continue;
        const className = `route-dot ${lineClass(indexOf(line.courierId))} ${dim}`;
        this.group.addLayer(L.circleMarker(stop.at, { radius: 4.5, className, interactive: false }));
      }
    }
    const chosen = lines.find((line) => line.courierId === lit);
    this.numbers.sync(
      (chosen?.stops ?? [])
        .filter((stop) => !stop.settled)
        .map((stop) => ({
          key: String(stop.no),
          at: stop.at,
          look: `${stop.no}${lineClass(indexOf(lit ?? ""))}`,
          z: 2500,
          html: () => element(`stop-number ${lineClass(indexOf(lit ?? ""))}`, String(stop.no)),
        })),
    );
  }
}
