// The one place that speaks HTTP to the gateway, with the API key if there is one. Failures are ApiProblem.

import { signal } from "@preact/signals";

const KEY_PLACE = "perdure.key";

export const keyNeeded = signal(false);
export const clockSkew = signal(0); // milliseconds that the server's clock is ahead of ours; 0 when they agree within 2 s

/** An RFC 9457 problem; `status` is 0 when no answer came at all. */
export class ApiProblem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
  }
}

export function apiKey() {
  try {
    return sessionStorage.getItem(KEY_PLACE) || "";
  } catch {
    return ""; // storage is switched off: go on without a key
  }
}

export function setApiKey(key) {
  try {
    if (key) sessionStorage.setItem(KEY_PLACE, key);
    else sessionStorage.removeItem(KEY_PLACE);
  } catch {
    // storage is switched off: the key can't be kept
  }
  keyNeeded.value = false;
}

async function call(method, path, { body, headers = {} } = {}) {
  const sent = { accept: "application/json", ...headers };
  if (body !== undefined) sent["content-type"] = "application/json";
  if (apiKey()) sent.authorization = `Bearer ${apiKey()}`;
  let response;
  try {
    response = await fetch(path, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiProblem(0, { detail: "The server does not answer. Check that it runs, then try again." });
  }
  noteClock(response.headers.get("date"));
  const text = await response.text();
  const answer = parsed(text);
  if (response.status === 401) keyNeeded.value = true;
  if (!response.ok) throw new ApiProblem(response.status, answer || {});
  return answer;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null; // a proxy's HTML page, for instance
  }
}

function noteClock(date) {
  const skew = date ? new Date(date).getTime() + 500 - Date.now() : 0;
  clockSkew.value = Math.abs(skew) < 2000 ? 0 : skew;
}

const query = (parameters) =>
  new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "")).toString();

export const startRun = (body, idempotencyKey) =>
  call("POST", "/api/agent/start", { body, headers: { "idempotency-key": idempotencyKey } });
export const getSystem = () => call("GET", "/api/system");
export const listTools = () => call("GET", "/api/tools");

const path = (...parts) => `/api/${parts.map(encodeURIComponent).join("/")}`;

export const getRun = (id) => call("GET", path("runs", id));
export const listRuns = (parameters) => call("GET", `/api/runs?${query(parameters)}`);
/** All events of a run so far, oldest first. */
export async function readEvents(id) {
  const found = [];
  for (let after = 0; after !== null; ) {
    const { items, next } = await call("GET", `${path("runs", id, "events")}?after=${after}`);
    found.push(...items);
    after = items.length && next !== null ? next : null;
  }
  return found;
}
export const getWhy = (id) => call("GET", path("runs", id, "why"));
export const getLineage = (id) => call("GET", path("runs", id, "lineage"));
export const getDiff = (a, b) => call("GET", path("runs", a, "diff", b));
/** verb: cancel, pause, resume. */
export const changeRun = (id, verb) => call("POST", path("runs", id, verb));
/** body: {fromStep, patches: {step: {arguments} or {output}}}, both optional. */
export const forkRun = (id, body) => call("POST", path("runs", id, "fork"), { body });
export const runAttempts = (id) => call("GET", path("runs", id, "attempts"));
export const stepAttempts = (id, step) => call("GET", path("runs", id, "steps", step, "attempts"));
/** verb: retry, skip, override {output}, rerun {arguments}, resolve {as, output}. */
export const changeStep = (id, step, verb, body) => call("POST", path("runs", id, "steps", step, verb), { body });

/** The plan of a run as a caller would write it, with what it will take. */
export const getPlan = (id) => call("GET", path("runs", id, "plan"));
/** body: {revision, steps, note}; only while the plan waits for a look. */
export const replacePlan = (id, body) => call("PUT", path("runs", id, "plan"), { body });
/** What a plan will take; its problem's errors point below #/plan. */
export const previewPlan = (body) => call("POST", "/api/plans/preview", { body });
/** Runs whose plan waits for a look. */
export const listReviews = () => call("GET", "/api/reviews");

/** What is asked of people and not decided yet. */
export const listApprovals = () => call("GET", "/api/approvals");
/** verb: approve {arguments}, reject {reason}, answer {answer}. */
export const decideApproval = (id, verb, body) => call("POST", path("approvals", id, verb), { body });
export const listDoubts = () => call("GET", "/api/doubts");
export const listLetters = (parameters) => call("GET", `/api/dead-letters?${query(parameters)}`);
export const getLetter = (id) => call("GET", path("dead-letters", id));
/** action: resume, restart, discard. */
export const settleLetter = (id, action) => call("POST", path("dead-letters", id, action));
export const settleLetters = (action, filter, dryRun) => call("POST", "/api/dead-letters/bulk", { body: { action, filter, dryRun } });

export const listLimits = () => call("GET", "/api/flow");
export const setLimit = (key, body) => call("PUT", `/api/flow/${key.split("/").map(encodeURIComponent).join("/")}`, { body });
export const removeLimit = (key) => call("DELETE", `/api/flow/${key.split("/").map(encodeURIComponent).join("/")}`);
/** verb: pause, resume. */
export const changeLimit = (key, verb) => call("POST", `/api/flow/${key.split("/").map(encodeURIComponent).join("/")}/${verb}`);

export const examine = ({ fix, everything }) => call(fix ? "POST" : "GET", `/api/doctor${everything ? "?everything=true" : ""}`);

export const searchMemory = (words, k, userId) => call("POST", "/api/memory/search", { body: { query: words, k, userId } });
export const listMemories = (parameters) => call("GET", `/api/memory?${query(parameters)}`);
export const replaceMemory = (id, text) => call("POST", path("memory", id, "supersede"), { body: { text } });
export const forgetMemory = (id) => call("DELETE", path("memory", id));

export const memoryWhy = (id) => call("GET", path("memory", id));
export const memoryHistory = (id) => call("GET", path("memory", id, "history"));
export const listQuarantine = (parameters) => call("GET", `/api/memory/quarantine?${query(parameters)}`);
export const releaseMemory = (id) => call("POST", path("memory", id, "release"));

export const listConversations = (parameters) => call("GET", `/api/conversations?${query(parameters)}`);
export const listMessages = (id) => call("GET", `${path("conversations", id, "messages")}?limit=1000`);
export const renameConversation = (id, title) => call("PATCH", path("conversations", id), { body: { title } });
/** upto: the number of the last message that the fork gets. */
export const forkConversation = (id, upto) => call("POST", path("conversations", id, "fork"), { body: upto ? { upto } : {} });
export const forgetConversation = (id) => call("DELETE", path("conversations", id));

export const listSchedules = () => call("GET", "/api/schedules");
export const addSchedule = (body) => call("POST", "/api/schedules", { body });
export const changeSchedule = (name, body) => call("PATCH", path("schedules", name), { body });
export const removeSchedule = (name) => call("DELETE", path("schedules", name));
export const previewSchedule = (body) => call("POST", "/api/schedules/preview", { body });
export const runSchedule = (name) => call("POST", path("schedules", name, "run-now"));
export const scheduleSlots = (name) => call("GET", `${path("schedules", name, "slots")}?limit=20`);
/** body: {since, until, dryRun}. */
export const backfillSchedule = (name, body) => call("POST", path("schedules", name, "backfill"), { body });

export const listAgents = () => call("GET", "/api/agents");
export const putAgent = (name, body) => call("PUT", path("agents", name), { body });
export const removeAgent = (name) => call("DELETE", path("agents", name));

/** by: day, model, agent, run or step. */
export const getUsage = (parameters) => call("GET", `/api/usage?${query(parameters)}`);
/** What may be spent in a day and what is spent today; null when nothing limits it. */
export const dailyBudget = () => call("GET", "/api/budgets/daily").catch((problem) => (problem.status === 404 ? null : Promise.reject(problem)));
export const setDailyBudget = (body) => call("PUT", "/api/budgets/daily", { body });
export const dropDailyBudget = () => call("DELETE", "/api/budgets/daily");

/** A random id for Idempotency-Key. Not crypto.randomUUID, which plain-HTTP pages on a network don't have. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
