/** The top of every screen: what waits, what was refused, whether this is test data. */
import { lang, setLang } from "../shared/i18n.ts";
import { Bang, Tick, Wait } from "../shared/icons.tsx";
import { clockText } from "../shared/time.ts";
import { signOut } from "./session.ts";
import {
  goTo,
  offsetMs,
  online,
  photosWaiting,
  problems,
  refusal,
  sending,
  sentAt,
  session,
  toast,
  waiting,
} from "./state.ts";
import { flush } from "./sync.ts";
import { t } from "./words.ts";

function sentence(): string {
  const n = waiting.value;
  if (!online.value) return n ? t("waiting_offline", { n }) : t("offline_clear");
  if (n) return sending.value ? t("sending", { n }) : t("waiting_online", { n });
  return sentAt.value
    ? t("all_sent_at", { at: clockText(sentAt.value + (session.value?.mode === "test" ? 0 : offsetMs.value)) })
    : t("all_sent");
}

/** What waits to be sent, always in words. */
export function Strip() {
  const busy = waiting.value > 0 || photosWaiting.value > 0;
  const look = !online.value ? "is-offline" : busy ? "is-waiting" : "is-clear";
  return (
    <div class="strips">
      {session.value?.mode === "test" && <p class="test-strip">{t("test")}</p>}
      <div class={`strip ${look}`} role="status">
        {!online.value ? <Bang size={15} /> : busy ? <Wait size={15} /> : <Tick size={15} />}
        <span>
          {sentence()}
          {photosWaiting.value > 0 && ` · ${t("photos", { n: photosWaiting.value })}`}
        </span>
        {busy && (
          <button type="button" class="strip-act" disabled={sending.value} onClick={() => void flush()}>
            {t("send_now")}
          </button>
        )}
      </div>
      {refusal.value && (
        <p class="strip is-bad" role="alert">
          <Bang size={15} />
          <span>{t("server_says", { text: refusal.value })}</span>
        </p>
      )}
      {problems.value.length > 0 && (
        <button type="button" class="strip is-bad strip-wide" onClick={() => goTo("issues")}>
          <Bang size={15} />
          <span>{t("problems", { n: problems.value.length })}</span>
        </button>
      )}
    </div>
  );
}

export function Languages() {
  return (
    <div class="segmented" role="group" aria-label={t("language")}>
      {(["vi", "en"] as const).map((one) => (
        <button type="button" key={one} lang={one} aria-pressed={lang.value === one} onClick={() => setLang(one)}>
          {one.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

/** The foot of the run: language and sign-out, far from the working buttons. */
export function Foot() {
  const leave = () => {
    const n = waiting.value;
    if (n && !confirm(t("sign_out_waiting", { n }))) return;
    void signOut();
  };
  return (
    <footer class="foot">
      <Languages />
      <button type="button" class="quiet" onClick={leave}>
        {t("sign_out")}
      </button>
    </footer>
  );
}

export function Toast() {
  return (
    <div class="toast-holder" role="status">
      {toast.value && <p class="toast">{toast.value}</p>}
    </div>
  );
}
