/** Plain server-rendered pages (sign-in, tracking, API documents): the look, the language switch, a filter for long lists. */
import "./fonts.css";
import "./tokens.css";
import "./page.css";
import { fold } from "./format.ts";
import { lang, setLang, type Lang } from "./i18n.ts";

function showLanguage(next: Lang): void {
  setLang(next);
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-lang]")) {
    button.setAttribute("aria-pressed", String(button.dataset["lang"] === next));
  }
}

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-lang]")) {
  button.addEventListener("click", () => showLanguage(button.dataset["lang"] === "en" ? "en" : "vi"));
}
showLanguage(lang.value);

const wanted = document.querySelector<HTMLInputElement>("input[data-filters]");
wanted?.addEventListener("input", () => {
  const terms = fold(wanted.value).split(/\s+/).filter(Boolean);
  for (const row of document.querySelectorAll<HTMLElement>(wanted.dataset["filters"] ?? "")) {
    const text = fold(row.dataset["text"]);
    row.hidden = !terms.every((term) => text.includes(term));
  }
});

// "/" goes to the search, and a link into something folded unfolds it.
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
  if (wanted && event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    wanted.focus();
  }
});

function unfold(): void {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let part: HTMLElement | null = target; part; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true;
  }
  target?.scrollIntoView();
}
window.addEventListener("hashchange", unfold);
if (location.hash) unfold();
