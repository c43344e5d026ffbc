/** The two languages of the screens: Vietnamese first, English by a switch that this browser remembers. */
import { signal } from "@preact/signals";

export type Lang = "vi" | "en";
/** One text in both languages; `{name}` marks a place for a value. */
export type Pair = readonly [vi: string, en: string];
/** A text the server sends in both languages. */
export interface Said {
  vi?: string | null;
  en?: string | null;
}

const REMEMBERED = "dieutin.lang";

function remembered(): Lang {
  try {
    const kept = globalThis.localStorage?.getItem(REMEMBERED);
    if (kept === "vi" || kept === "en") return kept;
  } catch {
    // Storage may be forbidden; Vietnamese then stands.
  }
  return globalThis.document?.documentElement.lang === "en" ? "en" : "vi";
}

/** The language on screen now. */
export const lang = signal<Lang>(remembered());

/** Changes the language and remembers it. */
export function setLang(next: Lang): void {
  lang.value = next;
  if (globalThis.document) document.documentElement.lang = next;
  try {
    globalThis.localStorage?.setItem(REMEMBERED, next);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** Puts values into the `{name}` places of a text; an absent value leaves nothing behind. */
export function fill(text: string, values?: Record<string, string | number | null | undefined>): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => String(values[name] ?? ""));
}

/** A lookup over one table of texts, in the language on screen. */
export function translator<Key extends string>(words: Record<Key, Pair>) {
  return (key: Key, values?: Record<string, string | number | null | undefined>): string =>
    fill(words[key][lang.value === "vi" ? 0 : 1], values);
}

/** A server text in the language on screen, else in the other, else empty. */
export function say(text: Said | string | null | undefined): string {
  if (!text) return "";
  if (typeof text === "string") return text;
  return (lang.value === "vi" ? text.vi || text.en : text.en || text.vi) ?? "";
}
