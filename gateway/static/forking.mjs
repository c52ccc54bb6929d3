// Forks: a run that goes on from an ended one. Changes to several steps are collected here before it starts.

import { signal } from "@preact/signals";
import { forkRun } from "./api.mjs";
import { say } from "./acting.mjs";
import { runLink } from "./conversation.mjs";
import { expect, entryOf } from "./runs.mjs";
import { refreshList } from "./run_list.mjs";

/** {runId, patches: {step: {arguments} or {output}}}, or null when nothing is collected. */
export const forkDraft = signal(null);

export const draftOf = (runId) => (forkDraft.value?.runId === runId ? forkDraft.value : null);

export function collect(runId, step, patch) {
  const patches = draftOf(runId)?.patches || {};
  forkDraft.value = { runId, patches: { ...patches, [step]: patch } };
}

export function drop(runId, step) {
  const { [step]: _, ...patches } = draftOf(runId)?.patches || {};
  forkDraft.value = Object.keys(patches).length ? { runId, patches } : null;
}

/** Start a fork with everything collected (and `fromStep`), and open it. */
export async function fork(runId, { fromStep, patches } = {}) {
  const all = { ...draftOf(runId)?.patches, ...patches };
  const started = await forkRun(runId, { ...(fromStep && { fromStep }), patches: all });
  if (draftOf(runId)) forkDraft.value = null;
  const { request, conversationId } = entryOf(runId).run.value || {};
  expect(started.workflowId, { request, conversationId: conversationId ?? started.conversationId, status: started.status, forkedFrom: runId });
  say("A fork goes on; what was finished is shared.");
  location.hash = runLink(started.workflowId);
  refreshList();
}
