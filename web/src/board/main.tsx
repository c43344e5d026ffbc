/** Starts the board in the page the server rendered; who is signed in stands in data attributes. */
import { render } from "preact";
import { lang, setLang } from "../shared/i18n.ts";
import "../shared/fonts.css";
import "../shared/tokens.css";
import { App } from "./app.tsx";
import "./board.css";
import "./panes.css";
import { startPolling } from "./poll.ts";

const root = document.getElementById("app");
if (root) {
  setLang(lang.value);
  render(<App userName={root.dataset["user"] ?? ""} role={root.dataset["role"] ?? ""} />, root);
  startPolling();
}
