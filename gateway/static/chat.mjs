// The conversation: what was asked, what was answered (streaming), and how far each run is.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon, StatusMark } from "./marks.mjs";
import { Markdown } from "./markdown.mjs";
import { Problem } from "./problem.mjs";
import { useActing } from "./acting.mjs";
import { Composer } from "./composer.mjs";
import { CopyButton } from "./values.mjs";
import { brainName, counted, duration, millis, runName, statusWord } from "./formats.mjs";
import { earlier, pane, runLink, selectedId, send, sendAnew, turns } from "./conversation.mjs";
import { entryOf } from "./runs.mjs";
import { isOver, isSettled } from "./run_state.mjs";
import { system } from "./system.mjs";

const MOST_CHIPS = 8;
const NEAR_END = 120; // pixels: who reads further up is left in peace
const EXAMPLES = [
  "What is 17% of 2340, and what time is it in Tokyo?",
  "Convert 26.2 miles to kilometres, then divide that by 4.",
  "How many days until 1 January?",
  "Remember that our launch is on a Tuesday.",
];

export function Chat() {
  const scroller = useRef(null);
  const followed = useRef(true);
  useLayoutEffect(() => {
    if (followed.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  });
  // Read here, so that new text of any turn runs the effect above.
  const runs = turns.value.map((id) => entryOf(id).run.value);
  const noteScroll = ({ currentTarget: box }) => (followed.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END);
  return html`<h2 class="visually-hidden">Conversation</h2>
    <div class="turns" ref=${scroller} onScroll=${noteScroll} tabindex="0" role="region" aria-label="Messages">
      ${turns.value.length === 0 && earlier.value.length === 0 && html`<${Welcome} />`}
      ${earlier.value.map((message) => html`<${Said} key=${message.id} message=${message} />`)}
      ${turns.value.map((id, at) => html`<${Turn} key=${id} id=${id} run=${runs[at]} last=${at === runs.length - 1} />`)}
    </div>
    <${Composer} onSend=${() => (followed.current = true)} />`;
}

function Welcome() {
  return html`<div class="welcome">
    <p class="welcome-title">What should be done?</p>
    <p>Ask for one thing or several. You see the plan while it is carried out, and nothing is lost if you close the page.</p>
    <ul>${EXAMPLES.map((example) => html`<li><button type="button" onClick=${() => send(example)}>${example}</button></li>`)}</ul>
    <${OfflineHint} />
  </div>`;
}

export function OfflineHint() {
  if (system.value?.brain !== "offline") return null;
  return html`<p class="hint">The offline brain answers: it knows arithmetic, units, times, dates, pages and memory.
    Set <code>OPENAI_API_KEY</code> or <code>OPENAI_BASE_URL</code> to use a language model.</p>`;
}

function Turn({ id, run, last }) {
  const problem = entryOf(id).problem.value;
  if (!run) return html`<article class="turn" aria-label="Run">${problem ? html`<${Problem} problem=${problem} />` : html`<p class="hint">Loading…</p>`}</article>`;
  const live = !isOver(run);
  return html`<article class=${`turn ${selectedId.value === id ? "is-selected" : ""}`} aria-label=${runName(run)}>
    <${Asked} id=${id} run=${run} />
    <div class="answered">
      <${Chips} id=${id} run=${run} />
      ${live && !run.answer && html`<p class="progress"><${StatusMark} status=${run.status === "paused" ? "paused" : "running"} />${progressOf(run)}</p>`}
      <div class="answer" aria-live=${last ? "polite" : "off"} aria-busy=${live}>
        ${run.answer && html`<${Markdown} text=${run.answer} />`}
      </div>
      ${run.error && html`<div class="problem"><p>${run.error}</p></div>`}
      ${problem && html`<${Problem} problem=${problem} />`}
      <${TurnFoot} id=${id} run=${run} last=${last} />
    </div>
  </article>`;
}

/** A message that no run of this conversation brought: it comes from the conversation that this one was forked from. */
function Said({ message }) {
  return html`<article class="turn" aria-label="Said before"><div class=${message.role === "user" ? "asked" : "answered"}>${message.role === "user" ? message.text : html`<div class="answer"><${Markdown} text=${message.text} /></div>`}</div></article>`;
}

/** What was asked; it can be corrected and sent anew, which begins a conversation of its own. */
function Asked({ id, run }) {
  const text = useSignal(null); // null: it is not being corrected
  const { busy, problem, act } = useActing();
  const box = useRef(null);
  const editing = text.value !== null;
  useEffect(() => box.current?.focus(), [editing]);
  if (!editing) {
    return html`<div class="asked-line">
      ${run.request && html`<button class="quiet edit-request" type="button" title="Correct and send anew (e)" aria-label="Correct and send anew" onClick=${() => (text.value = run.request)}><${Icon} name="edit" /></button>`}
      <div class="asked">${runName(run)}</div></div>
      ${(run.steered ?? []).map((added) => html`<div class="asked">${added}</div>`)}`;
  }
  const submit = (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (words) act("send", async () => (await sendAnew(id, words), (text.value = null)));
  };
  const keys = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
    if (event.key !== "Escape") return;
    event.stopPropagation();
    text.value = null;
  };
  return html`<form class="json-form anew" onSubmit=${submit} onKeyDown=${keys}>
    <label for=${`anew-${id}`}>In other words</label>
    <textarea class="words" id=${`anew-${id}`} ref=${box} rows="2" value=${text.value} onInput=${(event) => (text.value = event.currentTarget.value)}></textarea>
    <p class="hint">It begins another conversation with what was said before; this one stays.</p>
    <div class="buttons"><button class="primary" type="submit" disabled=${busy || !text.value.trim()}>Send</button><button class="quiet" type="button" onClick=${() => (text.value = null)}>Never mind</button></div>
    <${Problem} problem=${problem} />
  </form>`;
}

function Chips({ id, run }) {
  if (!run.steps.length) return null;
  const rest = run.steps.length - MOST_CHIPS;
  const open = (step) => (location.hash = runLink(id, step.id));
  return html`<ul class="chips" aria-label="Steps">
    ${run.steps.slice(0, MOST_CHIPS).map((step) => html`<li key=${step.id}><button type="button" onClick=${() => open(step)} title=${step.why}>
      <${StatusMark} status=${step.status} />${step.tool}<span class="visually-hidden">, ${statusWord(step.status)}</span></button></li>`)}
    ${rest > 0 && html`<li class="more">and ${rest} more</li>`}
  </ul>`;
}

/** One short sentence on what a live run is doing. */
export function progressOf(run) {
  if (run.cancelRequested) return "Cancelling…";
  if (run.awaitsReview) return "The plan is ready to look at; nothing of it runs yet.";
  if (run.status === "queued") return "Queued…";
  if (!run.steps.length) return "Planning…";
  const settled = run.steps.filter(isSettled).length;
  if (settled === run.steps.length) return "Writing the answer…";
  return `${settled} of ${counted(run.steps.length, "step")} done…`;
}

function TurnFoot({ id, run, last }) {
  const viewPlan = () => {
    location.hash = runLink(id);
    pane.value = "plan";
  };
  const took = run.finishedAt && run.createdAt ? duration(millis(run.finishedAt) - millis(run.createdAt)) : null;
  return html`<footer class="facts">
    ${isOver(run) && html`<span class=${`status tone-${run.status}`}><${StatusMark} status=${run.status} />${statusWord(run.status)}</span>`}
    ${run.forkedFrom && html`<span>fork</span>`}
    ${took && html`<span>${took}</span>`}
    ${run.brain && html`<span>${brainName(run.brain)}</span>`}
    <button class="quiet" type="button" onClick=${viewPlan}><${Icon} name="plan" />Plan</button>
    ${run.answer && html`<${CopyButton} text=${() => run.answer} label="Copy the answer" />`}
    ${last && run.brain === "offline" && isOver(run) && html`<span class="hint">Set <code>OPENAI_API_KEY</code> or <code>OPENAI_BASE_URL</code> to use a model.</span>`}
  </footer>`;
}
