// The memory of a user: looked through newest first or searched, each with where it comes from; corrected or forgotten.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { place } from "../address.mjs";
import { forgetMemory, listMemories, replaceMemory, searchMemory } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { runLink } from "../conversation.mjs";
import { dateOf } from "../formats.mjs";
import { Sure } from "../step_actions.mjs";
import { useLoaded } from "../loading.mjs";
import { Choice, Search, usePages } from "./lists.mjs";
import { Story } from "./memory_story.mjs";
import { Quarantine, readQuarantine } from "./quarantine.mjs";

const MOST_FOUND = 30;
const KINDS = { note: "notes", fact: "facts", episode: "episodes", message: "messages" };

export function Place() {
  const { text, user, kind, all } = place.value.query;
  const read = async (cursor) => {
    if (!text) return listMemories({ userId: user, kind: KINDS[kind] && kind, all: all && "true", cursor, limit: 30 });
    const found = await searchMemory(text, MOST_FOUND, user || undefined);
    return { ...found, items: kind ? found.items.filter((item) => item.kind === kind) : found.items, next: null };
  };
  const memories = usePages(read, [text, user, kind, all]);
  const held = useLoaded(() => readQuarantine(user), [user]);
  const changed = () => Promise.all([memories.reload(), held.reload()]);
  return html`<div class="page"><div class="page-body">
    <h2 class="page-title">Memory</h2>
    <p class="hint">What is remembered of a user, and where it comes from.</p>
    <form class="filters" role="search" aria-label="Search in memory" onSubmit=${(event) => event.preventDefault()}>
      <div class="wide"><${Search} name="text" label="What to look for" value=${text} placeholder="What was said about…" /></div>
      <${Choice} name="kind" label="Kind" value=${kind} options=${{ "": "every kind", ...KINDS }} />
      ${!text && html`<${Choice} name="all" label="Which" value=${all} options=${{ "": "what holds", all: "also what held once" }} />`}
      <${Search} name="user" label="User" value=${user} placeholder="User (default)" />
    </form>
    <${Problem} problem=${memories.problem || held.problem} />
    <${Quarantine} held=${held} changed=${changed} />
    <div role="status">${memories.loaded && !memories.items.length && html`<p class="empty">${text ? "Nothing in memory fits that." : "Nothing is remembered yet."}</p>`}</div>
    <ul class="rows memories" data-walk>${memories.items.map((memory) => html`<${Memory} key=${memory.id} memory=${memory} changed=${changed} />`)}</ul>
    ${memories.next && html`<button class="quiet" type="button" onClick=${memories.more}>Older memories</button>`}
  </div></div>`;
}

function Memory({ memory, changed }) {
  const asking = useSignal(null);
  const { busy, problem, act } = useActing();
  const never = () => (asking.value = null);
  const ask = (form) => () => (asking.value = asking.value === form ? null : form);
  const finish = (name, work, sentence) => act(name, async () => (await work(), never(), say(sentence), await changed()));
  const { source, metadata } = memory;
  return html`<li class=${`memory ${memory.validTo || memory.quarantinedAt ? "is-past" : ""}`}>
    ${asking.value === "edit"
      ? html`<${EditForm} memory=${memory} busy=${busy} onNo=${never} onYes=${(text) => finish("edit", () => replaceMemory(memory.id, text), "Corrected; the old words are kept aside.")} />`
      : html`<p class="memory-text">${memory.text}</p>`}
    <p class="row-facts">
      <span class="tag">${memory.kind}</span><span>${dateOf(memory.at)}</span>
      ${metadata?.speaker && html`<span>${metadata.speaker}</span>`}
      ${source.runId && html`<a href=${runLink(source.runId, source.stepId)}>from ${source.stepId ? `step ${source.stepId}` : "a run"}</a>`}
      ${!source.trusted && html`<span class="tag tone-waiting" title="Text from outside: a page, a tool">not trusted</span>`}
      ${memory.supersededBy && html`<span class="tag">corrected since</span>`}${memory.quarantinedAt && html`<span class="tag tone-waiting">in quarantine</span>`}
      <span class="memory-tools">
        <button class="quiet" type="button" aria-label=${`Story of: ${memory.text.slice(0, 60)}`} title="Where it comes from" aria-expanded=${asking.value === "story"} onClick=${ask("story")}><${Icon} name="clock" /></button>
        <button class="quiet" type="button" data-walk-item aria-label=${`Correct: ${memory.text.slice(0, 60)}`} title="Correct" aria-expanded=${asking.value === "edit"} onClick=${ask("edit")}><${Icon} name="edit" /></button>
        <button class="quiet" type="button" aria-label=${`Forget: ${memory.text.slice(0, 60)}`} title="Forget" aria-expanded=${asking.value === "forget"} onClick=${ask("forget")}><${Icon} name="bin" /></button></span>
    </p>
    ${asking.value === "story" && html`<${Story} id=${memory.id} />`}
    ${asking.value === "forget" && html`<${Sure} busy=${busy} does="Forget it" onYes=${() => finish("forget", () => forgetMemory(memory.id), "Forgotten.")} onNo=${never}>Delete this for good?<//>`}
    <${Problem} problem=${problem} />
  </li>`;
}

function EditForm({ memory, busy, onYes, onNo }) {
  const text = useSignal(memory.text);
  const box = useRef(null);
  useEffect(() => box.current.focus(), []);
  const keys = (event) => {
    if (event.key === "Escape") (event.stopPropagation(), onNo());
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) onYes(text.value.trim());
  };
  return html`<form class="json-form" onKeyDown=${keys} onSubmit=${(event) => (event.preventDefault(), onYes(text.value.trim()))}>
    <label for=${`edit-${memory.id}`}>What holds instead</label>
    <textarea class="words" id=${`edit-${memory.id}`} ref=${box} rows="2" value=${text.value} onInput=${(event) => (text.value = event.currentTarget.value)}></textarea>
    <div class="buttons"><button class="primary" type="submit" disabled=${busy || !text.value.trim() || text.value.trim() === memory.text}>Correct it</button>
      <button class="quiet" type="button" onClick=${onNo}>Never mind</button></div>
  </form>`;
}
