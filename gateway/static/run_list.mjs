// The list of past runs, newest first, a page at a time. It is read again whenever it may have changed.

import { signal } from "@preact/signals";
import { listRuns } from "./api.mjs";

const PAGE = 30;
const OFTEN_MS = 10_000;

export const runList = signal([]);
export const nextCursor = signal(null);
export const listProblem = signal(null);
export const listLoaded = signal(false);

let reading = null;

/** Read the newest page again, keeping older ones that were loaded. Calls made meanwhile share one reading. */
export function refreshList() {
  reading ||= readNewest().finally(() => (reading = null));
  return reading;
}

async function readNewest() {
  try {
    const { items, next } = await listRuns({ limit: PAGE });
    const fresh = new Set(items.map((run) => run.id));
    const known = runList.peek().some((run) => fresh.has(run.id));
    runList.value = known ? [...items, ...runList.peek().filter((run) => !fresh.has(run.id))] : items;
    if (!known) nextCursor.value = next;
    listProblem.value = null;
  } catch (problem) {
    listProblem.value = problem;
  }
  listLoaded.value = true;
}

export async function loadOlder() {
  try {
    const { items, next } = await listRuns({ limit: PAGE, cursor: nextCursor.value });
    const have = new Set(runList.value.map((run) => run.id));
    runList.value = [...runList.value, ...items.filter((run) => !have.has(run.id))];
    nextCursor.value = next;
  } catch (problem) {
    listProblem.value = problem;
  }
}

/** Other people and programs start runs too: look now and then while the page is in view. */
export function keepListFresh() {
  const look = () => document.visibilityState === "visible" && refreshList();
  document.addEventListener("visibilitychange", look);
  setInterval(look, OFTEN_MS);
}
