// Everything about one step: what it is for, its times, attempts and worker, its input, output and error.

import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { duration, prettyJson, timeOf } from "./formats.mjs";

export function StepDetails({ step, times }) {
  const said = step.output && typeof step.output === "object" ? step.output.text : undefined;
  return html`<div class="step-details" id=${`details-${step.id}`} role="group" aria-label=${`Details of step ${step.id}`}>
    ${step.why && html`<p>${step.why}</p>`}
    <dl>
      ${times.ready !== undefined && html`<${Fact} name="Ready">${timeOf(times.ready)}<//>`}
      ${times.started !== undefined && html`<${Fact} name="Started">${timeOf(times.started)}${times.queued !== undefined && `, after ${duration(times.queued)} in the queue`}<//>`}
      ${times.finished !== undefined && html`<${Fact} name="Finished">${timeOf(times.finished)}${times.ran !== undefined && `, ran ${duration(times.ran)}`}<//>`}
      ${step.dueAt && html`<${Fact} name="Next try">${timeOf(step.dueAt)}<//>`}
      ${step.waitsUntil && step.status === "waiting" && html`<${Fact} name="Waits until">${timeOf(step.waitsUntil)}<//>`}
      ${step.attempts > 0 && html`<${Fact} name="Attempts">${step.attempts}<//>`}
      ${step.worker && html`<${Fact} name="Worker">${step.worker}<//>`}
      ${step.dependsOn.length > 0 && html`<${Fact} name="After">${step.dependsOn.join(", ")}<//>`}
      ${step.because && html`<${Fact} name="Skipped because">${step.because}<//>`}
    </dl>
    ${step.error && step.status !== "succeeded" && html`<div class="problem"><p>${step.error}</p></div>`}
    <${Value} name="Input" of=${step.id} value=${step.input ?? step.arguments} />
    ${typeof said === "string" && html`<p class="step-said">${said}</p>`}
    <${Value} name="Output" of=${step.id} value=${step.output} />
  </div>`;
}

const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

function Value({ name, of, value }) {
  if (value === undefined || value === null) return null;
  const label = `${name} of step ${of}`;
  return html`<figure>
    <figcaption>${name}<${CopyButton} text=${() => prettyJson(value)} label=${`Copy the ${name.toLowerCase()}`} /></figcaption>
    <pre tabindex="0" role="region" aria-label=${label}>${prettyJson(value)}</pre>
  </figure>`;
}

/** Absent where the browser gives no clipboard (plain HTTP on a network). */
export function CopyButton({ text, label }) {
  if (!navigator.clipboard) return null;
  const copy = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(text()).catch(() => {});
    button.classList.add("is-done");
    setTimeout(() => button.classList.remove("is-done"), 1200);
  };
  return html`<button class="quiet copy" type="button" title=${label} aria-label=${label} onClick=${copy}><${Icon} name="copy" /></button>`;
}
