// When a step was ready, started and finished, in milliseconds; what still goes on is measured to `at`, the server's now.

import { isSettled } from "./run_state.mjs";
import { millis } from "./formats.mjs";

/** {ready, started, finished, until, queued, ran}; what is not known is undefined. `until` is finished, or `at`. */
export function timesOf(step, at) {
  if (step.reusedFrom) return {}; // its times are those of another run
  const ready = millis(step.readyAt);
  const started = millis(step.startedAt);
  const finished = isSettled(step) ? millis(step.finishedAt) : undefined;
  const over = isSettled(step) || step.status === "in_doubt"; // nothing goes on in a step that waits for a person
  const until = finished ?? (over ? started ?? ready : at);
  const queuedUntil = started ?? (step.status === "ready" ? until : undefined);
  return {
    ready,
    started,
    finished,
    until,
    queued: ready === undefined || queuedUntil === undefined ? undefined : Math.max(0, queuedUntil - ready),
    ran: started === undefined || until === undefined || step.status === "in_doubt" ? undefined : Math.max(0, until - started),
  };
}

/** The stretch of time that the steps take up together. */
export function spanOf(steps, at) {
  const all = steps.map((step) => timesOf(step, at)).filter((times) => times.ready !== undefined || times.started !== undefined);
  if (!all.length) return { start: at, end: at };
  return {
    start: Math.min(...all.map((times) => times.ready ?? times.started)),
    end: Math.max(...all.map((times) => times.until ?? times.started ?? times.ready)),
  };
}
