// What a run looks like on the page: folded from its events, or read from GET /api/runs/{id}. Pure functions, no I/O.

const TERMINAL_RUN = new Set(["succeeded", "failed", "cancelled"]);
const SETTLED_STEP = new Set(["succeeded", "failed", "skipped", "cancelled", "in_doubt"]);

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
      error: sentence(step.error),
      attempts: Array.isArray(step.attempts) ? step.attempts.length : step.attempts,
    })),
  };
}

/** What to show of a run, given what the API said last and what the events say. */
export function combined(snapshot, folded) {
  if (!snapshot) return folded;
  if (!folded.seq) return { ...folded, ...known(snapshot) };
  const [base, over] = isOver(snapshot) ? [folded, snapshot] : [snapshot, folded];
  const baseSteps = new Map(base.steps.map((step) => [step.id, step]));
  const steps = (over.steps.length ? over : base).steps.map((step) => ({ ...baseSteps.get(step.id), ...known(step) }));
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
  const status = event.name === "step.started" ? "executing" : next.status;
  return { ...next, status, steps: withReadySteps(steps, event.at) };
}

const RUN_CHANGES = {
  "run.created": (run, data, at) => ({ ...known(data), createdAt: at }),
  "plan.created": (run, data, at) => {
    const before = new Map(run.steps.map((step) => [step.id, step]));
    const steps = (data.steps || []).map((step) => ({ dependsOn: [], status: "pending", ...before.get(step.id), ...step }));
    return { status: "executing", revision: data.revision, note: data.note, plannedAt: at, steps: withReadySteps(steps, at) };
  },
  // A higher attempt starts the answer anew: the process that streamed the lower one was lost.
  "answer.delta": (run, data) => {
    const attempt = data.attempt || 0;
    if (attempt < run.answerAttempt) return {};
    const soFar = attempt > run.answerAttempt ? "" : run.answer || "";
    return { status: "reflecting", answerAttempt: attempt, answer: soFar + (data.text || "") };
  },
  "answer.completed": (run, data) => ({ answer: data.text ?? run.answer }),
  "run.cancel_requested": () => ({ cancelRequested: true }),
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
  "step.succeeded": (data, at) => ({ status: "succeeded", output: data.output, error: undefined, finishedAt: at }),
  "step.failed": (data, at) => ({ status: "failed", error: sentence(data.error), finishedAt: at }),
  "step.skipped": (data, at) => ({ status: "skipped", because: data.because, finishedAt: at }),
  "step.cancelled": (data, at) => ({ status: "cancelled", finishedAt: at }),
};

function ended(run, status, data, at) {
  const steps = run.steps.map((step) => (isSettled(step) || status === "succeeded" ? step : { ...step, status: "cancelled" }));
  return { status, answer: data.answer ?? run.answer, error: sentence(data.error), finishedAt: at, steps };
}

// A step is ready from the moment its last dependency settled; the journal's own time replaces this once the run is over.
function withReadySteps(steps, at) {
  const settled = new Set(steps.filter(isSettled).map((step) => step.id));
  return steps.map((step) =>
    step.status === "pending" && step.dependsOn.every((id) => settled.has(id)) ? { ...step, status: "ready", readyAt: at } : step,
  );
}

function sentence(error) {
  if (!error || typeof error === "string") return error || undefined;
  return error.detail || error.message || JSON.stringify(error);
}

function known(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));
}
