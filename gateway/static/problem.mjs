// Shows what went wrong: the sentence of a problem and each faulty field.

import { html } from "./html.mjs";

export function Problem({ problem, children }) {
  if (!problem) return null;
  return html`<div class="problem" role="alert">
    <p>${problem.message}</p>
    ${problem.errors?.length > 0 &&
    html`<ul>${problem.errors.map((error) => html`<li><code>${error.pointer}</code> ${error.detail}</li>`)}</ul>`}
    ${children}
  </div>`;
}
