/** Figures and names as people read them, in both languages. Pure: no page, no clock. */
import type { Lang } from "./i18n.ts";

/** "26.000 ₫" from whole đồng; "–" when unknown. */
export function money(amount: number | null | undefined): string {
  if (amount === null || amount === undefined || !Number.isFinite(amount)) return "–";
  const digits = Math.abs(Math.round(amount))
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ".");
  return `${amount < 0 ? "−" : ""}${digits} ₫`;
}

/** "12,4 km" or "850 m" from metres; "–" when unknown. */
export function distance(metres: number | null | undefined, lang: Lang): string {
  if (metres === null || metres === undefined || !Number.isFinite(metres)) return "–";
  if (Math.abs(metres) < 1000) return `${Math.round(metres)} m`;
  const km = (metres / 1000).toFixed(1);
  return `${lang === "vi" ? km.replace(".", ",") : km} km`;
}

/** "42 phút", "1 giờ 05", "2 ngày" (or min, h, d) from whole minutes. */
export function minutesText(minutes: number, lang: Lang): string {
  const m = Math.abs(Math.trunc(minutes));
  if (m < 60) return lang === "vi" ? `${m} phút` : `${m} min`;
  const hours = Math.floor(m / 60);
  const rest = String(m % 60).padStart(2, "0");
  if (hours < 24) return lang === "vi" ? `${hours} giờ ${rest}` : `${hours} h ${rest}`;
  const days = Math.floor(hours / 24);
  return lang === "vi" ? `${days} ngày` : `${days} d`;
}

/** "còn 42 phút", "còn dưới 1 phút" or "trễ 12 phút"; empty once the clock has stopped (null). */
export function slackText(minutes: number | null | undefined, lang: Lang): string {
  if (minutes === null || minutes === undefined) return "";
  if (minutes === 0) return lang === "vi" ? "còn dưới 1 phút" : "under 1 min left";
  const text = minutesText(minutes, lang);
  if (minutes < 0) return lang === "vi" ? `trễ ${text}` : `${text} late`;
  return lang === "vi" ? `còn ${text}` : `${text} left`;
}

export type Urgency = "late" | "risk" | "soon" | "calm" | "stopped";

/** How pressing a promise is: late, under 30 minutes, under 60, calm, or no longer running. */
export function urgency(minutes: number | null | undefined, atRisk = false): Urgency {
  if (minutes === null || minutes === undefined) return "stopped";
  if (minutes < 0) return "late";
  if (minutes < 30 || atRisk) return "risk";
  return minutes < 60 ? "soon" : "calm";
}

/** "3 giây", "4 phút" from an age in seconds. */
export function ageText(seconds: number | null | undefined, lang: Lang): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return lang === "vi" ? `${s} giây` : `${s} s`;
  return minutesText(Math.floor(s / 60), lang);
}

/** A text folded for searching: no marks, no case, đ as d ("Vĩnh Hải" is found by "vinh hai"). */
export function fold(text: string | null | undefined): string {
  return (text ?? "").normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
}

/** Two letters for a person: the last two words' initials, as Vietnamese given names come last. */
export function initials(name: string | null | undefined): string {
  const words = (name ?? "").trim().split(/\s+/).filter(Boolean);
  return (
    words
      .slice(-2)
      .map((word) => word[0]?.toUpperCase() ?? "")
      .join("") || "?"
  );
}

/** Only the characters a dialler understands. */
export function dialable(phone: string | null | undefined): string {
  return (phone ?? "").replace(/[^\d+]/g, "");
}

/** The receipt after this one: its last run of digits plus one, same length ("AB-0099" → "AB-0100"). */
export function nextReceipt(last: string | null | undefined): string {
  const parts = /^(.*?)(\d+)(\D*)$/.exec((last ?? "").trim());
  if (!parts) return "";
  const [, head = "", digits = "", tail = ""] = parts;
  return head + String(BigInt(digits) + 1n).padStart(digits.length, "0") + tail;
}

const EXACT = new Set(["door", "exact", "none"]);

/** Whether a point only stands for a wider place, such as the middle of its commune. */
export function roughPoint(precision: string | null | undefined): boolean {
  return Boolean(precision) && !EXACT.has(precision ?? "");
}

/** Whether nobody knows where the place is. */
export const noPoint = (precision: string | null | undefined) => precision === "none";

/** A one-stop's name short enough for a list or a map; the long words before the place are shortened, the place never. */
export function shortSite(name: string | null | undefined): string {
  return (name ?? "")
    .normalize("NFC")
    .replace(/^trung tâm (phục vụ hành chính công|pvhcc)/iu, "TTPVHCC")
    .replace(/^bộ phận (tiếp nhận và trả kết quả|một cửa)/iu, "Một cửa");
}

const COMMUNE = /^(p\.|phường|x\.|xã|tt\.?|thị trấn|đặc khu)\s*\S/iu;

/** The commune within an address as people write it ("12 Trần Phú, P. Vĩnh Hải, …" → "P. Vĩnh Hải"); null when none is named. */
export function communeOf(address: string | null | undefined): string | null {
  const parts = (address ?? "")
    .normalize("NFC")
    .split(/[,;]/)
    .map((part) => part.trim());
  return parts.find((part) => COMMUNE.test(part)) ?? null;
}
