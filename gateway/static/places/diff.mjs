// Two runs side by side: what differs in the runs themselves, then step by step, line by line.

import { html } from "../html.mjs";
import { Icon, StatusMark } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { linkTo, place } from "../address.mjs";
import { getDiff } from "../api.mjs";
import { runLink } from "../conversation.mjs";
import { counted, dateOf, plainName, prettyJson, runName, statusWord } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { linesOf } from "./line_diff.mjs";

export function Place() {
  const [, a, b] = place.value.parts;
  const { value: found, problem } = useLoaded(() => getDiff(a, b), [a, b]);
  return html`<div class="page"><div class="page-body">
    <h2 class="page-title">Two runs compared</h2>
    <${Problem} problem=${problem} />
    ${!found && !problem && html`<p class="hint">Loading…</p>`}
    ${found && html`<${Diff} found=${found} />`}
  </div></div>`;
}

function Diff({ found }) {
  const { a, b, changes, steps, same } = found;
  return html`<div class="pair"><${Side} name="Before" run=${a} /><a class="button quiet" href=${linkTo(["diff", b.id, a.id])} aria-label="Swap the two"><${Icon} name="compare" /></a><${Side} name="After" run=${b} /></div>
    ${!changes.length && !steps.length && html`<p class="empty"><${StatusMark} status="succeeded" />The two went the same way.</p>`}
    ${changes.length > 0 && html`<section aria-label="The runs"><h3 class="section-title">The runs</h3><${Changes} of="the runs" changes=${changes} /></section>`}
    ${steps.map((step) => html`<section key=${step.id} aria-label=${`Step ${step.id}`}>
      <h3 class="section-title"><code>${step.id}</code>${step.in !== "both" && html`<span class="tag">only in the ${step.in === "a" ? "first" : "second"}</span>`}${step.shared && html`<span class="tag">result shared</span>`}</h3>
      <${Changes} of=${`step ${step.id}`} changes=${step.changes} /></section>`)}
    ${same.length > 0 && html`<p class="hint">The same in both: ${counted(same.length, "step")} (${same.join(", ")}).</p>`}`;
}

function Side({ name, run }) {
  return html`<a class="run-card" href=${runLink(run.id)}><${StatusMark} status=${run.status} /><span class="row-name">${runName(run)}</span>
    <span class="row-facts"><span>${name}</span><span>${statusWord(run.status)}</span><span>${dateOf(run.createdAt)}</span></span></a>`;
}

function Changes({ of, changes }) {
  return html`<dl class="changes">${changes.map((change) => html`<div key=${change.field}><dt>${plainName(change.field)}</dt>
    <dd><pre tabindex="0" role="region" aria-label=${`${plainName(change.field)} of ${of}, line by line`}>${linesOf(textOf(change.a), textOf(change.b)).map(([mark, line]) => html`<${Line} mark=${mark} line=${line} />`)}</pre></dd></div>`)}</dl>`;
}

const WORDS = { "-": "before", "+": "after" };

function Line({ mark, line }) {
  const kind = mark === "-" ? "gone" : mark === "+" ? "come" : "kept";
  return html`<span class=${`line line-${kind}`}><span aria-hidden="true">${mark}</span>${WORDS[mark] && html`<span class="visually-hidden">${WORDS[mark]}: </span>`}${line}${"\n"}</span>`;
}

const textOf = (value) => (value === null || value === undefined ? "" : prettyJson(value));
