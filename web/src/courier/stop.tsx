/** One stop in full: where, how long, what to take, whom to call, note. */
import { Back } from "../shared/icons.tsx";
import { money } from "../shared/format.ts";
import { Bar } from "./bar.tsx";
import { Address, Deed, Load, Papers, Reach, StateMark, title, When } from "./parts.tsx";
import { due, isOpen, type View } from "./queue.ts";
import { goTo } from "./state.ts";
import { Strip } from "./strip.tsx";
import type { Task } from "./types.ts";
import { t } from "./words.ts";

/** The line that leads back; a stop is always one step from the run. */
export function BackLine({ text, to }: { text: string; to: () => void }) {
  return (
    <header class="back-line">
      <button type="button" class="icon" aria-label={t("back")} onClick={to}>
        <Back size={24} />
      </button>
      <h1>{text}</h1>
    </header>
  );
}

function TaskCard({ task }: { task: Task }) {
  const total = due(task.money);
  return (
    <li class="task">
      <p class="task-head">
        <b>{task.contact?.name || task.external_ref || task.id}</b>
        {total > 0 && <span class="is-money">{money(total)}</span>}
      </p>
      <p class="fine">{[task.item_id, task.dossier_code ?? task.external_ref].filter(Boolean).join(" · ")}</p>
      <Papers papers={task.documents ?? []} />
      {task.note && (
        <p class="note">
          <b>{t("note")}:</b> {task.note}
        </p>
      )}
    </li>
  );
}

export function Stop({ view }: { view: View }) {
  const { stop } = view;
  const tasks = isOpen(view) ? view.open : (stop.requests ?? []);
  return (
    <>
      <Strip />
      <main class="page has-bar">
        <BackLine text={title(stop)} to={() => goTo("run")} />
        <section class="block">
          <p class="next-top">
            <Deed stop={stop} />
            {!isOpen(view) && <StateMark view={view} />}
          </p>
          <Address stop={stop} />
          {isOpen(view) && <When stop={stop} />}
          <Load stop={stop} open={view.open} />
          <Reach stop={stop} />
        </section>
        <section class="block">
          <h2>{t("papers")}</h2>
          {tasks.length ? (
            <ul>
              {tasks.map((task) => (
                <TaskCard key={task.id} task={task} />
              ))}
            </ul>
          ) : (
            <Papers papers={stop.documents ?? []} />
          )}
        </section>
      </main>
      <Bar view={view} />
    </>
  );
}
