// The list of past runs, each a link that opens it.

import { html } from "./html.mjs";
import { StatusMark } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { runName, since, statusWord } from "./formats.mjs";
import { pane, runLink, selectedId } from "./conversation.mjs";
import { listLoaded, listProblem, loadOlder, nextCursor, runList } from "./run_list.mjs";
import { entryOf } from "./runs.mjs";

export function PastRuns() {
  return html`<h2>Past runs</h2>
    <${Problem} problem=${listProblem.value?.status === 401 ? null : listProblem.value} />
    ${runList.value.length === 0 && html`<p class="hint">${!listLoaded.value ? "Loading…" : listProblem.value ? "" : "None yet."}</p>`}
    <ul class="past-runs" data-walk>${runList.value.map((run) => html`<${PastRun} key=${run.id} run=${run} />`)}</ul>
    ${nextCursor.value && html`<button class="quiet" type="button" onClick=${loadOlder}>Older runs</button>`}`;
}

function PastRun({ run }) {
  const status = entryOf(run.id).run.value?.status ?? run.status; // a followed run knows sooner than the list
  const current = selectedId.value === run.id;
  return html`<li>
    <a href=${runLink(run.id)} data-walk-item aria-current=${current ? "page" : undefined} onClick=${() => (pane.value = "chat")}>
      <${StatusMark} status=${status} />
      <span class="past-name">${runName(run)}</span>
      <span class="past-facts"><span class="visually-hidden">${statusWord(status)}, </span>${since(run.createdAt, Date.now())}</span>
    </a>
  </li>`;
}
