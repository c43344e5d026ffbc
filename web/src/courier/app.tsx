/** Chooses the screen: sign-in, run, stop, proof, problem, refused acts. */
import { Issues } from "./issues.tsx";
import { ProofScreen } from "./proof.tsx";
import { isOpen, type View } from "./queue.ts";
import { Run } from "./run.tsx";
import { SignIn } from "./sign_in.tsx";
import { broken, expired, ready, screen, session, views } from "./state.ts";
import { Stop } from "./stop.tsx";
import { Toast } from "./strip.tsx";
import { Trouble } from "./trouble.tsx";
import { t } from "./words.ts";

function Current() {
  const { name, stopId } = screen.value;
  if (name === "issues") return <Issues />;
  const view: View | undefined = views.value.find((one) => one.stop.stop_id === stopId);
  if (name === "run" || !view) return <Run />;
  if (name === "proof" && isOpen(view)) return <ProofScreen key={stopId} view={view} />;
  if (name === "trouble" && isOpen(view)) return <Trouble key={stopId} view={view} />;
  return <Stop key={stopId} view={view} />;
}

export function App() {
  if (broken.value) return <p class="say is-bad">{t("broken", { text: broken.value })}</p>;
  if (!ready.value) return <p class="say">{t("opening")}</p>;
  return (
    <>
      {session.value && !expired.value ? <Current /> : <SignIn />}
      <Toast />
    </>
  );
}
