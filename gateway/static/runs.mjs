// The runs this page knows, one entry each: what the API said last, what the events say, and the stream that feeds it.

import { batch, computed, effect, signal } from "@preact/signals";
import { changeRun, getRun } from "./api.mjs";
import { combined, emptyRun, folded, fromSnapshot, isOver } from "./run_state.mjs";
import { follow } from "./run_stream.mjs";

const entries = new Map();
export const now = signal(Date.now()); // ticks while a run is live, for the running times

/** The entry of a run: signals `run` (null until something is known), `problem`, `connection`. */
export function entryOf(id) {
  if (!entries.has(id)) entries.set(id, newEntry(id));
  return entries.get(id);
}

function newEntry(id) {
  const snapshot = signal(null);
  const events = signal(emptyRun(id));
  const run = computed(() => (snapshot.value || events.value.seq || events.value.request ? combined(snapshot.value, events.value) : null));
  return { id, snapshot, events, run, problem: signal(null), connection: signal("ended"), cancelling: signal(false), stop: null };
}

/** Show a run that was just accepted, before anything else is known of it. */
export function expect(id, known) {
  const entry = entryOf(id);
  entry.events.value = emptyRun(id, known);
  watch(entry);
  return entry;
}

/** Load a run and follow it for as long as it lives. Called again for a run that is loaded, it costs nothing. */
export async function load(id) {
  const entry = entryOf(id);
  if (entry.stop || isOver(entry.snapshot.value)) return entry;
  await refresh(entry);
  if (entry.run.value && !isOver(entry.run.value)) watch(entry);
  return entry;
}

async function refresh(entry) {
  try {
    entry.snapshot.value = fromSnapshot(await getRun(entry.id));
    entry.problem.value = null;
  } catch (problem) {
    entry.problem.value = problem;
  }
}

function watch(entry) {
  if (entry.stop) return;
  entry.events.value = { ...entry.events.value, seq: 0, steps: [], answer: undefined, answerAttempt: 0 };
  entry.stop = follow(entry.id, {
    onEvents: (events) => {
      entry.events.value = events.reduce(folded, entry.events.value);
    },
    onConnection: (state) => {
      entry.connection.value = state;
      if (state !== "ended") return;
      entry.stop = null;
      if (isOver(entry.events.value)) refresh(entry); // for the journal's own times, the worker, the usage
    },
    stillThere: async () => {
      await refresh(entry);
      const status = entry.problem.value?.status;
      return !(status >= 400 && status < 500 && status !== 429) && !isOver(entry.snapshot.value);
    },
  });
}

/** Stop following every run but these. */
export function followOnly(ids) {
  for (const entry of entries.values()) if (!ids.includes(entry.id)) entry.stop?.();
}

/** Forget what failed to load, so that the next load tries again (with the new API key, for instance). */
export function forgetProblems() {
  batch(() => entries.forEach((entry) => (entry.problem.value = null)));
}

export async function cancel(id) {
  const entry = entryOf(id);
  entry.cancelling.value = true;
  try {
    await changeRun(id, "cancel");
  } catch (problem) {
    entry.problem.value = problem;
    entry.cancelling.value = false;
  }
}

/** Keep `now` ticking while `anyLive()` is true. */
export function tickWhile(anyLive) {
  effect(() => {
    if (!anyLive()) return undefined;
    const timer = setInterval(() => (now.value = Date.now()), 200);
    return () => clearInterval(timer);
  });
}
