/** The smallest change that would serve a request, in words; its kinds are those of the routing library. */
import { distance, minutesText } from "../shared/format.ts";
import { lang, say, translator, type Pair, type Said } from "../shared/i18n.ts";

/** A change as the plan tells it; fields its kind does not need are absent. */
export interface Change {
  kind?: string | null;
  by_s?: number | null;
  by_m?: number | null;
  to?: number | null;
  courier?: string | null;
  skills?: string[] | null;
}

const WORDS = {
  extend_window: ["nới khung giờ thêm {by}", "widen the window by {by}"],
  extend_due: ["lùi hạn thêm {by}", "move the deadline by {by}"],
  extend_shift: ["kéo dài ca của {who} thêm {by}", "extend {who}'s shift by {by}"],
  raise_max_distance: ["cho {who} đi xa thêm {far}", "let {who} ride {far} further"],
  raise_capacity: ["nâng sức chở của {who} lên {to}", "raise {who}'s capacity to {to}"],
  drop_break: ["bỏ giờ nghỉ của {who}", "drop {who}'s break"],
  drop_skill: ["bỏ yêu cầu nghiệp vụ {skills}", "drop the required skill {skills}"],
  drop_only_courier: ["cho bưu tá khác ngoài {who} đi", "let others than {who} go"],
  add_courier: ["thêm một bưu tá trong ca", "add one courier on shift"],
  raise_priority: ["tăng độ ưu tiên của tin này", "raise this request's priority"],
} satisfies Record<string, Pair>;

const t = translator<keyof typeof WORDS>(WORDS);

const isKind = (kind: string): kind is keyof typeof WORDS => kind in WORDS;

/** The change in the language on screen; empty when there is none or its kind is unknown. */
export function changeText(
  change: Change | Said | string | null | undefined,
  nameOf: (courierId: string) => string,
): string {
  if (!change) return "";
  if (typeof change === "string") return change;
  const { kind, by_s, by_m, to, courier, skills } = change as Change;
  if (!kind) return say(change as Said);
  if (!isKind(kind)) return "";
  const by = by_s == null ? "" : minutesText(Math.ceil(by_s / 60), lang.value);
  const far = by_m == null ? "" : distance(by_m, lang.value);
  return t(kind, { by, far, to, who: courier ? nameOf(courier) : "", skills: (skills ?? []).join(", ") });
}
