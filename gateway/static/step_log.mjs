// The log of a step: everything that its run's events say of it, in order; read when it is opened, and on while it lives.

import { useSignal } from "@preact/signals";
import { html } from "./html.mjs";
import { readEvents } from "./api.mjs";
import { shortWorker, timeOf } from "./formats.mjs";
import { useLoaded } from "./loading.mjs";
import { Problem } from "./problem.mjs";

const MOST_CHARACTERS = 300;

export function StepLog({ run, step }) {
  const open = useSignal(false);
  return html`<details class="log more" onToggle=${(event) => (open.value = event.currentTarget.open)}><summary>Log</summary>
    ${open.value && html`<${Lines} run=${run} step=${step} />`}</details>`;
}

function Lines({ run, step }) {
  const { value, problem } = useLoaded(() => readEvents(run.id), [run.id, run.seq, step.status]);
  const mine = (value ?? []).filter((event) => event.stepId === step.id || (event.name === "model.called" && event.data.for === step.id));
  return html`<${Problem} problem=${problem} />
    <ol>${mine.map((event) => html`<li key=${event.seq}><time datetime=${event.at}>${timeOf(event.at)}</time> <b>${event.name}</b> <span>${said(event.data)}</span></li>`)}</ol>
    ${value && !mine.length && html`<p class="hint">Nothing yet.</p>`}`;
}

/** The payload of an event in one line; values that have their own place in the drawer are left out. */
function said({ output, ...data }) {
  const words = Object.entries(data).filter(([, value]) => value !== null && value !== undefined);
  const text = shortWorker(words.map(([name, value]) => (name === "text" ? value : `${name}: ${typeof value === "object" ? value.detail ?? JSON.stringify(value) : value}`)).join(" · "));
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
