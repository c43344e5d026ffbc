/** The right pane: couriers with their runs, the alerts, and the draft plan while there is one. */
import { distance, slackText, urgency } from "../shared/format.ts";
import { lang, say } from "../shared/i18n.ts";
import { clockText } from "../shared/time.ts";
import { Badge, PositionChip, lineClass } from "./chips.tsx";
import { DraftHint, PlanPanel } from "./plan_panel.tsx";
import { board, courierColour, draft, litCourier, minutesPassed, rightTab, selectedId } from "./state.ts";
import type { Alert, Courier, Route } from "./types.ts";
import { StopLine } from "./stop_line.tsx";
import { t, type Word } from "./words.ts";

function LoadBar({ courier }: { courier: Courier }) {
  const load = courier.load ?? 0;
  const max = courier.capacity_items;
  const share = max ? Math.min(100, (load / max) * 100) : 0;
  return (
    <span class="load">
      <span class="load-bar" aria-hidden="true">
        <i class={share >= 100 ? "is-full" : ""} style={{ width: `${share}%` }} />
      </span>
      {max ? t("load", { n: load, max }) : t("load_plain", { n: load })}
    </span>
  );
}

function CourierCard({ courier, route }: { courier: Courier; route: Route | undefined }) {
  const open = litCourier.value === courier.id;
  const given = courier.worst_slack_minutes;
  const worst = given == null ? null : given - minutesPassed.value;
  const shift = courier.shift;
  const stops = route?.stops ?? [];
  return (
    <li class={`courier ${lineClass(courierColour(courier))} ${open ? "is-open" : ""}`}>
      <button
        type="button"
        class="courier-head"
        aria-expanded={open}
        onClick={() => (litCourier.value = open ? null : courier.id)}
      >
        <Badge courier={courier} />
        <span class="courier-name">{courier.name || courier.id}</span>
        {worst !== null && <span class={`slack slack-${urgency(worst)}`}>{slackText(worst, lang.value)}</span>}
        <span class="courier-facts">
          <LoadBar courier={courier} />
          <span>{t("stops_left", { n: courier.stops_left ?? stops.length })}</span>
          {courier.next_stop_at && <span>{t("next_at", { at: clockText(courier.next_stop_at) })}</span>}
        </span>
        <span class="courier-facts">
          <span>
            {shift ? t("shift", { from: clockText(shift.starts_at), to: clockText(shift.ends_at) }) : t("off_shift")}
          </span>
          {route?.distance_m != null && <span>{distance(route.distance_m, lang.value)}</span>}
          <PositionChip courier={courier} />
        </span>
      </button>
      {open && (
        <ol class="stops">
          {stops.map((stop, index) => (
            <StopLine key={stop.stop_id} stop={stop} index={index} />
          ))}
          {stops.length === 0 && <li class="empty">{t("route_empty")}</li>}
        </ol>
      )}
    </li>
  );
}

function CourierList() {
  const couriers = board.value?.couriers ?? [];
  const routes = new Map((board.value?.routes ?? []).map((route) => [route.courier_id, route]));
  if (board.value && couriers.length === 0) return <p class="empty">{t("couriers_empty")}</p>;
  return (
    <ul class="couriers">
      {couriers.map((one) => (
        <CourierCard key={one.id} courier={one} route={routes.get(one.id)} />
      ))}
    </ul>
  );
}

const SEVERITY: Record<string, Word> = { high: "severity_high", medium: "severity_medium", low: "severity_low" };

function AlertLine({ alert }: { alert: Alert }) {
  const target = alert.request_id ?? null;
  const open = () => {
    if (target) selectedId.value = target;
    else if (alert.courier_id) {
      litCourier.value = alert.courier_id;
      rightTab.value = "couriers";
    }
  };
  return (
    <li class={`alert alert-${alert.severity ?? "low"}`}>
      <button type="button" disabled={!target && !alert.courier_id} onClick={open}>
        <b>{t(SEVERITY[alert.severity ?? ""] ?? "severity_low")}</b>
        <span>{say(alert.text) || alert.code}</span>
        <time>{clockText(alert.at)}</time>
      </button>
    </li>
  );
}

export function RightPane() {
  const alerts = board.value?.alerts ?? [];
  const urgent = alerts.filter((one) => one.severity === "high").length;
  const tab = rightTab.value === "plan" && !draft.value ? "couriers" : rightTab.value;
  const tabs = [
    ["couriers", t("tab_couriers"), board.value?.couriers?.length ?? 0],
    ["alerts", t("tab_alerts"), alerts.length],
    ...(draft.value ? ([["plan", t("tab_plan"), ""]] as const) : []),
  ] as const;
  return (
    <aside class="pane right">
      <DraftHint />
      <div class="tabs" role="tablist">
        {tabs.map(([key, text, count]) => (
          <button
            type="button"
            role="tab"
            key={key}
            id={`tab-${key}`}
            aria-selected={tab === key}
            onClick={() => (rightTab.value = key)}
          >
            {text} {count !== "" && <i class={key === "alerts" && urgent ? "is-urgent" : ""}>{count}</i>}
          </button>
        ))}
      </div>
      <div class="tab-body" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "couriers" && <CourierList />}
        {tab === "plan" && <PlanPanel />}
        {tab === "alerts" &&
          (alerts.length === 0 ? (
            <p class="empty">{t("alerts_empty")}</p>
          ) : (
            <ul class="alerts">
              {alerts.map((one, index) => (
                <AlertLine key={`${one.code}${one.request_id}${one.at}${index}`} alert={one} />
              ))}
            </ul>
          ))}
      </div>
    </aside>
  );
}
