// What is open: the conversation with its turns (run ids, oldest first), the selected run, and how a request is sent,
// corrected and sent anew.

import { computed, effect, signal, untracked } from "@preact/signals";
import { say } from "./acting.mjs";
import { linkTo, place, setQuery } from "./address.mjs";
import { changeRun, listMessages, listRuns, newKey, startRun } from "./api.mjs";
import { fork, refreshConversations } from "./conversation_list.mjs";
import { followOnly, entryOf, expect, forgetProblems, load, tickWhile } from "./runs.mjs";
import { refreshList } from "./run_list.mjs";
import { isOver } from "./run_state.mjs";

const MOST_TURNS = 20; // earlier turns of a long conversation stay in the list of past runs

export const conversationId = signal(null);
export const turns = signal([]);
/** What was said in it before its first run, where it is the fork of another. */
export const earlier = signal([]);
export const selectedId = signal(null);
/** The id of the step whose drawer is open; the address says so. */
export const openStep = computed(() => (place.value.name === "talk" && place.value.query.step) || null);
export const pane = signal("chat"); // which pane a narrow screen shows: chat, plan or runs
export const draft = signal("");
export const planFirst = signal(false); // the next request's plan is to be looked at before it runs
/** What to do with a request while a run of the conversation lives: enqueue, steer or interrupt. */
export const whenBusy = signal("enqueue");
/** The agent that the next requests are for; "" is none. */
export const agent = signal("");
export const sending = signal(false);
export const sendProblem = signal(null);

export const selected = computed(() => (selectedId.value ? entryOf(selectedId.value) : null));
/** The newest run of the conversation that has not ended, if any. */
export const liveEntry = computed(() =>
  turns.value.map(entryOf).findLast((entry) => entry.run.value && !isOver(entry.run.value)),
);

export const runLink = (id, step) => linkTo(["runs", id], { step });

/** #/runs/<id> opens that run, #/conversations/<id> that conversation, anything else of the talk is a new one. Other
 * places leave it as it is. */
async function openFromAddress({ name, parts, query }) {
  if (name !== "talk") return;
  if (parts[0] === "conversations" && parts[1]) return openConversation(parts[1]);
  const id = parts[1] ?? null;
  if (query.step) pane.value = "plan";
  if (id === selectedId.value) return;
  selectedId.value = id;
  if (!id) return showTurns(null, []);
  if (turns.value.includes(id)) return;
  showTurns(null, [id]);
  await openRun(id);
}

async function openConversation(id) {
  if (conversationId.value !== id) showTurns(id, []);
  selectedId.value = turns.value.at(-1) ?? null;
  const ids = await turnsOf(id);
  if (conversationId.value !== id) return;
  showTurns(id, ids);
  selectedId.value = ids.at(-1) ?? null;
  await Promise.all([...ids.map(load), readEarlier(id)]);
}

async function readEarlier(conversation) {
  try {
    const { items } = await listMessages(conversation);
    if (conversationId.value === conversation) earlier.value = items.filter((message) => !message.workflowId);
  } catch {
    // the turns are shown all the same
  }
}

async function openRun(id) {
  const entry = await load(id);
  const conversation = entry.run.value?.conversationId;
  if (selectedId.value !== id || !conversation) return;
  conversationId.value = conversation;
  const others = await turnsOf(conversation);
  if (selectedId.value !== id) return;
  const ids = others.includes(id) ? others : [...others, id];
  showTurns(conversation, [...ids, ...turns.value.filter((turn) => !ids.includes(turn))]);
  await Promise.all([...ids.map(load), readEarlier(conversation)]);
}

async function turnsOf(conversation) {
  try {
    const { items } = await listRuns({ conversationId: conversation, limit: 50 });
    const own = items.filter((run) => run.conversationId === conversation);
    own.sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
    return own.slice(-MOST_TURNS).map((run) => run.id);
  } catch {
    return []; // the run itself is shown; its problem, if any, is told there
  }
}

function showTurns(conversation, ids) {
  if (conversation !== conversationId.peek() || !ids.length) earlier.value = [];
  conversationId.value = conversation;
  turns.value = ids;
  followOnly(ids);
}

/** After a new API key: load again what could not be loaded. */
export async function retryOpen() {
  forgetProblems();
  sendProblem.value = null;
  if (selectedId.value) await openRun(selectedId.value);
}

export function newConversation() {
  sendProblem.value = null;
  pane.value = "chat";
  location.hash = "#/";
  document.getElementById("request")?.focus();
}

let attempt = { text: null, key: null }; // one key for one request, however often it is sent

/** Start a run of the open conversation (or of a new one). */
export async function send(text) {
  const request = text.trim();
  if (!request || sending.value) return;
  const conversation = conversationId.value;
  const about = `${conversation} ${request}`;
  if (attempt.text !== about) attempt = { text: about, key: newKey() };
  sending.value = true;
  sendProblem.value = null;
  try {
    const body = { request };
    if (conversation) body.conversationId = conversation;
    if (conversation && liveEntry.peek()) body.onBusy = whenBusy.peek();
    if (planFirst.peek()) body.review = true;
    if (agent.peek()) body.agent = agent.peek();
    const started = await startRun(body, attempt.key);
    attempt = { text: null, key: null };
    draft.value = "";
    planFirst.value = false;
    if (started.steered) say("Added to the run: it is taken in when its present steps have ended.");
    else accepted(started, request, conversation);
  } catch (problem) {
    sendProblem.value = problem;
    draft.value = text;
  } finally {
    sending.value = false;
  }
}

function accepted(started, request, conversation) {
  const id = started.workflowId;
  expect(id, { request, conversationId: started.conversationId, status: started.status, createdAt: new Date().toISOString() });
  // The user may have opened something else meanwhile: then the run goes on and shows up among the past runs.
  if (conversationId.value === conversation) {
    turns.value = [...turns.value, id];
    conversationId.value = started.conversationId;
    location.hash = runLink(id);
  }
  refreshList();
  refreshConversations();
}

/** The request of a run in other words: in a conversation that begins with what was said before it. */
export async function sendAnew(runId, text) {
  const run = entryOf(runId).run.peek();
  const { items } = await listMessages(run.conversationId);
  const at = items.findIndex((message) => message.workflowId === runId);
  const before = at > 0 ? items[at - 1] : null;
  const conversation = before ? await fork(run.conversationId, Number(before.id)) : null;
  if (!isOver(run)) await changeRun(runId, "cancel");
  const started = await startRun({ request: text, ...(conversation && { conversationId: conversation }) }, newKey());
  expect(started.workflowId, { request: text, conversationId: started.conversationId, status: started.status, createdAt: new Date().toISOString() });
  location.hash = runLink(started.workflowId);
  refreshList();
  refreshConversations();
}

/** Open a step of the selected run in the drawer (null closes it). */
export function showStep(id) {
  if (id) pane.value = "plan";
  setQuery({ step: id }, { step: Boolean(id) && !openStep.peek() });
}

export function startWatching() {
  tickWhile(() => liveEntry.value !== undefined);
  effect(() => {
    // When a live run ends, the list of past runs is out of date.
    if (liveEntry.value !== undefined) return;
    refreshList();
    refreshConversations();
  });
  effect(() => {
    const at = place.value;
    untracked(() => openFromAddress(at));
  });
}
