/** Everything about the selected request, and what can be done with it by hand. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { reasonText } from "../shared/api.ts";
import { fold, money } from "../shared/format.ts";
import { say } from "../shared/i18n.ts";
import { Cross } from "../shared/icons.tsx";
import { eventText, lineText, reasonWord, statusText, warningText } from "../shared/statuses.ts";
import { dateText, momentText } from "../shared/time.ts";
import { assignTo, saveLabel, takeBack } from "./actions.ts";
import { fetchHistory, fetchRequest } from "./calls.ts";
import { Badge, KindChip, PointChip, RequestSlack } from "./chips.tsx";
import { assignable } from "./select.ts";
import { board, couriersById, selected, selectedId, worldNow } from "./state.ts";
import type { BoardRequest, HistoryEvent, Line, PromiseLine, RequestDetail, Violation } from "./types.ts";
import { t, type Word } from "./words.ts";

const PAYERS: Record<string, Word> = {
  citizen: "payer_citizen",
  post: "payer_post",
  province: "payer_province",
  undecided: "payer_undecided",
};

function Fact({ name, value, note }: { name: string; value: string | null | undefined; note?: ComponentChildren }) {
  return value && value !== "–" ? (
    <div>
      <dt>{name}</dt>
      <dd>
        {value} {note}
      </dd>
    </div>
  ) : null;
}

function PromiseFacts({ request, line, now }: { request: BoardRequest; line: PromiseLine | null; now: number }) {
  const binding = line?.binding ?? request.binding;
  const due = momentText(request.due_at ?? line?.due_at, now);
  const strict = momentText(request.due_at_strict ?? line?.due_at_strict, now);
  const rule = [line?.rule_id, binding == null ? null : t(binding ? "binding" : "own_promise")]
    .filter(Boolean)
    .join(" · ");
  return (
    <section>
      <h3>{t("promise")}</h3>
      <dl class="facts">
        <Fact name={t("due")} value={due} />
        {strict !== due && <Fact name={t("due_strict")} value={strict} />}
        <Fact
          name={t("planned")}
          value={request.planned_at ? `${momentText(request.planned_at, now)} (${t("estimated")})` : null}
        />
        <Fact name={t("clock_started")} value={momentText(line?.clock_started_at, now)} />
        <Fact name={t("stopped")} value={momentText(line?.stopped_at, now)} />
        <Fact name={t("expected_on")} value={line?.delivery_due_on ? null : dateText(line?.delivery_expected_on)} />
        <Fact name={t("delivery_due")} value={dateText(line?.delivery_due_on)} />
        <Fact name={t("rule")} value={rule} />
      </dl>
      {line?.met != null && <p class="fine">{t(line.met ? "met" : "not_met")}</p>}
      {request.late_reason && <p class="reason">{say(request.late_reason)}</p>}
    </section>
  );
}

function PriceLine({ line }: { line: Line }) {
  const basis = [line.basis?.doc_no, line.basis?.clause].filter(Boolean).join(", ");
  return (
    <tr>
      <td>
        {lineText(line.code)}
        <small>
          {[PAYERS[line.payer ?? ""] ? t(PAYERS[line.payer ?? ""]!) : null, basis].filter(Boolean).join(" · ")}
        </small>
      </td>
      <td class="num">{money(line.amount)}</td>
    </tr>
  );
}

function Price({ request, detail }: { request: BoardRequest; detail: RequestDetail | null }) {
  const lines = detail?.quote?.lines ?? [];
  return (
    <section>
      <h3>{t("price")}</h3>
      <table class="price">
        <tbody>
          {lines.map((line, index) => (
            <PriceLine key={`${line.code}${index}`} line={line} />
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t("payable")}</th>
            <td class="num">{money(detail?.quote?.payable_by_citizen ?? request.payable)}</td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
}

function History({ id, now, version }: { id: string; now: number; version: unknown }) {
  const [events, setEvents] = useState<HistoryEvent[] | null>(null);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    let wanted = true;
    fetchHistory(id).then(
      (list) => wanted && (setEvents(list), setFailure("")),
      (why) => wanted && setFailure(reasonText(why)),
    );
    return () => {
      wanted = false;
    };
  }, [id, version]);
  return (
    <section>
      <h3>{t("history")}</h3>
      {failure && <p class="reason">{failure}</p>}
      {!events && !failure && <p class="fine">{t("loading")}</p>}
      {events?.length === 0 && <p class="fine">{t("history_empty")}</p>}
      <ol class="history">
        {(events ?? []).map((one, index) => (
          <li key={one.id ?? index}>
            <time>{momentText(one.occurred_at ?? one.recorded_at, now)}</time> {eventText(one.type)}
            {one.courier_id && ` · ${couriersById.value.get(one.courier_id)?.name ?? one.courier_id}`}
            {one.reason && ` – ${reasonWord(one.reason)}`}
            {one.implied && <small> ({t("implied")})</small>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Assign({ request }: { request: BoardRequest }) {
  const [choice, setChoice] = useState("");
  const [busy, setBusy] = useState(false);
  const [caused, setCaused] = useState<Violation[]>([]);
  const courier = request.courier_id ? couriersById.value.get(request.courier_id) : null;
  if (!assignable(request)) return <p class="fine assign">{t("not_assignable")}</p>;
  const others = [...(board.value?.couriers ?? [])].sort((a, b) => fold(a.name).localeCompare(fold(b.name)));
  const run = async (work: () => Promise<Violation[] | null | void>) => {
    setBusy(true);
    setCaused((await work()) ?? []);
    setChoice("");
    setBusy(false);
  };
  return (
    <section class="assign">
      <label for="assign">{t("assign_to")}</label>
      <div class="assign-line">
        <select id="assign" value={choice} disabled={busy} onChange={(event) => setChoice(event.currentTarget.value)}>
          <option value="">{courier ? courier.name : t("choose_courier")}</option>
          {others
            .filter((one) => one.id !== request.courier_id)
            .map((one) => (
              <option key={one.id} value={one.id}>
                {one.name ?? one.id} · {t("stops_left", { n: one.stops_left ?? 0 })}
              </option>
            ))}
        </select>
        <button
          type="button"
          class="primary"
          disabled={!choice || busy}
          onClick={() => void run(() => assignTo(request.id, choice, couriersById.value.get(choice)?.name ?? choice))}
        >
          {t("assign")}
        </button>
        {request.courier_id && (
          <button type="button" disabled={busy} onClick={() => void run(() => takeBack(request.id))}>
            {t("unassign")}
          </button>
        )}
      </div>
      {caused.length > 0 && (
        <div class="reason" role="alert">
          {t("violations")}
          <ul>
            {caused.map((one, index) => (
              <li key={one.code ?? index}>{say(one.text) || one.code}</li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function Body({ request, gone }: { request: BoardRequest; gone: boolean }) {
  const [detail, setDetail] = useState<RequestDetail | null>(null);
  const now = worldNow.value ?? Date.now();
  useEffect(() => {
    let wanted = true;
    // The board's own figures stay on screen when this fails.
    fetchRequest(request.id).then(
      (answer) => wanted && setDetail(answer.data),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [request.id, request.version]);
  const line = detail?.promise?.find((one) => one.leg === request.leg) ?? detail?.promise?.[0] ?? null;
  const courier = request.courier_id ? couriersById.value.get(request.courier_id) : null;
  const warnings = request.warnings ?? [];
  const address = detail?.citizen?.address?.raw;
  return (
    <div class="drawer-body">
      {gone && <p class="reason">{t("gone")}</p>}
      <div class="drawer-state">
        <KindChip request={request} />
        <span class="tag">{statusText(request.status)}</span>
        <RequestSlack request={request} />
        {courier && (
          <span class="row-courier">
            <Badge courier={courier} />
            {courier.name}
          </span>
        )}
      </div>
      <Assign request={request} />
      <dl class="facts">
        <Fact
          name={t("citizen")}
          value={[detail?.citizen?.name ?? request.citizen_name, detail?.citizen?.phone].filter(Boolean).join(" · ")}
        />
        <Fact name={t("shop")} value={request.shop_name} />
        <Fact
          name={t("place_to_go")}
          value={request.place?.name}
          note={<PointChip precision={request.place?.precision} />}
        />
        {address !== request.place?.name && <Fact name={t("citizen_address")} value={address} />}
        <Fact name={t("ref")} value={request.external_ref} />
      </dl>
      {warnings.length > 0 && (
        <ul class="warnings" aria-label={t("warnings")}>
          {warnings.map((one, index) => (
            <li key={index}>{typeof one === "string" ? warningText(one) : say(one)}</li>
          ))}
        </ul>
      )}
      <PromiseFacts request={request} line={line} now={now} />
      <Price request={request} detail={detail} />
      <History id={request.id} now={now} version={request.version} />
    </div>
  );
}

export function Drawer() {
  const now = selected.value;
  if (!now) return null;
  const { request, gone } = now;
  const name = request.item_id || request.external_ref || request.id;
  return (
    <aside class="drawer" aria-label={t("drawer")}>
      <header>
        <h2>{name}</h2>
        <button
          type="button"
          class="icon"
          aria-label={t("close")}
          title="Esc"
          onClick={() => (selectedId.value = null)}
        >
          <Cross />
        </button>
      </header>
      <Body key={request.id} request={request} gone={gone} />
      <footer>
        {request.label_url && (
          <button type="button" onClick={() => void saveLabel(request.label_url ?? "", `${name}.pdf`)}>
            {t("label")}
          </button>
        )}
        {request.tracking_url && (
          <a class="button" href={request.tracking_url} target="_blank" rel="noopener">
            {t("tracking")}
          </a>
        )}
      </footer>
    </aside>
  );
}
