/** Small honest marks used all over the board: kind, slack, courier badge. Each says in text what its colour says. */
import { minutesText, noPoint, roughPoint, slackText, type Urgency } from "../shared/format.ts";
import { lang } from "../shared/i18n.ts";
import { Bang, Down, Tick, Up } from "../shared/icons.tsx";
import { slackNow, urgencyNow } from "./select.ts";
import { courierColour, courierPlace, minutesPassed } from "./state.ts";
import type { BoardRequest, Courier } from "./types.ts";
import { t } from "./words.ts";

/** A, B, … Z, AA, … for a place in the courier sequence. */
export function letter(index: number): string {
  const rest = String.fromCharCode(65 + (index % 26));
  return index < 26 ? rest : letter(Math.floor(index / 26) - 1) + rest;
}

/** Which of the eight line colours an index takes. */
export const lineClass = (index: number) => `line-${index % 8}`;

/** Whether this leg fetches from the citizen (up) or brings to the citizen (down). */
export const isReturn = (one: { leg?: string | null; kind?: string | null }) => (one.leg ?? one.kind) === "return";

export function KindChip({ request }: { request: BoardRequest }) {
  const back = isReturn(request);
  return (
    <span class={`kind ${back ? "kind-return" : "kind-pickup"}`}>
      {back ? <Down size={11} /> : <Up size={11} />}
      {back ? t("kind_return") : t("kind_pickup")}
    </span>
  );
}

const slackIcon = (how: Urgency) =>
  how === "late" || how === "risk" ? <Bang size={12} /> : how === "stopped" ? <Tick size={12} /> : null;

export function SlackChip({ minutes, how }: { minutes: number | null; how: Urgency }) {
  if (minutes === null) return null;
  return (
    <span class={`slack slack-${how}`}>
      {slackIcon(how)}
      {slackText(minutes, lang.value)}
    </span>
  );
}

export function RequestSlack({ request }: { request: BoardRequest }) {
  const passed = minutesPassed.value;
  return <SlackChip minutes={slackNow(request, passed)} how={urgencyNow(request, passed)} />;
}

/** The courier's colour and letter, the same on list, map and route. */
export function Badge({ courier }: { courier: Courier }) {
  return <span class={`badge ${lineClass(courierColour(courier))}`}>{letter(courierPlace(courier))}</span>;
}

/** Says when a place on the map is only near, or nowhere. */
export function PointChip({ precision }: { precision: string | null | undefined }) {
  if (noPoint(precision)) return <span class="tag tag-warn">{t("no_point")}</span>;
  return roughPoint(precision) ? <span class="tag">{t("rough_point")}</span> : null;
}

/** Whether a position is too old to trust: more than five minutes. */
export const isStale = (ageS: number | null | undefined) => (ageS ?? 0) > 300;

export function PositionChip({ courier }: { courier: Courier }) {
  const position = courier.position;
  if (!position) return <span class="tag">{t("no_position")}</span>;
  const age = position.age_s ?? 0;
  return (
    <>
      {isStale(age) && (
        <span class="tag tag-warn">{t("stale_position", { age: minutesText(Math.floor(age / 60), lang.value) })}</span>
      )}
      {position.approximate && !isStale(age) && <span class="tag">{t("estimated")}</span>}
    </>
  );
}
