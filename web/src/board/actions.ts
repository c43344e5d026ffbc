/** What the coordinator does: plan, apply, discard, assign. Each tells its outcome in words and asks for fresh data. */
import { ApiError, reasonText } from "../shared/api.ts";
import * as calls from "./calls.ts";
import { refresh } from "./poll.ts";
import { board, draft, planning, rightTab, selectedId, tell, world } from "./state.ts";
import type { Operation, Violation } from "./types.ts";
import { t } from "./words.ts";

const POLL_MS = 700;
const GIVE_UP_MS = 180_000;

let draftEtag: string | null = null;

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

function failureText(operation: Operation): string {
  const error = operation.error;
  return (typeof error === "string" ? error : error?.message || error?.detail || error?.code) || operation.status || "";
}

/** Waits for a planning operation and gives its plan id; throws with words otherwise. */
async function finished(url: string, stillWanted: () => boolean): Promise<string | null> {
  const start = Date.now();
  while (stillWanted()) {
    const { data } = await calls.fetchOperation(url);
    if (data?.status === "succeeded") return data.result?.plan_id ?? null;
    if (data?.status === "failed" || data?.status === "cancelled") throw new Error(failureText(data));
    if (Date.now() - start > GIVE_UP_MS) throw new Error(t("plan_slow"));
    planning.value = { progress: data?.progress ?? 0, queued: data?.status === "queued" };
    await pause(POLL_MS);
  }
  return null;
}

/** Shows one draft in the plan tab. */
export async function openDraft(id: string): Promise<void> {
  try {
    const answer = await calls.fetchPlan(id);
    draftEtag = answer.etag ?? `"${answer.data?.version ?? ""}"`;
    draft.value = answer.data;
    rightTab.value = "plan";
  } catch (failure) {
    tell(t("plan_failed", { text: reasonText(failure) }), true);
  }
}

/** Asks for a draft plan of one province and shows it; live routes stay as they are. */
export async function makePlan(provinceCode: string): Promise<void> {
  if (planning.value) return;
  const inWorld = world.value;
  const wanted = () => world.value === inWorld && planning.value !== null;
  planning.value = { progress: 0, queued: true };
  try {
    const date = board.value?.date ?? "";
    const answer = await calls.startPlan(provinceCode, date);
    const url = answer.headers.get("Location") || `/v1/operations/${answer.data?.id ?? ""}`;
    const planId = await finished(url, wanted);
    if (planId && wanted()) await openDraft(planId);
  } catch (failure) {
    tell(t("plan_failed", { text: reasonText(failure) }), true);
  } finally {
    planning.value = null;
    refresh();
  }
}

function closeDraft(): void {
  draft.value = null;
  draftEtag = null;
  rightTab.value = "couriers";
  refresh();
}

/** Makes the draft the plan in force. */
export async function applyDraft(): Promise<void> {
  const plan = draft.value;
  if (!plan) return;
  try {
    await calls.commitPlan(plan.id, draftEtag ?? `"${plan.version ?? ""}"`);
    tell(t("plan_applied"));
    closeDraft();
  } catch (failure) {
    const stale = failure instanceof ApiError && (failure.status === 412 || failure.code === "plan_base_changed");
    tell(stale ? t("plan_stale") : t("plan_failed", { text: reasonText(failure) }), true);
  }
}

/** Throws the draft away; nothing else changes. */
export async function dropDraft(): Promise<void> {
  const plan = draft.value;
  if (!plan) return;
  try {
    await calls.discardPlan(plan.id);
    tell(t("plan_dropped"));
  } catch (failure) {
    if (!(failure instanceof ApiError && (failure.status === 404 || failure.status === 409))) {
      tell(reasonText(failure), true);
      return;
    }
  }
  closeDraft();
}

/** Gives a request to a courier by hand; answers with what that breaks, null when refused. */
export async function assignTo(requestId: string, courierId: string, courierName: string): Promise<Violation[] | null> {
  try {
    const { data } = await calls.assign(requestId, courierId);
    tell(t("assigned_ok", { name: courierName }));
    refresh();
    return data?.violations ?? [];
  } catch (failure) {
    tell(reasonText(failure), true);
    return null;
  }
}

/** Takes a request back from its courier. */
export async function takeBack(requestId: string): Promise<void> {
  try {
    await calls.unassign(requestId);
    tell(t("unassigned_ok"));
    refresh();
  } catch (failure) {
    tell(reasonText(failure), true);
  }
}

/** Hands the label to the reader as a file. */
export async function saveLabel(url: string, name: string): Promise<void> {
  try {
    const blob = await calls.fetchLabel(url);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (failure) {
    tell(reasonText(failure), true);
  }
}

/** Selects a request, or lets go of it when it is the one selected. */
export function toggle(id: string): void {
  selectedId.value = selectedId.value === id ? null : id;
}
