// The conversations there are, the last spoken in first, a page at a time; read again whenever it may have changed.

import { signal } from "@preact/signals";
import { forgetConversation, forkConversation, listConversations, renameConversation } from "./api.mjs";

const PAGE = 30;

export const conversations = signal(null); // null until they are read
export const moreConversations = signal(null);
export const conversationsProblem = signal(null);

let reading = null;

export function refreshConversations() {
  reading ||= readNewest().finally(() => (reading = null));
  return reading;
}

async function readNewest() {
  try {
    const { items, next } = await listConversations({ limit: PAGE });
    const fresh = new Set(items.map(({ id }) => id));
    const older = (conversations.peek() ?? []).slice(PAGE).filter(({ id }) => !fresh.has(id));
    conversations.value = [...items, ...older];
    if (!older.length) moreConversations.value = next;
    conversationsProblem.value = null;
  } catch (problem) {
    conversationsProblem.value = problem;
  }
}

export async function olderConversations() {
  const { items, next } = await listConversations({ limit: PAGE, cursor: moreConversations.peek() });
  const have = new Set(conversations.peek().map(({ id }) => id));
  conversations.value = [...conversations.peek(), ...items.filter(({ id }) => !have.has(id))];
  moreConversations.value = next;
}

export async function rename(id, title) {
  await renameConversation(id, title || null);
  await refreshConversations();
}

/** Another conversation that begins with what was said in this one (up to a message); resolves to its id. */
export async function fork(id, upto) {
  const made = await forkConversation(id, upto);
  await refreshConversations();
  return made.id;
}

export async function forget(id) {
  await forgetConversation(id);
  conversations.value = (conversations.peek() ?? []).filter((each) => each.id !== id);
}

export const titleOf = ({ title, first }) => title || first?.text.split("\n")[0] || "Conversation";
