/** The form that completes a stop: what was checked, who received, what was paid, who signed. */
import { useEffect, useState } from "preact/hooks";
import { reasonText } from "../shared/api.ts";
import { money } from "../shared/format.ts";
import { Bang } from "../shared/icons.tsx";
import { complete, formOf, keepForm, suggestedReceipt, type Form } from "./finish.ts";
import { deed, Papers, title } from "./parts.tsx";
import { due, goodEnd, lacks, type View } from "./queue.ts";
import { isSigned, SignatureField } from "./signature.tsx";
import { goTo, tell } from "./state.ts";
import { BackLine } from "./stop.tsx";
import { Strip } from "./strip.tsx";
import type { Task } from "./types.ts";
import { t } from "./words.ts";

type Change = (part: Partial<Form>) => void;
interface Part {
  view: View;
  form: Form;
  change: Change;
}

function Check({ on, text, onChange }: { on: boolean; text: string; onChange: (on: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{text}</span>
    </label>
  );
}

function Field({
  id,
  text,
  value,
  onInput,
  numeric,
}: {
  id: string;
  text: string;
  value: string;
  onInput: (value: string) => void;
  numeric?: boolean;
}) {
  return (
    <div class="field">
      <label for={id}>{text}</label>
      <input
        id={id}
        value={value}
        autocomplete="off"
        inputMode={numeric ? "numeric" : "text"}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}

function Which({ view, form, change }: Part) {
  if (view.open.length < 2) return null;
  const flip = (id: string, on: boolean) =>
    change({ requestIds: on ? [...form.requestIds, id] : form.requestIds.filter((one) => one !== id) });
  return (
    <section class="block">
      <h2>
        {t("proof_requests")}{" "}
        <span class="fine">
          {form.requestIds.length}/{view.open.length}
        </span>
      </h2>
      {view.open.map((task) => (
        <Check
          key={task.id}
          on={form.requestIds.includes(task.id)}
          onChange={(on) => flip(task.id, on)}
          text={[task.contact?.name, task.external_ref ?? task.item_id].filter(Boolean).join(" · ") || task.id}
        />
      ))}
      <p class="fine">{t("proof_requests_hint")}</p>
    </section>
  );
}

function Collecting({ view, form, change }: Part) {
  const papers = view.open.filter((task) => form.requestIds.includes(task.id)).flatMap((task) => task.documents ?? []);
  return (
    <section class="block">
      <h2>{t("papers")}</h2>
      <Papers papers={papers} />
      <Check on={form.papersChecked} text={t("papers_checked")} onChange={(on) => change({ papersChecked: on })} />
      <Check on={form.slipSigned} text={t("slip_signed")} onChange={(on) => change({ slipSigned: on })} />
    </section>
  );
}

function Safety({ form, change }: Pick<Part, "form" | "change">) {
  const items = Object.keys(form.safety);
  if (items.length === 0) return null;
  return (
    <section class="block">
      <h2>{t("safety")}</h2>
      {items.map((item) => (
        <Check
          key={item}
          on={form.safety[item] ?? false}
          text={item === "mask" ? t("safety_mask") : item === "sanitiser" ? t("safety_sanitiser") : item}
          onChange={(on) => change({ safety: { ...form.safety, [item]: on } })}
        />
      ))}
    </section>
  );
}

function HandingOver({ form, change }: Part) {
  return (
    <section class="block">
      <Field id="record" text={t("record_no")} value={form.recordNo} onInput={(recordNo) => change({ recordNo })} />
      <Field
        id="officer"
        text={t("officer_id")}
        value={form.officerId}
        onInput={(officerId) => change({ officerId })}
      />
    </section>
  );
}

function Delivering({ view, form, change }: Part) {
  const own = view.open.find((task) => task.contact?.name)?.contact?.name ?? "";
  const who = (relation: string) =>
    change({ relation, recipientName: relation === "SELF" ? own : form.relation === "SELF" ? "" : form.recipientName });
  return (
    <section class="block">
      <h2>{t("recipient")}</h2>
      <div class="segmented wide" role="group" aria-label={t("recipient")}>
        {(["SELF", "PROXY"] as const).map((one) => (
          <button type="button" key={one} aria-pressed={form.relation === one} onClick={() => who(one)}>
            {t(one === "SELF" ? "self" : "proxy")}
          </button>
        ))}
      </div>
      <Field
        id="name"
        text={t("recipient_name")}
        value={form.recipientName}
        onInput={(recipientName) => change({ recipientName })}
      />
      <div class="pair">
        <div class="field">
          <label for="id-type">{t("id_type")}</label>
          <select id="id-type" value={form.idType} onChange={(event) => change({ idType: event.currentTarget.value })}>
            <option value="CCCD">{t("id_cccd")}</option>
            <option value="PASSPORT">{t("id_passport")}</option>
            <option value="OTHER">{t("id_other")}</option>
          </select>
        </div>
        <Field
          id="last4"
          text={t("last4")}
          numeric
          value={form.last4}
          onInput={(text) => change({ last4: text.replace(/\s/g, "").slice(-4) })}
        />
      </div>
      <p class="fine">{t("last4_hint")}</p>
    </section>
  );
}

function Cash({ form, change, paying }: Part & { paying: Task[] }) {
  if (paying.length === 0) return null;
  return (
    <section class="block">
      <h2>{t("cash")}</h2>
      {paying.map((task) => (
        <div key={task.id}>
          <p class="sum">
            {t((task.money?.state_fee ?? 0) > 0 ? "cash_line" : "cash_postage", {
              total: money(due(task.money)),
              postage: money(task.money?.postage ?? 0),
              fee: money(task.money?.state_fee ?? 0),
            })}
          </p>
          {paying.length > 1 && <p class="fine">{task.contact?.name ?? task.external_ref}</p>}
          <Field
            id={`receipt-${task.id}`}
            text={t((task.money?.state_fee ?? 0) > 0 ? "receipt_no" : "receipt_free")}
            value={form.receipts[task.id] ?? ""}
            onInput={(value) => change({ receipts: { ...form.receipts, [task.id]: value } })}
          />
        </div>
      ))}
    </section>
  );
}

export function ProofScreen({ view }: { view: View }) {
  const { stop } = view;
  const [form, setForm] = useState<Form>(() => formOf(view));
  const [busy, setBusy] = useState(false);
  const type = goodEnd(stop);
  const paying = view.open.filter((task) => form.requestIds.includes(task.id) && due(task.money) > 0);
  const change: Change = (part) => setForm((old) => ({ ...old, ...part }));
  useEffect(() => keepForm(stop.stop_id, form), [form]);
  useEffect(() => {
    const first = paying[0];
    if (!first || form.receipts[first.id]) return;
    void suggestedReceipt().then(
      (text) => text && change({ receipts: { [first.id]: text } }),
      () => undefined,
    );
  }, []);
  const missing = lacks(type, { ...form, signed: isSigned(form.strokes) }, view.open);
  const finish = async () => {
    setBusy(true);
    try {
      await complete(view, form);
      tell(t("recorded"));
      goTo("run");
    } catch (failure) {
      tell(t("failed_to_keep", { text: reasonText(failure) }));
      setBusy(false);
    }
  };
  const part = { view, form, change };
  const signer =
    type === "collected" && stop.place?.at !== "shop"
      ? "signature_citizen"
      : type === "delivered"
        ? "signature_recipient"
        : "signature_officer";
  return (
    <>
      <Strip />
      <main class="page has-form">
        <BackLine text={`${deed(stop)} · ${title(stop)}`} to={() => goTo("stop", stop.stop_id)} />
        <Which {...part} />
        <Safety {...part} />
        {type === "collected" && <Collecting {...part} />}
        {type === "handed_over" && <HandingOver {...part} />}
        {type === "delivered" && <Delivering {...part} />}
        <Cash {...part} paying={paying} />
        <section class="block">
          <SignatureField label={t(signer)} strokes={form.strokes} onChange={(strokes) => change({ strokes })} />
        </section>
      </main>
      <nav class="bar bar-proof">
        {missing.length > 0 && (
          <p id="missing" class="missing">
            {t("missing", { list: missing.map((key) => t(`lack_${key}`)).join(", ") })}
          </p>
        )}
        <button type="button" class="act trouble" onClick={() => goTo("trouble", stop.stop_id)}>
          <Bang size={18} />
          {t("trouble")}
        </button>
        <button
          type="button"
          class="primary act"
          aria-describedby="missing"
          disabled={busy || missing.length > 0}
          onClick={() => void finish()}
        >
          {t("done")}
        </button>
      </nav>
    </>
  );
}
