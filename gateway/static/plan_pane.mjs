// The plan of the selected run: its head, then its steps as a graph with a list, or along the time; what it used.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "./html.mjs";
import { Problem } from "./problem.mjs";
import { PlanGraph } from "./plan_graph.mjs";
import { RunHead } from "./run_head.mjs";
import { StepList } from "./step_list.mjs";
import { Timeline } from "./timeline.mjs";
import { duration, millis } from "./formats.mjs";
import { linkTo } from "./address.mjs";
import { clockSkew } from "./api.mjs";
import { costWords, totalOf, useCosts } from "./costs.mjs";
import { selected } from "./conversation.mjs";
import { now } from "./runs.mjs";
import { isOver } from "./run_state.mjs";
import { timesOf } from "./step_times.mjs";

const VIEWS = { graph: "Graph", timeline: "Timeline" };
export const view = signal("graph");

export function PlanPane() {
  const entry = selected.value;
  const run = entry?.run.value;
  if (!run) return html`<${NoPlan} entry=${entry} />`;
  // Reading the ticking clock only while the run is live spares finished runs the drawing.
  const at = isOver(run) ? millis(run.finishedAt) ?? 0 : now.value + clockSkew.value;
  return html`<${RunHead} entry=${entry} run=${run} at=${at} />
    <${Problem} problem=${entry.problem.value} />
    ${run.error && !run.steps.some((step) => step.error) && html`<div class="problem"><p>${run.error}</p></div>`}
    ${run.note && html`<p class="plan-note">${run.note}</p>`}
    ${run.awaitsReview ? html`<${Review} run=${run} />` : run.steps.length > 0 ? html`<${Steps} run=${run} at=${at} />` : html`<p class="hint">${withoutSteps(run)}</p>`}
    <${Usage} key=${run.id} run=${run} />`;
}

const editor = signal(null); // loaded when the first plan is to be looked at

function Review({ run }) {
  useEffect(() => {
    if (!editor.peek()) import("./editing/plan_editor.mjs").then((module) => (editor.value = module.PlanEditor));
  }, []);
  const Editor = editor.value;
  return Editor ? html`<${Editor} run=${run} />` : html`<p class="hint">Loading…</p>`;
}

function NoPlan({ entry }) {
  return html`<h2>Plan</h2>
    <${Problem} problem=${entry?.problem.value} />
    <p class="hint">${entry ? "Loading…" : "The plan of a run is drawn here while it is made and carried out."}</p>`;
}

function Steps({ run, at }) {
  const timing = (step) => {
    if (step.reusedFrom) return "shared";
    const { ran } = timesOf(step, at);
    return ran === undefined ? "" : duration(ran);
  };
  return html`<div class="switch" role="group" aria-label="How to see the steps">
      ${Object.entries(VIEWS).map(([name, label]) => html`<button type="button" aria-pressed=${view.value === name} onClick=${() => (view.value = name)}>${label}</button>`)}
    </div>
    ${view.value === "timeline"
      ? html`<h3 class="visually-hidden">Timeline</h3><${Timeline} key=${run.id} run=${run} at=${at} />`
      : html`<h3 class="visually-hidden">Graph</h3>
        <${PlanGraph} key=${run.id} steps=${run.steps} timing=${timing} />
        <h3 class="visually-hidden">Steps</h3>
        <${StepList} steps=${run.steps} at=${at} />`}`;
}

function withoutSteps(run) {
  if (isOver(run)) return "This run needed no steps.";
  return run.status === "queued" ? "Waiting for a planning worker…" : "Planning…";
}

/** What the run took of the model, in one line, with the way to the day's. */
function Usage({ run }) {
  const total = totalOf(useCosts(run, isOver(run)));
  if (!total) return null;
  return html`<p class="facts usage"><span>${costWords(total)}</span><a href=${linkTo(["usage"])}>Usage</a></p>`;
}
