// What a run looks like on the page: folded from its events, or read from GET /api/runs/{id}. Pure functions, no I/O.

const TERMINAL_RUN = new Set(["succeeded", "failed", "cancelled"]);
const SETTLED_STEP = new Set(["succeeded", "failed", "skipped", "cancelled"]);
const BY_HAND = "a person skipped it";
// What a step's events say in full; where they have it, what the API said earlier counts no more.
const TOLD_BY_EVENTS = { startedAt: undefined, output: undefined, error: undefined, finishedAt: undefined, dueAt: undefined, because: undefined };

export const isOver = (run) => TERMINAL_RUN.has(run?.status);
export const isSettled = (step) => SETTLED_STEP.has(step.status);

/** A run of which nothing is known yet but what the caller passes in `known`. `seq` is the last event folded in. */
export const emptyRun = (id, known = {}) => ({ id, status: "queued", seq: 0, answerAttempt: 0, steps: [], ...known });

/** The page's form of the API's run. */
export function fromSnapshot(wire) {
  const planned = new Map((wire.plan?.steps || []).map((step) => [step.id, step]));
  return {
    ...wire,
    error: sentence(wire.error),
    note: wire.plan?.note,
    revision: wire.plan?.revision,
    steps: (wire.steps || wire.plan?.steps || []).map((step) => ({
      dependsOn: [],
      status: "pending",
      ...planned.get(step.id),
      ...step,
      ...whySkipped(step),
      attempts: Array.isArray(step.attempts) ? step.attempts.length : step.attempts,
    })),
  };
}

/** What to show of a run, given what the API said last and what the events say. */
export function combined(snapshot, folded) {
  if (!snapshot) return folded;
  if (!folded.seq) return { ...folded, ...known(snapshot) };
  const over = isOver(snapshot) ? snapshot : folded;
  const base = isOver(snapshot) ? folded : snapshot;
  const outdated = isOver(snapshot) ? {} : TOLD_BY_EVENTS;
  const baseSteps = new Map(base.steps.map((step) => [step.id, step]));
  const steps = (over.steps.length ? over : base).steps.map((step) => ({ ...baseSteps.get(step.id), ...(over.steps.length ? outdated : {}), ...known(step) }));
  return { ...base, ...known(over), steps };
}

/** The run after one more event. Unknown events only move `seq`, so that a newer server does no harm. */
export function folded(run, event) {
  const next = { ...run, seq: event.seq };
  const change = RUN_CHANGES[event.name];
  if (change) return { ...next, ...change(next, event.data || {}, event.at) };
  const stepChange = STEP_CHANGES[event.name];
  if (!stepChange || !event.stepId) return next;
  const steps = next.steps.map((step) =>
    step.id === event.stepId ? { ...step, ...stepChange(event.data || {}, event.at, step) } : step,
  );
  const status = event.name === "step.started" && !next.pausedAt ? "executing" : next.status;
  return { ...next, status, steps: withReadySteps(steps, event.at, next.pausedAt) };
}

const RUN_CHANGES = {
  "run.created": (run, data, at) => ({ ...known(data), createdAt: at }),
  "plan.created": (run, data, at) => {
    const before = new Map(run.steps.map((step) => [step.id, step]));
    const steps = (data.steps || []).map((step) => ({ dependsOn: [], status: "pending", ...before.get(step.id), ...step }));
    return { status: run.pausedAt ? "paused" : "executing", revision: data.revision, note: data.note, plannedAt: at, steps: withReadySteps(steps, at, run.pausedAt) };
  },
  // A plan that is still being written: its steps come one by one, and may run already.
  "plan.step_added": (run, data, at) =>
    run.steps.some((step) => step.id === data.id)
      ? {}
      : { steps: withReadySteps([...run.steps, { dependsOn: [], status: "pending", ...data }], at, run.pausedAt) },
  "plan.review_requested": () => ({ awaitsReview: true }),
  "plan.revision_requested": () => ({ status: "planning" }),
  // A higher attempt starts the answer anew: the process that streamed the lower one was lost.
  "answer.delta": (run, data) => {
    const attempt = data.attempt || 0;
    if (attempt < run.answerAttempt) return {};
    const soFar = attempt > run.answerAttempt ? "" : run.answer || "";
    return { status: "reflecting", answerAttempt: attempt, answer: soFar + (data.text || "") };
  },
  "answer.completed": (run, data) => ({ answer: data.text ?? run.answer }),
  // Nothing is ready in a paused run: what was, is held back.
  "run.paused": (run, data, at) => ({
    status: "paused",
    pausedAt: at,
    steps: run.steps.map((step) => (step.status === "ready" && !step.dueAt ? { ...step, status: "pending", readyAt: undefined } : step)),
  }),
  "run.resumed": (run, data, at) => ({
    status: run.steps.length ? "executing" : "planning",
    pausedAt: undefined,
    awaitsReview: false,
    steps: withReadySteps(run.steps, at),
  }),
  "run.steered": (run, data) => ({ steered: [...(run.steered || []), data.text] }),
  "run.cancel_requested": () => ({ cancelRequested: true, awaitsReview: false }),
  "run.succeeded": (run, data, at) => ended(run, "succeeded", data, at),
  "run.failed": (run, data, at) => ended(run, "failed", data, at),
  "run.cancelled": (run, data, at) => ended(run, "cancelled", data, at),
};

const STEP_CHANGES = {
  "step.started": (data, at, step) => ({
    status: "running",
    attempts: data.attempt || (step.attempts || 0) + 1,
    worker: data.worker,
    startedAt: at,
    dueAt: undefined,
    waitsUntil: undefined,
  }),
  "step.progress": (data) => ({ progress: data.text }),
  // From here on the queue delay counts from when the step may go on, not from when it was ready first.
  "step.retrying": (data, at) => ({
    status: "ready",
    error: sentence(data.error),
    dueAt: data.dueAt,
    readyAt: data.dueAt || at,
    startedAt: undefined,
  }),
  "step.waiting": (data, at) => ({ status: "waiting", waitsUntil: data.until, readyAt: data.until || at, startedAt: undefined }),
  "step.succeeded": (data, at) => ({ status: "succeeded", output: data.output, error: undefined, finishedAt: at, by: data.by }),
  "step.reused": (data, at) => ({ status: "succeeded", output: data.output, reusedFrom: data.from, finishedAt: at }),
  "step.in_doubt": (data) => ({ status: "in_doubt", error: sentence(data.error) }),
  "step.reopened": (data, at, step) => ({
    status: "pending",
    arguments: data.arguments ?? step.arguments,
    input: undefined,
    ...TOLD_BY_EVENTS,
    readyAt: undefined,
  }),
  "step.failed": (data, at) => ({ status: "failed", error: sentence(data.error), finishedAt: at }),
  "step.skipped": (data, at) => ({ status: "skipped", because: data.because, finishedAt: at }),
  "step.cancelled": (data, at) => ({ status: "cancelled", finishedAt: at }),
};

function ended(run, status, data, at) {
  const steps = run.steps.map((step) => (isSettled(step) || status === "succeeded" ? step : { ...step, status: "cancelled" }));
  return { status, answer: data.answer ?? run.answer, error: sentence(data.error), finishedAt: at, steps };
}

// A step is ready from the moment its last dependency was done (or skipped by a person); the journal's own time replaces this once the run is over.
function withReadySteps(steps, at, paused) {
  if (paused) return steps;
  const done = new Set(steps.filter((step) => step.status === "succeeded" || (step.status === "skipped" && step.because === BY_HAND)).map((step) => step.id));
  return steps.map((step) =>
    step.status === "pending" && step.dependsOn.every((id) => done.has(id)) ? { ...step, status: "ready", readyAt: at } : step,
  );
}

// The journal keeps why a step was skipped where others have their error.
function whySkipped(step) {
  if (step.status !== "skipped") return { error: sentence(step.error) };
  const { reason, step: blamed } = step.error || {};
  return { error: undefined, because: reason === "by_hand" ? BY_HAND : reason === "after" ? `step ${blamed} did not succeed` : step.because };
}

function sentence(error) {
  if (!error || typeof error === "string") return error || undefined;
  return error.detail || error.message || JSON.stringify(error);
}

function known(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));
}
