// One dead letter: what was given up, every attempt that led there, and what to do about it.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Icon, StatusMark } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { getLetter, settleLetter } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { Attempts } from "../attempts.mjs";
import { runLink } from "../conversation.mjs";
import { Drawer } from "../drawer.mjs";
import { dateOf, runName, since, statusWord } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { Sure } from "../step_actions.mjs";
import { Fact } from "../values.mjs";
import { REASONS } from "./reasons.mjs";

export function LetterDrawer({ id, walk, close, changed }) {
  const { value: letter, problem, reload } = useLoaded(() => getLetter(id), [id]);
  const here = letter?.id === id ? letter : null;
  const title = html`<div class="drawer-title">
    <h2><${StatusMark} status=${here?.resolvedAt ? "skipped" : "failed"} />${here ? here.tool || `${here.phase} phase` : "Dead letter"}</h2>
    <p class="facts">${here && html`${here.stepId && html`<code>${here.stepId}</code>`}<span>${REASONS[here.reason]}</span><span>${since(here.at, Date.now())}</span>`}</p>
  </div>`;
  return html`<${Drawer} name="Dead letter" title=${title} close=${close} walk=${walk} returnTo=${`letter-${id}`}>
    <div class="drawer-body">
      <${Problem} problem=${problem} />
      ${here && html`<${Letter} key=${id} letter=${here} changed=${() => Promise.all([reload(), changed()])} />`}
    </div>
  <//>`;
}

function Letter({ letter, changed }) {
  return html`<div class="problem"><p>${letter.error?.detail || REASONS[letter.reason]}</p></div>
    ${letter.resolvedAt ? html`<${Resolved} letter=${letter} />` : html`<${LetterActions} letter=${letter} changed=${changed} />`}
    <${Attempts} attempts=${letter.attempts} />
    <section><h3>The run</h3>
      <a class="run-card" href=${runLink(letter.workflowId, letter.stepId)}><${StatusMark} status=${letter.run.status} /><span class="row-name">${runName(letter.run)}</span>
        <span class="row-facts"><span>${statusWord(letter.run.status)}</span><span>${dateOf(letter.run.createdAt)}</span>${Object.entries(letter.labels || {}).map(([name, value]) => html`<span class="tag">${name}: ${value}</span>`)}</span></a>
    </section>`;
}

function Resolved({ letter }) {
  return html`<dl class="facts-list">
    <${Fact} name="Taken care of">${letter.resolution}, ${dateOf(letter.resolvedAt)}<//>
    ${letter.successor && html`<${Fact} name="Goes on as"><a href=${runLink(letter.successor)}>another run</a><//>`}
  </dl>`;
}

function LetterActions({ letter, changed }) {
  const sure = useSignal(false);
  const { busy, problem, act } = useActing();
  const settle = (action, sentence) => async () => {
    let goesOn = null;
    if (await act(action, async () => (goesOn = (await settleLetter(letter.id, action)).continuesAs))) say(sentence);
    await changed();
    if (goesOn && action !== "discard") location.hash = runLink(goesOn);
  };
  return html`<section class="actions" aria-label="Actions">
    <div class="buttons">
      <button class="primary" type="button" disabled=${busy} title="What is finished is kept" onClick=${settle("resume", "The run goes on from there.")}><${Icon} name="retry" />Resume from there</button>
      <button type="button" disabled=${busy} title="Everything runs anew" onClick=${settle("restart", "The run started over.")}><${Icon} name="fork" />Restart</button>
      <button type="button" disabled=${busy} aria-expanded=${sure.value} onClick=${() => (sure.value = !sure.value)}><${Icon} name="bin" />Discard</button>
    </div>
    ${sure.value && html`<${Sure} busy=${busy} does="Discard it" onYes=${settle("discard", "The letter is put away.")} onNo=${() => (sure.value = false)}>
      Put this letter away? The run stays as it is.<//>`}
    <${Problem} problem=${problem} />
  </section>`;
}
