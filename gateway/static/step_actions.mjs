// What a person can do to a step: retry, run with other arguments, set the result, skip; settle a doubt; fork an ended run.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon, StatusMark } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { changeStep } from "./api.mjs";
import { say, useActing } from "./acting.mjs";
import { collect, draftOf, drop, fork } from "./forking.mjs";
import { verbsOf } from "./step_verbs.mjs";
import { JsonForm } from "./values.mjs";

export function StepActions({ run, step }) {
  const asking = useSignal(null); // which form is open
  const { busy, problem, act } = useActing();
  const verbs = verbsOf(run, step);
  const ask = (form) => () => (asking.value = asking.value === form ? null : form);
  const never = () => (asking.value = null);
  const change = (verb, body, sentence) => async () => {
    if (!(await act(verb, () => changeStep(run.id, step.id, verb, body)))) return;
    asking.value = null;
    say(sentence);
  };
  const tools = { run, step, busy, act, change, ask, never, asking: asking.value };
  useEffect(() => never, [step.status]); // what was asked about has happened meanwhile
  if (!verbs.length) return null;
  return html`<section class="actions" aria-label="Actions">
    ${verbs[0] === "resolve" && html`<${Doubt} ...${tools} />`}
    ${verbs[0] === "fork" ? html`<${ForkActions} ...${tools} />` : html`<${LiveActions} verbs=${verbs} ...${tools} />`}
    <${Problem} problem=${problem} />
  </section>`;
}

function LiveActions({ verbs, step, busy, change, ask, never, asking }) {
  const again = { failed: "Retry", waiting: "Go on now", ready: "Retry now" }[step.status];
  return html`<div class="buttons">
      ${verbs.includes("retry") && html`<button class="primary" type="button" disabled=${busy} onClick=${change("retry", undefined, `Step ${step.id} runs again.`)}>
        <${Icon} name="retry" />${again}</button>`}
      ${verbs.includes("rerun") && html`<${Opener} form="rerun" asking=${asking} ask=${ask} icon="edit">Edit and rerun<//>`}
      ${verbs.includes("override") && html`<${Opener} form="override" asking=${asking} ask=${ask}>Set result<//>`}
      ${verbs.includes("skip") && html`<${Opener} form="skip" asking=${asking} ask=${ask} icon="skip">Skip<//>`}
    </div>
    ${asking === "rerun" && html`<${JsonForm} key="rerun" id="new-arguments" label="Arguments to run with" object start=${step.arguments} busy=${busy} onCancel=${never}
      sends=${[["Run with these", (value) => change("rerun", { arguments: value }, `Step ${step.id} runs with other arguments.`)()]]} />`}
    ${asking === "override" && html`<${JsonForm} key="override" id="new-result" label="Result to take" start=${step.output} busy=${busy} onCancel=${never}
      hint="The step counts as succeeded, with this result." sends=${[["Take this result", (value) => change("override", { output: value }, `Step ${step.id} has its result.`)()]]} />`}
    ${asking === "skip" && html`<${Sure} busy=${busy} does="Skip it" onYes=${change("skip", undefined, `Step ${step.id} is skipped.`)} onNo=${never}>
      Do without this step? What only waits for it goes on; what uses its result is skipped too.<//>`}`;
}

/** A step in doubt: did its effect happen? Nothing goes on until somebody says. */
function Doubt({ step, busy, change, ask, never, asking }) {
  return html`<div class="doubt">
    <h3><${StatusMark} status="in_doubt" />Did it happen?</h3>
    <p>${step.error}</p>
    <div class="buttons">
      <${Opener} form="done" asking=${asking} ask=${ask}>It happened<//>
      <button type="button" disabled=${busy} onClick=${change("resolve", { as: "again" }, `Step ${step.id} runs again.`)}>It did not: run again</button>
      <button type="button" disabled=${busy} onClick=${change("resolve", { as: "skip" }, `Step ${step.id} is skipped.`)}>Skip it</button>
    </div>
    ${asking === "done" && html`<${JsonForm} id="doubt-result" label="With which result?" start=${{}} busy=${busy} onCancel=${never}
      hint="Steps that follow get this result." sends=${[["Done with this result", (value) => change("resolve", { as: "done", output: value }, `Step ${step.id} counts as done.`)()]]} />`}
  </div>`;
}

/** An ended run's history is closed: everything here starts a fork, or collects changes for one. */
function ForkActions({ run, step, busy, act, ask, never, asking }) {
  const start = (options) => act("fork", () => fork(run.id, options));
  const keep = (patch) => {
    collect(run.id, step.id, patch);
    never();
  };
  const sends = (kind) => [
    ["Start a fork with this", (value) => start({ patches: { [step.id]: { [kind]: value } } })],
    ["Keep, change more", (value) => keep({ [kind]: value })],
  ];
  const kept = draftOf(run.id)?.patches[step.id];
  return html`<div class="buttons">
      <button type="button" disabled=${busy} title="A new run that shares what came before and runs this step anew" onClick=${() => start({ fromStep: step.id })}>
        <${Icon} name="fork" />Fork from here</button>
      <${Opener} form="arguments" asking=${asking} ask=${ask} icon="edit">With other arguments<//>
      <${Opener} form="output" asking=${asking} ask=${ask}>With another result<//>
    </div>
    ${kept && html`<p class="kept">Kept for the fork: ${Object.keys(kept).join()} <button class="quiet" type="button" onClick=${() => drop(run.id, step.id)}>Drop</button></p>`}
    ${asking === "arguments" && html`<${JsonForm} key="arguments" id="fork-arguments" label="Arguments in the fork" object start=${kept?.arguments ?? step.arguments} busy=${busy} onCancel=${never} sends=${sends("arguments")} />`}
    ${asking === "output" && html`<${JsonForm} key="output" id="fork-result" label="Result in the fork" start=${kept?.output ?? step.output} busy=${busy} onCancel=${never} sends=${sends("output")} />`}`;
}

function Opener({ form, asking, ask, icon, children }) {
  return html`<button type="button" aria-expanded=${asking === form} onClick=${ask(form)}>${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

/** Asks once more before something that can't be taken back. */
export function Sure({ does, busy, onYes, onNo, children }) {
  const yes = useRef(null);
  useEffect(() => yes.current.focus(), []);
  const keys = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onNo();
  };
  return html`<div class="sure" role="group" aria-label="Are you sure?" onKeyDown=${keys}>
    <p>${children}</p>
    <div class="buttons"><button class="danger" type="button" ref=${yes} disabled=${busy} onClick=${onYes}>${does}</button>
      <button class="quiet" type="button" onClick=${onNo}>Never mind</button></div>
  </div>`;
}
