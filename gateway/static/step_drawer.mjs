// The drawer of one step: how it stands, what can be done about it, its result, input and every attempt.

import { html } from "./html.mjs";
import { StatusMark } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { Drawer } from "./drawer.mjs";
import { Attempts } from "./attempts.mjs";
import { StepActions } from "./step_actions.mjs";
import { StepLog } from "./step_log.mjs";
import { costWords, useCosts } from "./costs.mjs";
import { Fact, Value } from "./values.mjs";
import { duration, shortWorker, statusWord, timeOf } from "./formats.mjs";
import { clockSkew, stepAttempts } from "./api.mjs";
import { openStep, runLink, selected, showStep } from "./conversation.mjs";
import { useLoaded } from "./loading.mjs";
import { now } from "./runs.mjs";
import { isSettled } from "./run_state.mjs";
import { timesOf } from "./step_times.mjs";

export function StepDrawer() {
  const run = selected.value?.run.value;
  const step = run?.steps.find((each) => each.id === openStep.value);
  if (!step) return null;
  const walk = (by) => {
    const next = run.steps[run.steps.indexOf(step) + by];
    if (next) showStep(next.id);
  };
  const title = html`<div class="drawer-title">
    <h2><${StatusMark} status=${step.status} />${step.tool}</h2>
    <p class="facts"><code>${step.id}</code><span class=${`tone-${step.status}`}>${statusWord(step.status)}</span></p>
  </div>`;
  return html`<${Drawer} name=${`Step ${step.id}`} title=${title} close=${() => showStep(null)} walk=${walk} returnTo=${`step-${step.id}`}>
    <${StepBody} key=${`${run.id}/${step.id}`} run=${run} step=${step} />
  <//>`;
}

function StepBody({ run, step }) {
  const at = isSettled(step) ? 0 : now.value + clockSkew.value;
  const times = timesOf(step, at);
  const said = step.output && typeof step.output === "object" ? step.output.text : undefined;
  const error = step.error && step.status !== "succeeded" && step.status !== "in_doubt";
  const of = `step ${step.id}`;
  return html`<div class="drawer-body step-details">
    ${step.why && html`<p class="step-purpose">${step.why}</p>`}
    ${error && html`<div class="problem"><p>${step.error}</p></div>`}
    <${StepActions} run=${run} step=${step} />
    ${typeof said === "string" && html`<p class="step-said">${said}</p>`}
    <${Value} name="Output" of=${of} value=${step.output} />
    <${Value} name="Input" of=${of} value=${step.input ?? step.arguments} />
    <${StepAttempts} run=${run} step=${step} />
    <${StepLog} run=${run} step=${step} />
    <${Facts} run=${run} step=${step} times=${times} />
  </div>`;
}

function StepAttempts({ run, step }) {
  const { value, problem } = useLoaded(() => stepAttempts(run.id, step.id), [step.status, step.attempts]);
  if (problem) return html`<${Problem} problem=${problem} />`;
  return html`<${Attempts} attempts=${value?.items ?? []} most=${step.maxAttempts} />`;
}

function Facts({ run, step, times }) {
  const cost = useCosts(run, isSettled(step)).get(step.id);
  return html`<dl class="facts-list">
    ${times.ready !== undefined && step.status !== "waiting" && html`<${Fact} name="Ready">${timeOf(times.ready)}<//>`}
    ${times.started !== undefined && html`<${Fact} name="Started">${timeOf(times.started)}${times.queued !== undefined && html` <small>after ${duration(times.queued)} in the queue</small>`}<//>`}
    ${times.finished !== undefined && html`<${Fact} name="Finished">${timeOf(times.finished)}${times.ran !== undefined && html` <small>ran ${duration(times.ran)}</small>`}<//>`}
    ${step.dueAt && html`<${Fact} name="Next try">${timeOf(step.dueAt)}<//>`}
    ${step.waitsUntil && step.status === "waiting" && html`<${Fact} name="Waits until">${timeOf(step.waitsUntil)}<//>`}
    ${step.worker && html`<${Fact} name="Worker"><span title=${step.worker}>${shortWorker(step.worker)}</span><//>`}
    ${step.dependsOn.length > 0 && html`<${Fact} name="After">${step.dependsOn.map((id) => html`<button class="quiet link" type="button" onClick=${() => showStep(id)}>${id}</button> `)}<//>`}
    ${cost && html`<${Fact} name="Cost">${costWords(cost)}<//>`}
    ${step.effect && html`<${Fact} name="Effect">${step.effect}<//>`}
    ${step.flow && html`<${Fact} name="Limit">${step.flow}<//>`}
    ${step.because && html`<${Fact} name="Skipped">${step.because}<//>`}
    ${step.by === "person" && html`<${Fact} name="Result">set by a person<//>`}
    ${step.reusedFrom && html`<${Fact} name="Shared with"><a href=${runLink(step.reusedFrom, step.id)}>the run it was forked from</a><//>`}
  </dl>`;
}
