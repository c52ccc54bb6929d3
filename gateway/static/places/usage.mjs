// Usage: what the calls of models took and cost, as a chart of days and as shares by model, agent, run or step; the day's budget.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { place } from "../address.mjs";
import { dailyBudget, dropDailyBudget, getUsage, setDailyBudget } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { runLink } from "../conversation.mjs";
import { dollars } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { BudgetFields, amountOf, budgetOf } from "./budget_fields.mjs";
import { Choice } from "./lists.mjs";
import { DayChart } from "./day_chart.mjs";

const SPANS = { 7: "7 days", 30: "30 days", 90: "90 days" };
const GROUPS = { model: "model", agent: "agent", run: "run", step: "step" };
const OFTEN_MS = 15_000;
const DAY_MS = 86_400_000;

export function Place() {
  const { days: asked, by: group } = place.value.query;
  const days = SPANS[asked] ? Number(asked) : 30;
  const by = GROUPS[group] ? group : "model";
  const since = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - (days - 1) * DAY_MS);
  const perDay = useLoaded(() => getUsage({ by: "day", since: since.toISOString(), limit: 100 }), [days], { every: OFTEN_MS });
  const shares = useLoaded(() => getUsage({ by, since: since.toISOString(), limit: 20 }), [days, by], { every: OFTEN_MS });
  const found = perDay.value?.items ?? [];
  return html`<div class="page"><div class="page-body">
    <h2 class="page-title">Usage</h2>
    <p class="hint">What calls of models took and cost. Tools that ask no model cost nothing here.</p>
    <form class="filters" aria-label="Which usage" onSubmit=${(event) => event.preventDefault()}>
      <${Choice} name="days" label="Time" value=${SPANS[asked] ? asked : ""} options=${{ "": SPANS[30], 7: SPANS[7], 90: SPANS[90] }} />
      <${Choice} name="by" label="Shares by" value=${GROUPS[group] ? group : ""} options=${{ "": "by model", agent: "by agent", run: "by run", step: "by step" }} />
    </form>
    <${Problem} problem=${perDay.problem || shares.problem} />
    ${perDay.value && html`<${Totals} rows=${found} />
      <${DayChart} rows=${found} since=${since} days=${days} />`}
    ${shares.value && html`<${Shares} rows=${shares.value.items} by=${by} />`}
    <${DailyBudget} />
  </div></div>`;
}

function Totals({ rows }) {
  const sum = (name) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  const unpriced = sum("unpricedCalls");
  return html`<dl class="forecast" aria-label="In this time">
    <div><dt>cost</dt><dd>${dollars(sum("cost"))}</dd></div>
    <div><dt>calls</dt><dd>${sum("calls").toLocaleString()}</dd></div>
    <div><dt>tokens in</dt><dd>${sum("inputTokens").toLocaleString()}</dd></div>
    <div><dt>of them cached</dt><dd>${sum("cachedTokens").toLocaleString()}</dd></div>
    <div><dt>tokens out</dt><dd>${sum("outputTokens").toLocaleString()}</dd></div>
  </dl>
  ${unpriced > 0 && html`<p class="hint">${unpriced.toLocaleString()} calls are of models without a price: set PERDURE_PRICES to count them.</p>`}`;
}

function Shares({ rows, by }) {
  if (!rows.length) return null;
  const most = Math.max(...rows.map((row) => row.inputTokens + row.outputTokens), 1);
  return html`<section aria-label=${`Shares by ${by}`}><h3 class="section-title">By ${by}</h3>
    <table class="shares"><thead><tr><th scope="col">${by}</th><th scope="col" class="may-go">share</th><th scope="col" class="figure">calls</th><th scope="col" class="figure">tokens</th><th scope="col" class="figure">cost</th></tr></thead>
      <tbody>${rows.map((row) => {
        const tokens = row.inputTokens + row.outputTokens;
        return html`<tr key=${row.group}><th scope="row">${by === "run" && row.group ? html`<a href=${runLink(row.group)}>${row.group.slice(0, 13)}…</a>` : row.group ?? "–"}</th>
          <td class="may-go"><svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-track" width="100" height="4" /><rect class="gauge-part" width=${(tokens / most) * 100} height="4" /></svg></td>
          <td class="figure">${row.calls.toLocaleString()}</td><td class="figure">${tokens.toLocaleString()}</td><td class="figure">${row.cost === null ? "not known" : dollars(row.cost)}</td></tr>`;
      })}</tbody></table></section>`;
}

function DailyBudget() {
  const { value: budget, problem, reload } = useLoaded(async () => ({ found: await dailyBudget() }), [], { every: OFTEN_MS });
  const editing = useSignal(false);
  const { busy, problem: refused, act } = useActing();
  const found = budget?.found;
  const save = (event) => {
    event.preventDefault();
    const limits = budgetOf(new FormData(event.currentTarget));
    act("save", async () => {
      await (limits ? setDailyBudget(limits) : dropDailyBudget());
      say(limits ? "The day has a budget, for runs from now on." : "The day is not limited any more.");
      editing.value = false;
      await reload();
    });
  };
  const limits = found ? Object.keys(found).filter((name) => typeof found[name] === "number") : [];
  return html`<section aria-labelledby="daily-title"><div class="title-line"><h3 id="daily-title" class="section-title">Budget of the day</h3>
      <button type="button" aria-expanded=${editing.value} onClick=${() => (editing.value = !editing.value)}><${Icon} name="edit" />${found ? "Change" : "Set one"}</button></div>
    <${Problem} problem=${problem} />
    ${found && html`<dl class="gauges wide-gauges">${limits.map((name) => html`<${Spent} key=${name} name=${name} spent=${found.spent?.[name] ?? 0} most=${found[name]} />`)}</dl>`}
    ${budget && !found && !editing.value && html`<p class="hint">Nothing limits what the runs of a day may spend together.</p>`}
    ${editing.value && html`<form class="entry-form" aria-label="Budget of the day" onSubmit=${save}>
      <${BudgetFields} budget=${found} legend="All runs of a day (UTC) together" without=${["seconds"]} />
      <div class="buttons wide"><button class="primary" type="submit" disabled=${busy}>Keep it</button><button class="quiet" type="button" onClick=${() => (editing.value = false)}>Never mind</button></div>
      <${Problem} problem=${refused} /></form>`}
  </section>`;
}

function Spent({ name, spent, most }) {
  const share = most ? Math.min(100, (spent / most) * 100) : 100;
  return html`<div><dt>today</dt><dd>${amountOf(name, spent)} <small>of ${amountOf(name, most)}</small>
    <svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-track" width="100" height="4" /><rect class=${share >= 100 ? "gauge-full" : "gauge-part"} width=${share} height="4" /></svg></dd></div>`;
}
