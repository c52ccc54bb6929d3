// What was before: conversations, to go on with, rename, fork or forget; or all runs. Each is a link that opens it.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.mjs";
import { useActing, say } from "./acting.mjs";
import { Icon, StatusMark } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { linkTo } from "./address.mjs";
import { conversations, conversationsProblem, forget, fork, moreConversations, olderConversations, rename, titleOf } from "./conversation_list.mjs";
import { runName, since, statusWord } from "./formats.mjs";
import { conversationId, newConversation, pane, runLink, selectedId } from "./conversation.mjs";
import { listLoaded, listProblem, loadOlder, nextCursor, runList } from "./run_list.mjs";
import { entryOf } from "./runs.mjs";
import { Sure } from "./step_actions.mjs";

const VIEWS = { conversations: "Conversations", runs: "Runs" };
const shown = signal("conversations");

export function PastRuns() {
  return html`<h2 class="visually-hidden">What was before</h2>
    <div class="switch past-switch" role="group" aria-label="What to list">${Object.entries(VIEWS).map(([name, label]) => html`<button type="button" aria-pressed=${shown.value === name} onClick=${() => (shown.value = name)}>${label}</button>`)}</div>
    ${shown.value === "runs" ? html`<${Runs} />` : html`<${Conversations} />`}`;
}

function Runs() {
  return html`<${Problem} problem=${listProblem.value?.status === 401 ? null : listProblem.value} />
    ${runList.value.length === 0 && html`<p class="hint">${!listLoaded.value ? "Loading…" : listProblem.value ? "" : "None yet."}</p>`}
    <ul class="past-runs" data-walk>${runList.value.map((run) => html`<${PastRun} key=${run.id} run=${run} />`)}</ul>
    ${nextCursor.value && html`<button class="quiet" type="button" onClick=${loadOlder}>Older runs</button>`}`;
}

function PastRun({ run }) {
  const status = entryOf(run.id).run.value?.status ?? run.status; // a followed run knows sooner than the list
  const current = selectedId.value === run.id;
  return html`<li>
    <a href=${runLink(run.id)} data-walk-item aria-current=${current ? "page" : undefined} onClick=${() => (pane.value = "chat")}>
      <${StatusMark} status=${status} />
      <span class="past-name">${runName(run)}</span>
      <span class="past-facts"><span class="visually-hidden">${statusWord(status)}, </span>${since(run.createdAt, Date.now())}</span>
    </a>
  </li>`;
}

function Conversations() {
  const found = conversations.value;
  return html`<${Problem} problem=${conversationsProblem.value?.status === 401 ? null : conversationsProblem.value} />
    ${!found?.length && html`<p class="hint">${found ? "None yet." : conversationsProblem.value ? "" : "Loading…"}</p>`}
    <ul class="past-runs" data-walk>${(found ?? []).map((one) => html`<${Conversation} key=${one.id} one=${one} />`)}</ul>
    ${moreConversations.value && html`<button class="quiet" type="button" onClick=${olderConversations}>Older ones</button>`}`;
}

function Conversation({ one }) {
  const asking = useSignal(null);
  const { busy, problem, act } = useActing();
  const current = conversationId.value === one.id;
  const never = () => (asking.value = null);
  const forkIt = () => act("fork", async () => {
    location.hash = linkTo(["conversations", await fork(one.id)]);
    say("Another conversation, with the same beginning.");
  });
  const forgetIt = () => act("forget", async () => {
    await forget(one.id);
    say("Forgotten; its runs stay.");
    if (current) newConversation();
  });
  const title = titleOf(one);
  return html`<li class="past ${asking.value ? "is-asking" : ""}">
    <a href=${linkTo(["conversations", one.id])} data-walk-item aria-current=${current ? "page" : undefined} onClick=${() => (pane.value = "chat")}>
      <${Icon} name="chat" /><span class="past-name">${title}</span><span class="past-facts">${since(one.last.at, Date.now())}</span></a>
    <span class="past-tools">
      <button class="quiet" type="button" title="Rename" aria-label=${`Rename ${title}`} aria-expanded=${asking.value === "rename"} onClick=${() => (asking.value = asking.value === "rename" ? null : "rename")}><${Icon} name="edit" /></button>
      <button class="quiet" type="button" title="Fork" aria-label=${`Fork ${title}`} disabled=${busy} onClick=${forkIt}><${Icon} name="fork" /></button>
      <button class="quiet" type="button" title="Forget" aria-label=${`Forget ${title}`} aria-expanded=${asking.value === "forget"} onClick=${() => (asking.value = asking.value === "forget" ? null : "forget")}><${Icon} name="bin" /></button></span>
    ${asking.value === "rename" && html`<${Title} title=${one.title ?? ""} busy=${busy} onNo=${never} onYes=${(text) => act("rename", async () => (await rename(one.id, text), never()))} />`}
    ${asking.value === "forget" && html`<${Sure} busy=${busy} does="Forget it" onYes=${forgetIt} onNo=${never}>Forget what was said here?<//>`}
    <${Problem} problem=${problem} />
  </li>`;
}

function Title({ title, busy, onYes, onNo }) {
  const text = useSignal(title);
  const box = useRef(null);
  useEffect(() => box.current.focus(), []);
  const keys = (event) => event.key === "Escape" && (event.stopPropagation(), onNo());
  return html`<form class="past-title" onKeyDown=${keys} onSubmit=${(event) => (event.preventDefault(), onYes(text.value.trim()))}>
    <input type="text" aria-label="Title" maxlength="200" ref=${box} value=${text.value} onInput=${(event) => (text.value = event.currentTarget.value)} />
    <button type="submit" disabled=${busy}>Keep</button></form>`;
}
