// One thing done to all dead letters that fit the filter: first shown (a dry run), then done.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { settleLetters } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { counted } from "../formats.mjs";

const ACTIONS = {
  resume: ["Resume all", "retry", (runs) => `${runs} would go on from where they failed`, (runs) => `${runs} go on.`],
  restart: ["Restart all", "fork", (runs) => `${runs} would start over`, (runs) => `${runs} started over.`],
  discard: ["Discard all", "bin", (letters) => `${letters} would be put away; their runs stay as they are`, (letters) => `${letters} put away.`],
};

export function LetterBulk({ wanted, filtered, changed }) {
  const tried = useSignal(null); // the answer of the dry run
  const { busy, problem, act } = useActing();
  const filter = bulkFilter(wanted);
  const ask = JSON.stringify({ ...filter, since: undefined });
  useEffect(() => () => (tried.value = null), [ask]);
  const dry = (action) => act(action, async () => (tried.value = await settleLetters(action, filter, true)));
  const really = async () => {
    const { action } = tried.value;
    await act(action, async () => {
      const done = await settleLetters(action, filter, false);
      const refused = done.items.length - done.count;
      tried.value = null;
      say(ACTIONS[action][3](countedFor(action, done.count)) + (refused ? ` ${refused} could not be.` : ""));
    });
    changed();
  };
  return html`<div class="bulk" role="group" aria-label=${filtered ? "All that fit the filter" : "All open letters"}>
      <span class="hint">${filtered ? "All that fit:" : "All open:"}</span>
      ${Object.entries(ACTIONS).map(([action, [label, icon]]) => html`<button class=${action === "discard" ? "danger" : ""} type="button" disabled=${busy} aria-expanded=${tried.value?.action === action}
        onClick=${() => dry(action)}><${Icon} name=${icon} />${label}…</button>`)}
    </div>
    <${Problem} problem=${problem} />
    ${tried.value && html`<${DryRun} tried=${tried.value} busy=${busy} onYes=${really} onNo=${() => (tried.value = null)} />`}`;
}

const countedFor = (action, count) => counted(count, action === "discard" ? "letter" : "run");

function DryRun({ tried, busy, onYes, onNo }) {
  const yes = useRef(null);
  useEffect(() => yes.current.focus(), [tried.action]);
  const keys = (event) => event.key === "Escape" && (event.stopPropagation(), onNo());
  return html`<div class="sure" role="group" aria-label="Dry run" onKeyDown=${keys}>
    <p><b>${ACTIONS[tried.action][2](countedFor(tried.action, tried.count))}.</b> Nothing has been done yet.</p>
    <div class="buttons"><button class=${tried.action === "discard" ? "danger" : "primary"} type="button" ref=${yes} disabled=${busy || !tried.count} onClick=${onYes}>Yes, ${tried.action} ${tried.count}</button>
      <button class="quiet" type="button" onClick=${onNo}>Never mind</button></div>
  </div>`;
}

/** The list's parameters in the form that the bulk call takes. */
function bulkFilter({ reason, tool, label, since }) {
  const [name, ...value] = label ? label.split(":") : [];
  const filter = { reason, tool: tool || undefined, labels: label ? { [name]: value.join(":") } : undefined, since };
  return Object.fromEntries(Object.entries(filter).filter(([, each]) => each !== undefined));
}
