/** The board's calls, with the headers every one of them needs. */
import { callBlob, callJson, type Answer, type Call } from "../shared/api.ts";
import { uuid7 } from "../shared/uuid.ts";
import { province, world } from "./state.ts";
import type { Board, HistoryEvent, Operation, Plan, RequestDetail } from "./types.ts";

function headers(more: Record<string, string> = {}): Record<string, string> {
  return { "Dispatch-Board": "1", "Dispatch-Mode": world.value, ...more };
}

function get<T>(url: string, more?: Record<string, string>): Promise<Answer<T>> {
  return callJson<T>(url, { headers: headers(more) });
}

function post<T>(url: string, body: unknown, more?: Record<string, string>): Promise<Answer<T>> {
  const call: Call = { method: "POST", body, headers: headers({ "Idempotency-Key": uuid7(), ...more }) };
  return callJson<T>(url, call);
}

const one = (id: string) => `/v1/requests/${encodeURIComponent(id)}`;
const plan = (id: string) => `/v1/plans/${encodeURIComponent(id)}`;

/** The whole board; 304 when `etag` still stands. */
export function fetchBoard(etag: string | null): Promise<Answer<Board>> {
  const query = province.value ? `?province=${encodeURIComponent(province.value)}` : "";
  return get<Board>(`/v1/board${query}`, etag ? { "If-None-Match": etag } : {});
}

export const fetchRequest = (id: string) => get<RequestDetail>(one(id));

/** History of one request, oldest first; the server may answer a list or a page. */
export async function fetchHistory(id: string): Promise<HistoryEvent[]> {
  const { data } = await get<HistoryEvent[] | { data?: HistoryEvent[] | null }>(`${one(id)}/events`);
  return Array.isArray(data) ? data : (data?.data ?? []);
}

export const assign = (id: string, courierId: string) =>
  post<RequestDetail>(`${one(id)}/assign`, { courier_id: courierId, lock: true });
export const unassign = (id: string) => post<RequestDetail>(`${one(id)}/unassign`, {});

export const startPlan = (provinceCode: string, date: string) =>
  post<Operation>("/v1/plans", { province_code: provinceCode, date, mode: "replan", seconds: 5 });
export const fetchOperation = (url: string) => get<Operation>(url);
export const fetchPlan = (id: string) => get<Plan>(plan(id));
export const commitPlan = (id: string, etag: string) => post<Plan>(`${plan(id)}/commit`, {}, { "If-Match": etag });
export const discardPlan = (id: string) => post<Plan>(`${plan(id)}/discard`, {});

/** A label's bytes: fetched, not linked, because a plain link cannot carry the board's headers. */
export const fetchLabel = (url: string) => callBlob(url, { headers: headers(), timeoutMs: 30_000 });
