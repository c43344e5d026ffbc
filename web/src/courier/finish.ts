/** Completes or fails a stop: makes the events and pictures of one moment, in the order they happened. */
import { nextReceipt } from "../shared/format.ts";
import * as db from "./db.ts";
import { badEnd, due, goodEnd, payloadOf, type Proof, type View } from "./queue.ts";
import { picture, record, type Happening } from "./record.ts";
import { signaturePng, type Strokes } from "./signature.tsx";

/** A half-filled form; kept per stop while the page lives, so that turning back loses nothing. */
export interface Form extends Omit<Proof, "signed"> {
  strokes: Strokes;
}

const forms = new Map<string, Form>();

/** The form of a stop as it was left, or a fresh one. */
export function formOf(view: View): Form {
  const kept = forms.get(view.stop.stop_id);
  const open = new Set(view.open.map((task) => task.id));
  if (kept) return { ...kept, requestIds: kept.requestIds.filter((id) => open.has(id)) };
  const name = view.open.find((task) => task.contact?.name)?.contact?.name ?? "";
  return {
    requestIds: [...open],
    papersChecked: false,
    slipSigned: false,
    recordNo: "",
    officerId: "",
    relation: "SELF",
    recipientName: name,
    idType: "CCCD",
    last4: "",
    receipts: {},
    safety: Object.fromEntries((view.stop.safety_checklist ?? []).map((item) => [item, false])),
    strokes: [],
  };
}

/** Keeps a form as it stands. */
export function keepForm(stopId: string, form: Form): void {
  forms.set(stopId, form);
}

/** The receipt number after the last one used on this phone; empty the first time. */
export async function suggestedReceipt(): Promise<string> {
  return nextReceipt(await db.recall<string>("receipt"));
}

/** Records that the stop was completed as the form says. */
export async function complete(view: View, form: Form): Promise<void> {
  const { stop } = view;
  const type = goodEnd(stop);
  const signature = await picture(await signaturePng(form.strokes));
  const happenings: Happening[] = [];
  let lastReceipt = "";
  for (const task of view.open) {
    if (!form.requestIds.includes(task.id) || due(task.money) <= 0) continue;
    lastReceipt = form.receipts[task.id]?.trim() ?? "";
    const payload = {
      postage: task.money?.postage ?? 0,
      state_fee: task.money?.state_fee ?? 0,
      receipt_no: lastReceipt || null,
    };
    happenings.push({ type: "cash_taken", stopId: stop.stop_id, requestIds: [task.id], payload });
  }
  const payload = payloadOf(type, { ...form, signed: true }, signature.sha256);
  happenings.push({ type, stopId: stop.stop_id, requestIds: form.requestIds, payload, media: [signature.sha256] });
  await record(happenings, [signature]);
  forms.delete(stop.stop_id);
  if (lastReceipt) await db.remember("receipt", lastReceipt);
}

/** Records that the stop failed, with its reason and, where taken, a photo. */
export async function fail(view: View, reason: string, photo: Blob | null): Promise<void> {
  const type = badEnd(view.stop);
  if (!type) return;
  const proof = photo ? [await picture(photo)] : [];
  const names = proof.map((one) => one.sha256);
  const payload = type === "handover_refused" ? { reason } : { reason, proof: names };
  await record(
    [{ type, stopId: view.stop.stop_id, requestIds: view.open.map((task) => task.id), payload, media: names }],
    proof,
  );
  forms.delete(view.stop.stop_id);
}
