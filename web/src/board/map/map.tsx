/** The map: own vector drawing on a calm ground, no outside server. The reader's view is never moved by new data. */
import L from "leaflet";
import "leaflet/dist/leaflet.css";
import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Fit } from "../../shared/icons.tsx";
import { toggle } from "../actions.ts";
import { isStale } from "../chips.tsx";
import { PlanVeil } from "../plan_panel.tsx";
import {
  board,
  courierColour,
  courierPlace,
  couriersById,
  draft,
  litCourier,
  minutesPassed,
  province,
  rightTab,
  selected,
  selectedId,
  world,
} from "../state.ts";
import { t } from "../words.ts";
import { courierMark, Lines, Markers, nameMarks, pinMark, siteMark } from "./layers.ts";
import { lines, names, pins, point, type At } from "./pins.ts";
import "./map.css";

const COUNTRY: [At, At] = [
  [8.2, 102.1],
  [23.4, 114.5],
];

/** A ground of faint dots that moves with the map, drawn by the style sheet. */
class Ground extends L.GridLayer {
  protected override createTile(): HTMLElement {
    const tile = document.createElement("div");
    tile.className = "ground-tile";
    return tile;
  }
}

function start(holder: HTMLElement): L.Map {
  const map = L.map(holder, {
    zoomControl: false,
    attributionControl: false,
    minZoom: 5,
    maxZoom: 18,
    zoomSnap: 0.5,
    wheelPxPerZoomLevel: 90,
  });
  map.fitBounds(COUNTRY);
  new Ground({ className: "ground" }).addTo(map);
  L.control.zoom({ position: "bottomright" }).addTo(map);
  L.control.scale({ position: "bottomleft", imperial: false, maxWidth: 120 }).addTo(map);
  return map;
}

/** Where everything worth seeing lies; the faraway sea names do not count. */
function everything(): At[] {
  const people = (board.value?.couriers ?? []).map((one) => point(one.position));
  return [...pins(board.value, 0).map((pin) => pin.at), ...people, ...(board.value?.offices ?? []).map(point)].filter(
    (at): at is At => at !== null,
  );
}

/** Points that names must keep off: pins, couriers and the signs of shops and offices. */
function standing(): At[] {
  const sites = [...(board.value?.shops ?? []), ...(board.value?.offices ?? [])].map(point);
  return [...everything(), ...sites].filter((at): at is At => at !== null);
}

function fit(map: L.Map): boolean {
  const points = everything();
  if (points.length === 0) return false;
  map.fitBounds(L.latLngBounds(points), { padding: [48, 48], maxZoom: 15, animate: false });
  return true;
}

/** Next request of a pin: the first, or the one after the selected when clicked again. */
function step(ids: string[]): void {
  const at = ids.indexOf(selectedId.value ?? "");
  const next = ids[(at + 1) % ids.length];
  if (!next) return;
  if (ids.length === 1) toggle(next);
  else selectedId.value = next;
}

/** Keeps one part of the drawing in step with what it reads. */
function draw(map: L.Map): () => void {
  const sites = new Markers(map);
  const texts = new Markers(map);
  const routes = new Lines(map);
  const marks = new Markers(map);
  const men = new Markers(map);
  let fitted = "";
  const write = () => texts.sync(nameMarks(map, names(board.value), standing()));
  const indexOf = (id: string) => courierColour(couriersById.value.get(id));
  const stops = [
    effect(() => {
      const view = `${world.value}/${province.value}`;
      if (board.value && fitted !== view && fit(map)) fitted = view;
      sites.sync(
        names(board.value)
          .filter((one) => one.look === "shop" || one.look === "office")
          .map(siteMark),
      );
      write();
    }),
    effect(() => {
      const lit = litCourier.value;
      marks.sync(
        pins(board.value, minutesPassed.value).map((pin) => {
          const chosen = pin.ids.includes(selectedId.value ?? "");
          const dim = lit !== null && !chosen && !pin.couriers.includes(lit);
          const index = pin.courierId ? indexOf(pin.courierId) : null;
          return pinMark(pin, chosen, index, dim, () => step(pin.ids));
        }),
      );
    }),
    effect(() => {
      const shownDraft = draft.value && rightTab.value === "plan" ? draft.value : null;
      routes.sync(
        lines(board.value, shownDraft?.routes ?? board.value?.routes),
        indexOf,
        litCourier.value,
        shownDraft !== null,
      );
    }),
    effect(() => {
      men.sync(
        (board.value?.couriers ?? []).flatMap((one) => {
          const doubtful = Boolean(one.position?.approximate) || isStale(one.position?.age_s);
          const lit = litCourier.value === one.id;
          return (
            courierMark(
              one,
              indexOf(one.id),
              courierPlace(one),
              doubtful,
              lit,
              () => (litCourier.value = lit ? null : one.id),
            ) ?? []
          );
        }),
      );
    }),
    effect(() => {
      const at = point(selected.value?.request.place);
      // Only a choice moves the map, and only when the point is hidden (the drawer covers the left side).
      const seen = at && map.latLngToContainerPoint(at);
      const size = map.getSize();
      if (at && seen && (seen.x < 380 || seen.y < 30 || seen.x > size.x - 30 || seen.y > size.y - 30)) {
        map.panTo(at, { animate: false }).panBy([-170, 0], { animate: false });
      }
    }),
  ];
  map.on("zoomend moveend", write);
  return () => stops.forEach((stop) => stop());
}

function Legend() {
  const open = useSignal(false);
  return (
    <details class="legend" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{t("map_legend")}</summary>
      <ul>
        <li>
          <span class="pin pin-free pin-calm">▲</span>
          {t("legend_pickup")} · {t("no_courier")}
        </li>
        <li>
          <span class="pin line-0 pin-calm">▼</span>
          {t("legend_return")}
        </li>
        <li>
          <span class="pin line-0 pin-calm pin-rough">▲</span>
          {t("legend_rough")}
        </li>
        <li>
          <span class="man line-0">AB</span>
          {t("legend_courier")}
        </li>
        <li>
          <span class="site site-shop" />
          {t("legend_shop")}
        </li>
        <li>
          <span class="site site-office" />
          {t("legend_office")}
        </li>
      </ul>
      <p>{t("map_lines")}</p>
    </details>
  );
}

export function MapPane() {
  const holder = useRef<HTMLDivElement>(null);
  const made = useRef<L.Map | null>(null);
  useEffect(() => {
    if (!holder.current) return undefined;
    const map = start(holder.current);
    made.current = map;
    const stop = draw(map);
    const sizes = new ResizeObserver(() => map.invalidateSize({ animate: false }));
    sizes.observe(holder.current);
    return () => {
      sizes.disconnect();
      stop();
      map.remove();
    };
  }, []);
  return (
    <section class="map" aria-label={t("map")}>
      <div class="map-holder" ref={holder} />
      <div class="map-tools">
        <button type="button" onClick={() => made.current && fit(made.current)}>
          <Fit size={13} />
          {t("map_fit")}
        </button>
        <Legend />
      </div>
      <PlanVeil />
    </section>
  );
}
