// The plan of the selected run: its state, its graph, its steps, what it used.

import { html } from "./html.mjs";
import { Icon, StatusMark } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { PlanGraph } from "./plan_graph.mjs";
import { StepList } from "./step_list.mjs";
import { counted, dateOf, duration, millis, plainName, runName, statusWord } from "./formats.mjs";
import { clockSkew } from "./api.mjs";
import { selected } from "./conversation.mjs";
import { cancel, now } from "./runs.mjs";
import { isOver, isSettled } from "./run_state.mjs";
import { timesOf } from "./step_times.mjs";

export function PlanPane() {
  const entry = selected.value;
  const run = entry?.run.value;
  if (!run) return html`<${NoPlan} entry=${entry} />`;
  // Reading the ticking clock only while the run is live spares finished runs the drawing.
  const at = isOver(run) ? millis(run.finishedAt) ?? 0 : now.value + clockSkew.value;
  return html`<${PlanHead} entry=${entry} run=${run} at=${at} />
    <${Problem} problem=${entry.problem.value} />
    ${run.error && !run.steps.some((step) => step.error) && html`<div class="problem"><p>${run.error}</p></div>`}
    ${run.note && html`<p class="plan-note">${run.note}</p>`}
    ${run.steps.length > 0 ? html`<${Steps} run=${run} at=${at} />` : html`<p class="hint">${withoutSteps(run)}</p>`}
    <${Usage} usage=${run.usage} />`;
}

function NoPlan({ entry }) {
  return html`<h2>Plan</h2>
    <${Problem} problem=${entry?.problem.value} />
    <p class="hint">${entry ? "Loading…" : "The plan of a run is drawn here while it is made and carried out."}</p>`;
}

function PlanHead({ entry, run, at }) {
  const settled = run.steps.filter(isSettled).length;
  const cancelling = entry.cancelling.value || run.cancelRequested;
  const began = millis(run.startedAt ?? run.createdAt);
  return html`<header class="plan-head">
    <h2>Plan</h2>
    <p class="plan-name">${runName(run)}</p>
    <p class="facts">
      <span class=${`status tone-${run.status}`}><${StatusMark} status=${run.status} />${statusWord(run.status)}</span>
      ${run.steps.length > 0 && html`<span>${isOver(run) ? counted(run.steps.length, "step") : `${settled} of ${counted(run.steps.length, "step")}`}</span>`}
      ${began && html`<span>${duration(at - began)}</span>`}
      ${run.revision > 1 && html`<span>revision ${run.revision}</span>`}
      ${run.brain && html`<span>${brainName(run.brain)}</span>`}
      ${run.createdAt && html`<span>${dateOf(run.createdAt)}</span>`}
    </p>
    ${!isOver(run) && html`<button class="danger" type="button" disabled=${cancelling} onClick=${() => cancel(run.id)}>
      <${Icon} name="stop" />${cancelling ? "Cancelling…" : "Cancel run"}</button>`}
  </header>`;
}

export const brainName = (brain) => (brain === "offline" ? "offline brain" : brain);

function Steps({ run, at }) {
  const timing = (step) => {
    const { ran } = timesOf(step, at);
    return ran === undefined ? "" : duration(ran);
  };
  return html`<h3 class="visually-hidden">Graph</h3>
    <${PlanGraph} key=${run.id} steps=${run.steps} timing=${timing} />
    <h3 class="visually-hidden">Steps</h3>
    <${StepList} steps=${run.steps} at=${at} />`;
}

function withoutSteps(run) {
  if (isOver(run)) return "This run needed no steps.";
  return run.status === "queued" ? "Waiting for a planning worker…" : "Planning…";
}

function Usage({ usage }) {
  const used = Object.entries(usage || {}).filter(([, value]) => typeof value === "number" && value > 0);
  if (!used.length) return null;
  return html`<p class="facts usage">${used.map(([name, value]) => html`<span>${value.toLocaleString()} ${plainName(name)}</span>`)}</p>`;
}
