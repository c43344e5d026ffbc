/** Calls to the server: JSON in and out, RFC 9457 problems as one error type, a limit on every wait. */
import { lang } from "./i18n.ts";

/** What the server (or the network) refused, in words for the reader. */
export class ApiError extends Error {
  /** HTTP status; 0 when the server was not reached. */
  readonly status: number;
  /** The problem's `code`, or `network` / `timeout`. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }

  /** True when nothing reached the server, so that trying again can help. */
  get offline(): boolean {
    return this.status === 0;
  }
}

export interface Call {
  method?: "GET" | "POST" | "PUT";
  body?: unknown;
  raw?: Blob;
  headers?: Record<string, string>;
  timeoutMs?: number;
  /** True to leave the page's cookies at home, for callers that carry their own key. */
  withoutCookies?: boolean;
}

export interface Answer<T> {
  status: number;
  /** Null on 304 and on empty bodies. */
  data: T | null;
  etag: string | null;
  headers: Headers;
}

/** One sentence for the reader about any failure. */
export function reasonText(failure: unknown): string {
  if (failure instanceof Error && failure.message) return failure.message;
  return String(failure);
}

async function problem(response: Response): Promise<ApiError> {
  let body: { code?: string; detail?: string; title?: string; errors?: { pointer?: string; message?: string }[] } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    // A proxy may answer in HTML; the status alone must then do.
  }
  const first = body?.errors?.[0];
  const where = first?.message ? ` (${[first.pointer, first.message].filter(Boolean).join(": ")})` : "";
  const words = body?.detail || body?.title || `HTTP ${response.status}`;
  return new ApiError(response.status, body?.code || `http_${response.status}`, words + where);
}

async function exchange<T>(url: string, call: Call, read: (response: Response) => Promise<T>): Promise<T> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": lang.value,
    ...call.headers,
  };
  let body: BodyInit | null = call.raw ?? null;
  if (!body && call.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(call.body);
  }
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), call.timeoutMs ?? 15_000);
  try {
    const response = await fetch(url, {
      method: call.method ?? "GET",
      headers,
      body,
      credentials: call.withoutCookies ? "omit" : "same-origin",
      cache: "no-store",
      signal: stop.signal,
    });
    if (!response.ok && response.status !== 304) throw await problem(response);
    return await read(response);
  } catch (failure) {
    if (failure instanceof ApiError) throw failure;
    const words = lang.value === "vi" ? "Không kết nối được máy chủ" : "The server could not be reached";
    throw new ApiError(0, stop.signal.aborted ? "timeout" : "network", words);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends one call and reads its JSON; throws ApiError on anything but 2xx and 304. */
export function callJson<T>(url: string, call: Call = {}): Promise<Answer<T>> {
  return exchange(url, call, async (response) => {
    const text = response.status === 304 ? "" : await response.text();
    let data: T | null = null;
    if (text) {
      try {
        data = JSON.parse(text) as T;
      } catch {
        throw new ApiError(response.status, "unreadable_answer", `HTTP ${response.status}`);
      }
    }
    return { status: response.status, data, etag: response.headers.get("ETag"), headers: response.headers };
  });
}

/** Sends one call and reads its bytes (a label, a report). */
export function callBlob(url: string, call: Call = {}): Promise<Blob> {
  return exchange(url, { ...call, headers: { Accept: "*/*", ...call.headers } }, (response) => response.blob());
}
