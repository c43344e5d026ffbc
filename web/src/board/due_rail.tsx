/** What falls due when: counts of the day, 15-minute bands of running promises, and the one big button. */
import { useState } from "preact/hooks";
import { clockText } from "../shared/time.ts";
import { makePlan } from "./actions.ts";
import type { RailBand } from "./select.ts";
import { band, board, dueRail, filter, planning, province } from "./state.ts";
import { ProvinceSelect } from "./topbar.tsx";
import { t, type Word } from "./words.ts";

const COUNTS: readonly [string, Word][] = [
  ["open", "count_open"],
  ["unassigned", "count_unassigned"],
  ["at_risk", "count_at_risk"],
  ["breached", "count_breached"],
];

interface Bar {
  count: number;
  unassigned: number;
  how: string;
  at: string;
  title: string;
  chosen: boolean;
  most: number;
  onClick: () => void;
}

function BandButton({ count, unassigned, how, at, title, chosen, most, onClick }: Bar) {
  const look = `band band-${count ? how : "none"}`;
  return (
    <button
      type="button"
      class={look}
      aria-pressed={chosen}
      title={title}
      disabled={!count && !chosen}
      onClick={onClick}
    >
      <span class="band-bar" aria-hidden="true">
        <i style={{ height: `${Math.round((count / most) * 100)}%` }} />
      </span>
      <b>{count}</b>
      {unassigned > 0 && (
        <span class="band-free">
          <i aria-hidden="true">●</i>
          {unassigned}
          <span class="sr">{t("count_unassigned")}</span>
        </span>
      )}
      <span class="band-at">{at}</span>
    </button>
  );
}

/** What is late already; choosing it filters the list to exactly these. */
function LateButton({ most }: { most: number }) {
  const { late } = dueRail.value;
  if (late.count === 0) return null;
  const chosen = filter.value === "late";
  const choose = () => {
    band.value = null;
    filter.value = chosen ? "all" : "late";
  };
  const title = t("band_late_title", { ...late });
  return (
    <BandButton {...late} how="late" at={t("band_late")} title={title} chosen={chosen} most={most} onClick={choose} />
  );
}

function Band({ one, most }: { one: RailBand; most: number }) {
  const at = clockText(one.band.from_at);
  const chosen = band.value !== null && band.value.from_at === one.band.from_at;
  const choose = () => {
    band.value = chosen ? null : one.band;
    if (filter.value === "late") filter.value = "all";
  };
  const { count, unassigned, risk } = one;
  const title = t("band_title", { from: at, to: clockText(one.band.to_at), count, unassigned, risk });
  return <BandButton {...one} at={at} title={title} chosen={chosen} most={most} onClick={choose} />;
}

function Bands() {
  const { late, bands } = dueRail.value;
  const most = Math.max(1, late.count, ...bands.map((one) => one.count));
  if (bands.length === 0 && late.count === 0) {
    return <p class="empty">{board.value ? t("band_none") : t("waiting_first")}</p>;
  }
  return (
    <>
      <LateButton most={most} />
      {bands.map((one) => (
        <Band key={one.band.from_at} one={one} most={most} />
      ))}
    </>
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
      <button
        type="button"
        class="primary big"
        id="plan"
        disabled={planning.value !== null || !board.value}
        onClick={start}
      >
        {t("plan")}
      </button>
      {asking && (
        <div class="popover" role="dialog" aria-label={t("plan_for")}>
          <label for="plan-province">{t("plan_for")}</label>
          <ProvinceSelect id="plan-province" any />
          <div class="row-end">
            <button type="button" class="quiet" onClick={() => setAsking(false)}>
              {t("close")}
            </button>
            <button type="button" class="primary" disabled={!province.value || !board.value} onClick={start}>
              {t("plan_go")}
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

export function DueRail() {
  return (
    <section class="rail" aria-label={t("due_rail")}>
      <dl class="day-counts">
        {COUNTS.map(([key, word]) => (
          <div key={key} class={`count count-${key} ${board.value?.counts?.[key] ? "" : "is-zero"}`}>
            <dd>{board.value?.counts?.[key] ?? "–"}</dd>
            <dt>
              {key === "unassigned" && <i aria-hidden="true">● </i>}
              {t(word)}
            </dt>
          </div>
        ))}
      </dl>
      <div class="bands">
        <Bands />
      </div>
      <PlanButton />
    </section>
  );
}
