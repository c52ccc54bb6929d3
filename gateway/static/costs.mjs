// What the calls of models that a run made took and cost, by who made them: a step, or a phase (plan, reflect, remember).

import { getUsage } from "./api.mjs";
import { counted, dollars } from "./formats.mjs";
import { useLoaded } from "./loading.mjs";

const NONE = new Map();

/** holder → {calls, tokens, cost}; cost is null when a price is not known. Read anew while the run is live. */
export function useCosts(run, over) {
  const asked = run.brain && run.brain !== "offline";
  const settled = run.steps.filter((step) => step.finishedAt).length;
  const { value } = useLoaded(async () => (asked ? (await getUsage({ by: "step", runId: run.id, limit: 1000 })).items : []), [run.id, asked, settled, over]);
  if (!value?.length) return NONE;
  return new Map(value.map((row) => [row.group, { calls: row.calls, tokens: row.inputTokens + row.outputTokens, cost: row.unpricedCalls ? null : row.cost }]));
}

/** All of them together, or null when no model was asked. */
export function totalOf(costs) {
  if (!costs.size) return null;
  const all = [...costs.values()];
  const sum = (name) => all.reduce((total, one) => total + one[name], 0);
  return { calls: sum("calls"), tokens: sum("tokens"), cost: all.some(({ cost }) => cost === null) ? null : sum("cost") };
}

export const priceOf = ({ cost, tokens }) => (cost === null ? `${tokens.toLocaleString()} tokens` : dollars(cost));
export const costWords = (one) => `${one.cost === null ? "" : `${dollars(one.cost)} · `}${one.tokens.toLocaleString()} tokens in ${counted(one.calls, "call")} of the model`;
