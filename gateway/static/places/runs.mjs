// All runs: searched and filtered by the address, a page at a time; some of them selected, to act on or to compare.

import { signal } from "@preact/signals";
import { html } from "../html.mjs";
import { StatusMark } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { linkTo, place, setQuery } from "../address.mjs";
import { listRuns } from "../api.mjs";
import { pane, runLink } from "../conversation.mjs";
import { dateOf, duration, millis, runName, since, statusWord } from "../formats.mjs";
import { Choice, Search, usePages } from "./lists.mjs";
import { RunBulk } from "./run_bulk.mjs";

const OFTEN_MS = 5000;
const STATES = { live: "live", succeeded: "succeeded", failed: "failed", cancelled: "cancelled", paused: "paused", executing: "executing", queued: "queued" };
const TIMES = { 1: "last hour", 24: "last day", 168: "last week" };

export const chosen = signal(new Map()); // id → run, of the runs that are selected

const toggle = (run) => {
  const next = new Map(chosen.peek());
  if (!next.delete(run.id)) next.set(run.id, run);
  chosen.value = next;
};

export function Place() {
  const { query } = place.value;
  const { text, status, agent, label, hours } = query;
  const wanted = { text, status: STATES[status] && status, agent, label: label?.includes(":") ? label : undefined };
  const runs = usePages(
    (cursor) => listRuns({ ...wanted, since: hours && new Date(Date.now() - Number(hours) * 3_600_000).toISOString(), cursor, limit: 50 }),
    [JSON.stringify({ ...wanted, hours })],
    { every: OFTEN_MS },
  );
  const filtered = Boolean(text || status || agent || label || hours);
  const all = runs.items.length > 0 && runs.items.every((run) => chosen.value.has(run.id));
  const chooseAll = () => (chosen.value = new Map(all ? [] : runs.items.map((run) => [run.id, run])));
  return html`<div class="page"><div class="page-body">
    <h2 class="page-title">Runs</h2>
    <form class="filters" role="search" aria-label="Filter the runs" onSubmit=${(event) => event.preventDefault()}>
      <div class="wide"><${Search} name="text" label="Search" value=${text} placeholder="Search requests and answers" /></div>
      <${Choice} name="status" label="Status" value=${status} options=${{ "": "any status", ...STATES }} />
      <${Choice} name="hours" label="Time" value=${hours} options=${{ "": "any time", ...TIMES }} />
      <${Search} name="label" label="Label" value=${label} placeholder="Label, as team:red" />
      <${Search} name="agent" label="Agent" value=${agent} placeholder="Agent" />
      ${filtered && html`<button class="quiet" type="button" onClick=${() => setQuery({ text: "", status: "", hours: "", label: "", agent: "" })}>Clear</button>`}
    </form>
    <${Problem} problem=${runs.problem} />
    <${RunBulk} chosen=${chosen} changed=${runs.reload} />
    ${runs.loaded && !runs.items.length && html`<p class="empty">${filtered ? "No run fits that." : "No run yet. Ask for something in the chat."}</p>`}
    ${runs.items.length > 0 && html`<table class=${`runs-table ${runs.items.some((run) => run.agent) ? "" : "without-agents"}`}>
      <thead><tr>
        <th class="tick"><input type="checkbox" aria-label="Select all shown" checked=${all} onChange=${chooseAll} /></th>
        <th scope="col">Run</th><th scope="col" class="may-go of-agents">Agent</th><th scope="col" class="may-go">Labels</th><th scope="col" class="figure">Started</th><th scope="col" class="figure may-go">Took</th>
      </tr></thead>
      <tbody data-walk>${runs.items.map((run) => html`<${Row} key=${run.id} run=${run} ticked=${chosen.value.has(run.id)} />`)}</tbody>
    </table>`}
    ${runs.next && html`<button class="quiet" type="button" onClick=${runs.more}>Older runs</button>`}
  </div></div>`;
}

function Row({ run, ticked }) {
  const took = run.finishedAt ? duration(millis(run.finishedAt) - millis(run.createdAt)) : "";
  const keys = (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    toggle(run);
  };
  return html`<tr class=${ticked ? "is-ticked" : ""}>
    <td class="tick"><input type="checkbox" aria-label=${`Select ${runName(run)}`} checked=${ticked} onChange=${() => toggle(run)} /></td>
    <td class="run-cell"><a href=${runLink(run.id)} data-walk-item onKeyDown=${keys} onClick=${() => (pane.value = "chat")}>
      <${StatusMark} status=${run.status} /><span class="row-name">${runName(run)}</span></a>
      <span class="row-more"><span class=${`tone-${run.status}`}>${statusWord(run.status)}</span>${run.forkedFrom && html` · fork`}${run.error?.detail ? ` · ${run.error.detail}` : run.answer && ` · ${firstLine(run.answer)}`}</span></td>
    <td class="may-go of-agents">${run.agent}</td>
    <td class="may-go">${Object.entries(run.labels || {}).map(([name, value]) => html`<a class="tag" href=${linkTo(["runs"], { label: `${name}:${value}` })}>${name}: ${value}</a> `)}</td>
    <td class="figure" title=${dateOf(run.createdAt)}>${since(run.createdAt, Date.now())}</td>
    <td class="figure may-go">${took}</td>
  </tr>`;
}

const firstLine = (text) => text.split("\n")[0].slice(0, 200);
