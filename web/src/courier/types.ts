/** The day pack, the events a phone makes, and what the server says of them. Any field may be missing. */
import type { Said } from "../shared/i18n.ts";

export interface Session {
  token: string;
  courier_id: string;
  name?: string | null;
  mode?: "live" | "test" | null;
}

export interface Money {
  postage?: number | null;
  state_fee?: number | null;
}

export interface Paper {
  request_id?: string | null;
  name?: string | null;
  copies?: number | null;
  original?: boolean | null;
}

export interface Task {
  id: string;
  item_id?: string | null;
  leg?: string | null;
  external_ref?: string | null;
  dossier_code?: string | null;
  contact?: { name?: string | null; phone?: string | null } | null;
  due_at?: string | null;
  money?: Money | null;
  documents?: Paper[] | null;
  note?: string | null;
  status?: string | null;
}

export interface PackPlace {
  name?: string | null;
  address?: string | null;
  lat?: number | null;
  lng?: number | null;
  precision?: string | null;
  at?: "shop" | "citizen" | "office" | null;
}

export interface PackStop {
  stop_id: string;
  kind?: "pickup" | "delivery" | null;
  place?: PackPlace | null;
  request_ids?: string[] | null;
  due_at?: string | null;
  planned_at?: string | null;
  state?: "open" | "done" | "failed" | null;
  money?: Money | null;
  documents?: Paper[] | null;
  requests?: Task[] | null;
  /** What the province asks couriers to tick before going in: mask, sanitiser. */
  safety_checklist?: string[] | null;
}

export interface Reason extends Said {
  code: string;
  needs_photo?: boolean | null;
  for?: string[] | null;
}

export interface Pack {
  date?: string | null;
  now?: string | null;
  courier_id?: string | null;
  courier_name?: string | null;
  round_id?: string | null;
  version?: string | number | null;
  stops?: PackStop[] | null;
  reasons?: Reason[] | null;
}

export type EventType =
  | "arrived"
  | "collected"
  | "collect_failed"
  | "arrived_office"
  | "departed_office"
  | "handed_over"
  | "handover_refused"
  | "delivered"
  | "delivery_failed"
  | "cash_taken"
  | "position";

/** One thing that happened, as the server takes it. */
export interface FieldEvent {
  event_id: string;
  device_seq: number;
  type: EventType;
  stop_id: string | null;
  request_ids: string[];
  at_device: string;
  clock_offset_ms: number;
  lat: number | null;
  lng: number | null;
  accuracy_m: number | null;
  payload: Record<string, unknown>;
  media: string[];
}

/** The same thing as it waits on this phone. */
export interface Kept extends FieldEvent {
  courier_id: string;
  state: "waiting" | "applied" | "conflict" | "rejected";
  code?: string | null;
  server_state?: unknown;
}

export interface Result {
  event_id: string;
  result: "applied" | "duplicate" | "conflict" | "rejected";
  code?: string | null;
  server_state?: unknown;
}

/** A signature or photo, named by its hash. */
export interface Media {
  sha256: string;
  blob: Blob;
  courier_id: string;
}
