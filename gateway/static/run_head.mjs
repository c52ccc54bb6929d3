// The head of a run: what it is, how it stands, what it waits on, and what can be done with the whole of it.

import { html } from "./html.mjs";
import { Icon, StatusMark } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { WhyLine } from "./why_line.mjs";
import { brainName, counted, dateOf, duration, millis, runName, statusWord } from "./formats.mjs";
import { changeRun, getLineage } from "./api.mjs";
import { linkTo } from "./address.mjs";
import { say, useActing } from "./acting.mjs";
import { runLink } from "./conversation.mjs";
import { draftOf, drop, fork, forkDraft } from "./forking.mjs";
import { useLoaded } from "./loading.mjs";
import { cancel } from "./runs.mjs";
import { isOver, isSettled } from "./run_state.mjs";

export function RunHead({ entry, run, at }) {
  const settled = run.steps.filter(isSettled).length;
  const began = millis(run.startedAt ?? run.createdAt);
  const over = isOver(run);
  return html`<header class="plan-head">
    <h2 class="visually-hidden">Plan</h2>
    <p class="plan-name">${runName(run)}</p>
    <p class="facts">
      <span class=${`status tone-${run.status}`}><${StatusMark} status=${run.status} />${statusWord(run.status)}</span>
      ${run.steps.length > 0 && html`<span>${over ? counted(run.steps.length, "step") : `${settled} of ${counted(run.steps.length, "step")}`}</span>`}
      ${began && html`<span>${duration(at - began)}</span>`}
      ${run.revision > 1 && html`<span>revision ${run.revision}</span>`}
      ${run.brain && html`<span>${brainName(run.brain)}</span>`}
      ${run.createdAt && html`<span>${dateOf(run.createdAt)}</span>`}
      ${Object.entries(run.labels || {}).map(([name, value]) => html`<span class="tag">${name}: ${value}</span>`)}
    </p>
    ${!run.awaitsReview && html`<${RunActions} key=${run.id} entry=${entry} run=${run} />`}
    ${over ? html`<${Lineage} key=${run.id} run=${run} />` : !run.awaitsReview && html`<${WhyLine} key=${run.id} run=${run} />`}
  </header>`;
}

function RunActions({ entry, run }) {
  const { busy, problem, act } = useActing();
  const cancelling = entry.cancelling.value || run.cancelRequested;
  const change = (verb, sentence) => async () => (await act(verb, () => changeRun(run.id, verb))) && say(sentence);
  const paused = run.status === "paused";
  const draft = draftOf(run.id);
  return html`<div class="buttons run-actions">
      ${!isOver(run) && (paused
        ? html`<button class="primary" type="button" disabled=${busy} onClick=${change("resume", "The run goes on.")}><${Icon} name="play" />Resume</button>`
        : html`<button type="button" disabled=${busy || cancelling} onClick=${change("pause", "Paused: nothing more begins in this run.")}><${Icon} name="pause" />Pause</button>`)}
      ${!isOver(run) && html`<button class="danger" type="button" disabled=${cancelling} onClick=${() => cancel(run.id)}>
        <${Icon} name="stop" />${cancelling ? "Cancelling…" : "Cancel run"}</button>`}
      ${isOver(run) && run.status !== "succeeded" && !draft && html`<button class="primary" type="button" disabled=${busy} title="A fork: what is finished is shared, the rest runs"
        onClick=${() => act("fork", () => fork(run.id))}><${Icon} name="fork" />Go on from there</button>`}
    </div>
    ${draft && html`<${Draft} draft=${draft} busy=${busy} start=${() => act("fork", () => fork(run.id))} />`}
    <${Problem} problem=${problem} />`;
}

/** Changes to several steps, collected for one fork. */
function Draft({ draft, busy, start }) {
  const steps = Object.entries(draft.patches);
  return html`<section class="draft" aria-label="Fork in the making">
    <p>A fork with ${counted(steps.length, "change")}:</p>
    <ul>${steps.map(([step, patch]) => html`<li><code>${step}</code> other ${"output" in patch ? "result" : "arguments"}
      <button class="quiet" type="button" aria-label=${`Drop the change of ${step}`} onClick=${() => drop(draft.runId, step)}><${Icon} name="close" /></button></li>`)}</ul>
    <div class="buttons"><button class="primary" type="button" disabled=${busy} onClick=${start}><${Icon} name="fork" />Start the fork</button>
      <button class="quiet" type="button" onClick=${() => (forkDraft.value = null)}>Drop it</button></div>
  </section>`;
}

/** Where the run comes from and what was forked from it, each to be opened or compared. */
function Lineage({ run }) {
  const { value } = useLoaded(() => getLineage(run.id), [run.id]);
  const parent = value?.ancestors[0];
  if (!parent && !value?.forks.length) return null;
  return html`<p class="lineage facts">
    ${parent && html`<span>Fork of <a href=${runLink(parent.id)}>an earlier run</a> · <a href=${linkTo(["diff", parent.id, run.id])}>Compare</a></span>`}
    ${value.forks.map((one) => html`<span><${StatusMark} status=${one.status} /> <a href=${runLink(one.id)}>Fork</a> of ${dateOf(one.createdAt)} · <a href=${linkTo(["diff", run.id, one.id])}>Compare</a></span>`)}
  </p>`;
}
