/** The draft plan: what it would do, whom it cannot serve and why, and the choice to apply or drop it. */
import { useState } from "preact/hooks";
import { distance, shortSite } from "../shared/format.ts";
import { lang, say } from "../shared/i18n.ts";
import { clockText } from "../shared/time.ts";
import { applyDraft, dropDraft, openDraft } from "./actions.ts";
import { changeText } from "./change_words.ts";
import { Badge, lineClass } from "./chips.tsx";
import { StopLine } from "./stop_line.tsx";
import { board, couriersById, courierColour, draft, litCourier, planning, requestsById, selectedId } from "./state.ts";
import type { Plan, Route, Unserved } from "./types.ts";
import { t } from "./words.ts";

function Figure({ value, text, bad }: { value: string | number; text: string; bad?: boolean }) {
  return (
    <div class={`figure ${bad ? "is-bad" : ""}`}>
      <dd>{value}</dd>
      <dt>{text}</dt>
    </div>
  );
}

function servedBy(plan: Plan): number {
  return new Set((plan.routes ?? []).flatMap((route) => (route.stops ?? []).flatMap((stop) => stop.request_ids ?? [])))
    .size;
}

function Summary({ plan }: { plan: Plan }) {
  const diff = plan.diff ?? {};
  const km = (plan.routes ?? []).reduce((sum, route) => sum + (route.distance_m ?? 0), 0);
  const delta = diff.distance_delta_m;
  const unserved = plan.unserved?.length ?? 0;
  return (
    <>
      <dl class="figures">
        <Figure value={plan.served ?? servedBy(plan)} text={t("plan_served")} />
        <Figure value={unserved} text={t("plan_unserved")} bad={unserved > 0} />
        <Figure value={diff.saved_promises ?? "–"} text={t("plan_saved")} />
        <Figure value={diff.moved_stops ?? "–"} text={t("plan_moved")} />
        <Figure value={diff.added_stops ?? "–"} text={t("plan_added")} />
        <Figure value={distance(km, lang.value)} text={t("plan_km")} />
      </dl>
      {delta != null && (
        <p class="fine">
          {t("plan_km_delta", { delta: `${delta >= 0 ? "+" : "−"}${distance(Math.abs(delta), lang.value)}` })}
        </p>
      )}
    </>
  );
}

function Why({ one }: { one: Unserved }) {
  const request = one.request_id ? requestsById.value.get(one.request_id) : undefined;
  const name =
    [shortSite(request?.shop_name), request?.citizen_name].filter(Boolean).join(" › ") || one.request_id || "–";
  const change = changeText(one.change, (id) => couriersById.value.get(id)?.name ?? id);
  return (
    <li>
      <button
        type="button"
        class="why"
        disabled={!one.request_id}
        onClick={() => (selectedId.value = one.request_id ?? null)}
      >
        <b>{name}</b>
        <span>{say(one.reason) || one.code}</span>
        {change && <em>{t("plan_change", { text: change })}</em>}
      </button>
    </li>
  );
}

function DraftRoute({ route }: { route: Route }) {
  const courier = couriersById.value.get(route.courier_id);
  const open = litCourier.value === route.courier_id;
  const stops = route.stops ?? [];
  return (
    <li class={`courier ${lineClass(courierColour(courier))} ${open ? "is-open" : ""}`}>
      <button
        type="button"
        class="courier-head"
        aria-expanded={open}
        onClick={() => (litCourier.value = open ? null : route.courier_id)}
      >
        {courier && <Badge courier={courier} />}
        <span class="courier-name">{courier?.name ?? route.courier_id}</span>
        <span class="courier-facts">
          <span>{t("stops_left", { n: stops.length })}</span>
          <span>{distance(route.distance_m, lang.value)}</span>
        </span>
      </button>
      {open && (
        <ol class="stops">
          {stops.map((stop, index) => (
            <StopLine key={stop.stop_id} stop={stop} index={index} />
          ))}
        </ol>
      )}
    </li>
  );
}

export function PlanPanel() {
  const [busy, setBusy] = useState(false);
  const plan = draft.value;
  if (!plan) return null;
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    await work();
    setBusy(false);
  };
  const unserved = plan.unserved ?? [];
  const routes = (plan.routes ?? []).filter((route) => route.stops?.length);
  return (
    <div class="plan-panel">
      <p class="plan-note">{t("plan_ready")}</p>
      <Summary plan={plan} />
      <div class="plan-choice">
        <button type="button" class="primary" id="plan-apply" disabled={busy} onClick={() => void run(applyDraft)}>
          {t("plan_apply")}
        </button>
        <button type="button" id="plan-drop" disabled={busy} onClick={() => void run(dropDraft)}>
          {t("plan_drop")}
        </button>
      </div>
      <h3>{t("plan_why")}</h3>
      {unserved.length === 0 ? (
        <p class="fine">{t("none_unserved")}</p>
      ) : (
        <ul class="whys">
          {unserved.map((one, index) => (
            <Why key={one.request_id ?? index} one={one} />
          ))}
        </ul>
      )}
      <h3>{t("plan_routes")}</h3>
      <ul class="couriers">
        {routes.map((route) => (
          <DraftRoute key={route.courier_id} route={route} />
        ))}
      </ul>
    </div>
  );
}

/** The veil over the map while the planner works. */
export function PlanVeil() {
  const state = planning.value;
  if (!state) return null;
  const percent = Math.round(Math.min(1, Math.max(0, state.progress)) * 100);
  return (
    <div class="veil" role="status">
      <p>{state.queued ? t("plan_queued") : t("planning", { percent })}</p>
      <progress max={100} value={percent} />
    </div>
  );
}

/** Says that an older draft waits, so that none is forgotten. */
export function DraftHint() {
  const waiting = (board.value?.plans ?? []).find((one) => one.status === "draft");
  if (!waiting || draft.value || planning.value) return null;
  return (
    <div class="draft-hint">
      <span>{t("plan_pending", { at: clockText(waiting.created_at) })}</span>
      <button type="button" onClick={() => void openDraft(waiting.id)}>
        {t("plan_open")}
      </button>
    </div>
  );
}
