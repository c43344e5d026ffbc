/** What the board's calls answer. Every field may be missing on a bad day: readers must cope with null. */
import type { Said } from "../shared/i18n.ts";
import type { Change } from "./change_words.ts";

export type Mode = "live" | "test";

export interface Place {
  name?: string | null;
  lat?: number | null;
  lng?: number | null;
  precision?: string | null;
  /** `shop | citizen | office`; a citizen's place is named by address or by person. */
  at?: string | null;
  address?: string | null;
}

export interface BoardRequest {
  id: string;
  item_id?: string | null;
  external_ref?: string | null;
  kind?: string | null;
  leg?: string | null;
  status?: string | null;
  substatus?: string | null;
  shop_id?: string | null;
  shop_name?: string | null;
  citizen_name?: string | null;
  place?: Place | null;
  due_at?: string | null;
  due_at_strict?: string | null;
  slack_minutes?: number | null;
  promise_state?: string | null;
  binding?: boolean | null;
  planned_at?: string | null;
  courier_id?: string | null;
  stop_id?: string | null;
  warnings?: (string | Said)[] | null;
  late_reason?: Said | null;
  payable?: number | null;
  label_url?: string | null;
  tracking_url?: string | null;
  version?: string | number | null;
}

export interface Position {
  lat: number;
  lng: number;
  at?: string | null;
  age_s?: number | null;
  approximate?: boolean | null;
}

export interface Courier {
  id: string;
  name?: string | null;
  home_office_id?: string | null;
  skills?: string[] | null;
  capacity_items?: number | null;
  shift?: { starts_at?: string | null; ends_at?: string | null } | null;
  position?: Position | null;
  load?: number | null;
  stops_left?: number | null;
  next_stop_at?: string | null;
  worst_slack_minutes?: number | null;
  color_index?: number | null;
}

export interface Stop {
  stop_id: string;
  kind?: string | null;
  place?: Place | null;
  request_ids?: string[] | null;
  planned_at?: string | null;
  due_at?: string | null;
  state?: string | null;
  leg_m?: number | null;
}

export interface Route {
  round_id?: string | null;
  courier_id: string;
  version?: string | number | null;
  distance_m?: number | null;
  stops?: Stop[] | null;
}

export interface Alert {
  code?: string | null;
  severity?: string | null;
  request_id?: string | null;
  courier_id?: string | null;
  text?: Said | null;
  at?: string | null;
}

export interface Band {
  from_at?: string | null;
  to_at?: string | null;
  count?: number | null;
  unassigned?: number | null;
  at_risk?: number | null;
}

export interface Health {
  state?: string | null;
  age_s?: number | null;
}

export interface PlanNote {
  id: string;
  status?: string | null;
  version?: string | number | null;
  created_at?: string | null;
  served?: number | null;
  unserved?: number | null;
  moved?: number | null;
}

export interface Site {
  id: string;
  name?: string | null;
  lat?: number | null;
  lng?: number | null;
  province_code?: string | null;
}

export interface Board {
  now?: string | null;
  mode?: Mode | null;
  date?: string | null;
  version?: string | null;
  health?: Record<string, Health | null> | null;
  counts?: Record<string, number | null> | null;
  due_bands?: Band[] | null;
  requests?: BoardRequest[] | null;
  couriers?: Courier[] | null;
  routes?: Route[] | null;
  alerts?: Alert[] | null;
  plans?: PlanNote[] | null;
  shops?: Site[] | null;
  offices?: Site[] | null;
}

export interface Unserved {
  request_id?: string | null;
  code?: string | null;
  reason?: Said | null;
  change?: Change | Said | string | null;
}

export interface Plan {
  id: string;
  version?: string | number | null;
  status?: string | null;
  routes?: Route[] | null;
  unserved?: Unserved[] | null;
  served?: number | null;
  diff?: {
    moved_stops?: number | null;
    added_stops?: number | null;
    removed_stops?: number | null;
    saved_promises?: number | null;
    distance_delta_m?: number | null;
  } | null;
}

export interface Operation {
  id: string;
  kind?: string | null;
  status?: string | null;
  progress?: number | null;
  result?: { plan_id?: string | null } | null;
  error?: { message?: string | null; detail?: string | null; code?: string | null } | string | null;
}

export interface Violation {
  code?: string | null;
  text?: Said | null;
}

export interface Line {
  code?: string | null;
  amount?: number | null;
  payer?: string | null;
  reason?: string | null;
  basis?: { rule_id?: string | null; doc_no?: string | null; clause?: string | null } | null;
}

/** One request as a read shows it; only the parts the drawer prints. */
export interface RequestDetail {
  id: string;
  citizen?: { name?: string | null; phone?: string | null; address?: { raw?: string | null } | null } | null;
  address?: { status?: string | null; precision?: string | null; candidates?: unknown[] | null } | null;
  quote?: { status?: string | null; lines?: Line[] | null; payable_by_citizen?: number | null } | null;
  promise?: PromiseLine[] | null;
  violations?: Violation[] | null;
}

export interface PromiseLine {
  leg?: string | null;
  rule_id?: string | null;
  mode?: string | null;
  minutes?: number | null;
  binding?: boolean | null;
  state?: string | null;
  clock_started_at?: string | null;
  due_at?: string | null;
  due_at_strict?: string | null;
  stopped_at?: string | null;
  met?: boolean | null;
  delivery_expected_on?: string | null;
  delivery_due_on?: string | null;
}

export interface HistoryEvent {
  id?: string | null;
  type?: string | null;
  occurred_at?: string | null;
  recorded_at?: string | null;
  /** True for a station deduced from a later scan. */
  implied?: boolean | null;
  reason?: string | null;
  courier_id?: string | null;
}
