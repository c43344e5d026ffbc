/** Phone and PIN. */
import { useState } from "preact/hooks";
import { reasonText } from "../shared/api.ts";
import { signIn } from "./session.ts";
import { expired, online, session, waiting } from "./state.ts";
import { Languages } from "./strip.tsx";
import { t } from "./words.ts";

export function SignIn() {
  const [phone, setPhone] = useState("");
  const [pin, setPin] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure("");
    try {
      await signIn(phone, pin);
    } catch (why) {
      setFailure(reasonText(why));
      setPin("");
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <header>
        <span class="mark" aria-hidden="true">
          Đ
        </span>
        <h1>
          {t("product")}
          <small>{t("page")}</small>
        </h1>
        <Languages />
      </header>
      {expired.value && (
        <p class="say is-warn">
          {t("sign_in_again")}
          {waiting.value > 0 && ` (${t("waiting_online", { n: waiting.value })})`}
        </p>
      )}
      {!online.value && !session.value && <p class="say">{t("sign_in_offline")}</p>}
      <form onSubmit={(event) => void submit(event)}>
        <label for="phone">{t("phone")}</label>
        <input
          id="phone"
          type="tel"
          inputMode="tel"
          autocomplete="username tel"
          required
          value={phone}
          onInput={(event) => setPhone(event.currentTarget.value)}
        />
        <label for="pin">{t("pin")}</label>
        <input
          id="pin"
          type="password"
          inputMode="numeric"
          autocomplete="current-password"
          required
          value={pin}
          onInput={(event) => setPin(event.currentTarget.value)}
        />
        {failure && (
          <p class="say is-bad" role="alert">
            {failure}
          </p>
        )}
        <button type="submit" class="primary act" disabled={busy || !phone.trim() || !pin.trim()}>
          {t(busy ? "signing_in" : "sign_in")}
        </button>
      </form>
    </main>
  );
}
