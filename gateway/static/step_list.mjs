// The steps of a run as a list: status, how long each was queued and ran (in words and as a bar), the drawer on demand.

import { html } from "./html.mjs";
import { Icon, StatusMark } from "./marks.mjs";
import { duration, statusWord } from "./formats.mjs";
import { openStep, showStep } from "./conversation.mjs";
import { timesOf, spanOf } from "./step_times.mjs";

export function StepList({ steps, at }) {
  const span = spanOf(steps, at);
  return html`<ol class="steps" data-walk>
    ${steps.map((step) => html`<${StepRow} key=${step.id} step=${step} at=${at} span=${span} />`)}
  </ol>`;
}

function StepRow({ step, at, span }) {
  const open = openStep.value === step.id;
  const times = timesOf(step, at);
  return html`<li class=${`step ${open ? "is-open" : ""}`}>
    <button id=${`step-${step.id}`} class="step-row" type="button" data-walk-item aria-expanded=${open}
      onClick=${() => showStep(open ? null : step.id)}>
      <${StatusMark} status=${step.status} />
      <span class="step-name"><b>${step.tool}</b> <small>${step.id}</small></span>
      <span class=${`step-status tone-${step.status}`}>${statusLine(step)}</span>
      <span class="step-why">${step.progress && step.status === "running" ? step.progress : step.why}</span>
      <span class="step-time">${timeLine(times, step.status)}</span>
      <${Bar} times=${times} span=${span} status=${step.status} />
      <${Icon} name="chevron" />
    </button>
  </li>`;
}

function statusLine(step) {
  if (step.status === "ready" && step.dueAt) return "retrying";
  if (step.status === "ready") return "queued";
  if (step.reusedFrom) return "shared";
  return statusWord(step.status);
}

function timeLine({ queued, ran }, status) {
  if (ran !== undefined) return html`${queued !== undefined && html`<span>queued ${duration(queued)}</span> `}<span>${status === "running" ? "running" : "ran"} ${duration(ran)}</span>`;
  return queued !== undefined && html`<span>queued ${duration(queued)}</span>`;
}

/** Where in the run's time the step was queued (pale) and ran (strong). Geometry is attributes: no inline styles. */
function Bar({ times, span, status }) {
  const length = Math.max(span.end - span.start, 1);
  const x = (moment) => ((moment - span.start) / length) * 100;
  const runEnd = times.finished ?? times.until;
  return html`<svg class=${`bar bar-${status}`} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
    <rect class="bar-track" width="100" height="4" />
    ${times.ready !== undefined && html`<rect class="bar-queued" x=${x(times.ready)} width=${Math.max(0, x(times.started ?? runEnd) - x(times.ready))} height="4" />`}
    ${times.started !== undefined && html`<rect class="bar-ran" x=${x(times.started)} width=${Math.max(0.8, x(runEnd) - x(times.started))} height="4" />`}
  </svg>`;
}
