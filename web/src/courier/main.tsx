/** Starts the courier's page: reads the phone's record first, so that it opens without a network. */
import { render } from "preact";
import { reasonText } from "../shared/api.ts";
import { lang, setLang } from "../shared/i18n.ts";
import "../shared/fonts.css";
import "../shared/tokens.css";
import { App } from "./app.tsx";
import "./courier.css";
import { follow } from "./position.ts";
import { startPositions } from "./record.ts";
import { broken, followAddress, ready, session } from "./state.ts";
import { readBack, startSync } from "./sync.ts";

async function start(): Promise<void> {
  try {
    await readBack();
  } catch (failure) {
    broken.value = reasonText(failure);
    return;
  }
  ready.value = true;
  if (session.value) follow();
  startSync();
  startPositions();
}

const root = document.getElementById("app");
if (root) {
  setLang(lang.value);
  followAddress();
  render(<App />, root);
  void start();
}

// Without a secure address there is no service worker; the page then works, but only opens with a network.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/courier/sw.js", { scope: "/courier" }).catch((failure: unknown) => {
    console.warn("service worker:", reasonText(failure));
  });
}
