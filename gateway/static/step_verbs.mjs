// What may be done to a step as things stand. The journal decides in the end (6_surgery.sql, `refusal`); this only spares
// people buttons that would be refused. Pure functions.

import { isOver } from "./run_state.mjs";

const NOT_BEGUN = new Set(["pending", "ready", "skipped"]);
const CHANGEABLE = new Set(["executing", "paused", "waiting"]);
const SKIPPABLE = new Set(["pending", "ready", "waiting", "running", "failed"]);

/** Of: retry, rerun, override, skip (a live run), resolve (in doubt), fork (an ended run); the most likely one first. */
export function verbsOf(run, step) {
  if (isOver(run)) return ["fork"];
  if (!CHANGEABLE.has(run.status) || run.cancelRequested || step.status === "cancelled") return [];
  if (step.status === "in_doubt") return ["resolve", "rerun"];
  const verbs = [];
  if (step.status === "failed" || step.status === "waiting" || (step.status === "ready" && step.dueAt)) verbs.push("retry");
  if (step.status !== "succeeded" || untouched(run, step)) verbs.push("rerun", "override");
  if (SKIPPABLE.has(step.status)) verbs.push("skip");
  return verbs;
}

/** Nothing has begun with this step's result. */
function untouched(run, step) {
  return run.steps.every((other) => !other.dependsOn.includes(step.id) || NOT_BEGUN.has(other.status));
}
