// The doctor: whether every invariant holds over the runs, the queues and the workers, and the repair of what does not.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Icon, StatusMark } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { linkTo } from "../address.mjs";
import { examine } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { runLink } from "../conversation.mjs";
import { counted, plainSentence, shortWorker } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";

const MARKS = { error: "failed", warning: "waiting", info: "ready" };

export function Place() {
  const everything = useSignal(false);
  const fixed = useSignal(null); // the answer of the last repair
  const { busy, problem, act } = useActing();
  const looked = useLoaded(() => examine({ everything: everything.value }), [everything.value]);
  const { findings = [], healthy } = looked.value ?? {};
  const wrong = findings.filter((finding) => finding.severity !== "info");
  const info = findings.filter((finding) => finding.severity === "info");
  const repairable = wrong.filter((finding) => finding.repairable);
  const repair = () =>
    act("repair", async () => {
      fixed.value = (await examine({ fix: true, everything: everything.value })).findings.filter((finding) => finding.repaired);
      say(`${counted(fixed.value.length, "finding")} repaired.`);
      await looked.reload();
    });
  return html`<div class="page"><div class="page-body">
    <h2 class="page-title">Doctor</h2>
    <p class="hint">Checks what must always hold, over all runs, queues and workers.</p>
    <${Problem} problem=${looked.problem || problem} />
    ${!looked.value && !looked.problem && html`<p class="hint">Looking…</p>`}
    ${looked.value && html`<div class=${`verdict ${healthy ? "is-well" : "is-ill"}`} role="status"><${StatusMark} status=${healthy ? "succeeded" : "failed"} />
      <b>${healthy ? "All is well." : `${counted(wrong.length, "thing")} ${wrong.length === 1 ? "is" : "are"} not as ${wrong.length === 1 ? "it" : "they"} should be.`}</b>
      ${repairable.length > 0 && html`<button class="primary" type="button" disabled=${busy} onClick=${repair}><${Icon} name="tools" />Repair ${repairable.length}</button>`}
      <button class="quiet" type="button" disabled=${busy} onClick=${looked.reload}><${Icon} name="retry" />Look again</button></div>`}
    ${wrong.length > 0 && html`<${Findings} title="Findings" findings=${wrong} />`}
    ${fixed.value?.length > 0 && html`<${Findings} title="Repaired just now" findings=${fixed.value} />`}
    ${info.length > 0 && html`<${Findings} title="Good to know" findings=${info} />`}
    <label class="check"><input type="checkbox" checked=${everything.value} onChange=${(event) => (everything.value = event.currentTarget.checked)} /> Read the events of all ended runs too (slow on a long history)</label>
  </div></div>`;
}

function Findings({ title, findings }) {
  return html`<section aria-label=${title}><h3 class="section-title">${title} <span class="count">${findings.length}</span></h3>
    <ul class="rows" data-walk>${findings.map((finding) => html`<li key=${`${finding.invariant} ${finding.subject}`} class="row finding">
      <${StatusMark} status=${finding.repaired ? "succeeded" : MARKS[finding.severity]} />
      <span class="finding-said"><span class="visually-hidden">${finding.severity}: </span>${plainSentence(finding.explanation)}</span>
      <span class="row-facts"><span>${finding.invariant}</span><${Subject} finding=${finding} />${finding.repairable && !finding.repaired && html`<span class="tag">can be repaired</span>`}</span>
    </li>`)}</ul></section>`;
}

const RUN = /^([0-9a-f]{8}-[0-9a-f-]{27})(?:\/(.+))?$/;

function Subject({ finding }) {
  const [, run, step] = RUN.exec(finding.subject) ?? [];
  if (run) return html`<a href=${runLink(run, step)} data-walk-item>${step ? `step ${step}` : "the run"}</a>`;
  if (finding.severity === "info") return html`<a href=${linkTo(["inbox"])} data-walk-item>Inbox</a>`;
  return html`<span>${shortWorker(finding.subject)}</span>`;
}
