// The frame of the page: header, the rail of places, the talk (past runs, conversation, plan), dialogs, what is said aloud.

import { computed, effect } from "@preact/signals";
import { html } from "./html.mjs";
import { place } from "./address.mjs";
import { Toast } from "./acting.mjs";
import { Icon, Logo } from "./marks.mjs";
import { Chat, progressOf } from "./chat.mjs";
import { drawer, narrow } from "./drawer.mjs";
import { Elsewhere, Rail, goTo, placeName } from "./rail.mjs";
import { PlanPane, view } from "./plan_pane.mjs";
import { PastRuns } from "./past_runs.mjs";
import { StepDrawer } from "./step_drawer.mjs";
import { KeyForm } from "./key_form.mjs";
import { openPanel } from "./open_panel.mjs";
import { Panels } from "./panels.mjs";
import { listenToJumps, listenToKeys, walk } from "./keyboard.mjs";
import { runName, statusWord } from "./formats.mjs";
import { liveEntry, newConversation, openStep, pane, retryOpen, selected } from "./conversation.mjs";
import { refreshConversations } from "./conversation_list.mjs";
import { refreshList } from "./run_list.mjs";
import { isOver } from "./run_state.mjs";
import { reachable, readSystem, system } from "./system.mjs";

const PANES = { chat: "Chat", plan: "Plan", runs: "Recent" };

export function App() {
  const afterKey = () => Promise.all([readSystem(), refreshList(), refreshConversations(), retryOpen()]);
  return html`<div class="frame">
    <${Header} />
    <${KeyForm} onKey=${afterKey} />
    <div class="room">
      <${Rail} />
      ${place.value.name === "talk" ? html`<${Talk} />` : html`<${Elsewhere} />`}
    </div>
    <p class="visually-hidden" role="status">${spoken.value}</p>
    <${Toast} />
    <${Panels} />
  </div>`;
}

function Talk() {
  const open = Boolean(openStep.value);
  const covered = open && narrow.value; // a sheet lies over the panes
  return html`<main class=${`talk shows-${pane.value} ${open ? "has-drawer" : ""}`}>
    <nav class="pane-switch" aria-label="Panes" inert=${covered}>
      ${Object.entries(PANES).map(([name, label]) => html`<button type="button" aria-pressed=${pane.value === name} onClick=${() => (pane.value = name)}>${label}</button>`)}
    </nav>
    <nav class="pane runs-pane" aria-label="Conversations and runs" inert=${covered}><${PastRuns} /></nav>
    <section class="pane chat-pane" aria-label="Conversation" inert=${covered}><${Chat} /></section>
    <section class="pane plan-pane" id="plan" aria-label="Plan of the run" tabindex="-1" inert=${covered}><${PlanPane} /></section>
    <${StepDrawer} />
  </main>`;
}

function Header() {
  return html`<header class="top">
    <h1><${Logo} />Perdure</h1>
    <${BrainName} />
    <${Connection} />
    <div class="top-actions">
      <button type="button" class="quiet" title="New conversation (n)" aria-label="New conversation" onClick=${newConversation}><${Icon} name="plus" /><span>New</span></button>
      <button type="button" class="quiet" title="Keyboard (?)" aria-label="Keyboard shortcuts" onClick=${() => (openPanel.value = "keys")}><${Icon} name="keys" /></button>
    </div>
  </header>`;
}

function BrainName() {
  const { brain, model } = system.value || {};
  if (!brain) return null;
  const name = brain === "offline" ? "offline brain" : model || brain;
  const hint = brain === "offline" ? "Set OPENAI_API_KEY or OPENAI_BASE_URL to use a language model" : "The model that plans and answers";
  return html`<span class="brain" title=${hint}>${name}</span>`;
}

const CONNECTIONS = { connecting: "Connecting…", live: "Live", waiting: "Reconnecting…" };

function Connection() {
  if (!reachable.value) return html`<span class="connection is-waiting">Server not reachable</span>`;
  const state = liveEntry.value?.connection.value;
  if (!CONNECTIONS[state]) return null;
  return html`<span class=${`connection is-${state}`}>${CONNECTIONS[state]}</span>`;
}

// Told to screen readers as it changes: the state of the selected run, in one sentence, without the ticking numbers.
const spoken = computed(() => {
  const run = selected.value?.run.value;
  if (!run) return "";
  if (selected.value.connection.value === "waiting") return "Connection lost, reconnecting.";
  return isOver(run) ? `Run ${statusWord(run.status)}.` : progressOf(run);
});

/** Side effects of the frame: the window's title and the keys. */
export function startFrame() {
  effect(() => {
    const run = selected.value?.run.value;
    const { name } = place.value;
    if (name !== "talk") document.title = `${placeName(name)} – Perdure`;
    else document.title = run ? `${isOver(run) ? "" : "● "}${runName(run)} – Perdure` : "Perdure";
  });
  const focusIn = (name, find) => {
    if (place.value.name !== "talk") location.hash = selected.value ? `#/runs/${selected.value.id}` : "#/";
    pane.value = name;
    find()?.focus();
    if (document.activeElement !== find()) requestAnimationFrame(() => find()?.focus()); // its pane was not shown yet
  };
  listenToKeys({
    "/": () => {
      const search = document.querySelector("main input[type=search]");
      if (search) search.focus();
      else focusIn("chat", () => document.getElementById("request"));
    },
    "?": () => (openPanel.value = "keys"),
    j: () => (drawer.value ? drawer.value.walk(1) : walk(1)),
    k: () => (drawer.value ? drawer.value.walk(-1) : walk(-1)),
    n: newConversation,
    a: () => press("a"),
    d: () => press("d"),
    e: () => [...document.querySelectorAll(".chat-pane .edit-request")].at(-1)?.click(),
    s: () => document.querySelector(".composer .danger")?.click(),
    t: () => (view.value = view.value === "graph" ? "timeline" : "graph"),
    p: () => focusIn("plan", () => document.querySelector(".steps [data-walk-item], .lanes [data-walk-item]") || document.getElementById("plan")),
    r: () => focusIn("runs", () => document.querySelector(".past-runs [data-walk-item]")),
    Escape: leave,
  });
  listenToJumps(goTo);
}

/** a and d: the button for it in what has the focus, and nowhere else. */
const press = (key) => document.activeElement?.closest("[data-keys]")?.querySelector(`[data-key="${key}"]`)?.click();

/** Esc: first out of a text box, then out of the drawer. */
function leave() {
  const writing = document.activeElement?.matches("textarea, input");
  if (writing) document.activeElement.blur();
  if (drawer.value && (!writing || document.activeElement === document.body)) drawer.value.close();
}
