/** What falls due when: counts of the day, 15-minute bands of running promises, and the one big button. */
import { useState } from "preact/hooks";
import { clockText, instant } from "../shared/time.ts";
import { makePlan } from "./actions.ts";
import { band, board, planning, province, worldNow } from "./state.ts";
import { ProvinceSelect } from "./topbar.tsx";
import type { Band } from "./types.ts";
import { t, type Word } from "./words.ts";

const COUNTS: readonly [string, Word][] = [
  ["open", "count_open"],
  ["unassigned", "count_unassigned"],
  ["at_risk", "count_at_risk"],
  ["breached", "count_breached"],
];

function isLate(one: Band, now: number | null): boolean {
  const end = instant(one.to_at);
  return one.from_at == null || (now !== null && end !== null && end <= now);
}

function pressing(one: Band, now: number | null): string {
  if (isLate(one, now)) return "late";
  const end = instant(one.to_at);
  if (now === null || end === null) return "calm";
  const minutes = (end - now) / 60_000;
  return minutes <= 30 ? "risk" : minutes <= 60 ? "soon" : "calm";
}

function BandButton({ one, most, now }: { one: Band; most: number; now: number | null }) {
  const count = one.count ?? 0;
  const from = isLate(one, now) ? t("band_late") : clockText(one.from_at);
  const chosen = band.value?.to_at === one.to_at && band.value?.from_at === one.from_at;
  const title = t("band_title", { from, to: clockText(one.to_at), count, unassigned: one.unassigned ?? 0, risk: one.at_risk ?? 0 });
  return (
    <button type="button" class={`band band-${count ? pressing(one, now) : "none"}`} aria-pressed={chosen} title={title}
      disabled={!count && !chosen} onClick={() => (band.value = chosen ? null : one)}>
      <span class="band-bar" aria-hidden="true"><i style={{ height: `${Math.round((count / most) * 100)}%` }} /></span>
      <b>{count}</b>
      <span class="band-free">{one.unassigned ? <><i aria-hidden="true">●</i>{one.unassigned}<span class="sr">{t("count_unassigned")}</span></> : ""}</span>
      <span class="band-at">{from}</span>
    </button>
  );
}

/** The province to plan for: the one on screen, or the only one the board's offices lie in. */
function planProvince(): string {
  if (province.value) return province.value;
  const known = new Set((board.value?.offices ?? []).map((one) => one.province_code).filter(Boolean));
  return known.size === 1 ? ([...known][0] ?? "") : "";
}

function PlanButton() {
  const [asking, setAsking] = useState(false);
  const start = () => {
    const code = planProvince();
    if (code) void makePlan(code);
    setAsking(!code);
  };
  return (
    <div class="plan-start">
      <button type="button" class="primary big" id="plan" disabled={planning.value !== null || !board.value} onClick={start}>{t("plan")}</button>
      {asking && (
        <div class="popover" role="dialog" aria-label={t("plan_for")}>
          <label for="plan-province">{t("plan_for")}</label>
          <ProvinceSelect id="plan-province" any />
          <div class="row-end">
            <button type="button" class="quiet" onClick={() => setAsking(false)}>{t("close")}</button>
            <button type="button" class="primary" disabled={!province.value || !board.value} onClick={start}>{t("plan_go")}</button>
          </div>
        </div>
      )}
    </div>
  );
}

export function DueRail() {
  const now = worldNow.value;
  const bands = board.value?.due_bands ?? [];
  const most = Math.max(1, ...bands.map((one) => one.count ?? 0));
  return (
    <section class="rail" aria-label={t("due_rail")}>
      <dl class="day-counts">
        {COUNTS.map(([key, word]) => (
          <div key={key} class={`count count-${key} ${board.value?.counts?.[key] ? "" : "is-zero"}`}>
            <dd>{board.value?.counts?.[key] ?? "–"}</dd>
            <dt>{key === "unassigned" && <i aria-hidden="true">● </i>}{t(word)}</dt>
          </div>
        ))}
      </dl>
      <div class="bands">
        {bands.length === 0 && <p class="empty">{board.value ? t("band_none") : t("waiting_first")}</p>}
        {bands.map((one) => <BandButton key={`${one.from_at}${one.to_at}`} one={one} most={most} now={now} />)}
      </div>
      <PlanButton />
    </section>
  );
}
