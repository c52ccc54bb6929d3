// The inbox: what needs a person. What steps ask and steps in doubt first, since their runs stand still; then the dead
// letters, by filter.

import { html } from "../html.mjs";
import { StatusMark } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { place, setQuery } from "../address.mjs";
import { listApprovals, listDoubts, listLetters, listReviews } from "../api.mjs";
import { countWaiting } from "../attention.mjs";
import { pane, runLink } from "../conversation.mjs";
import { runName, since } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { Approvals } from "./approvals.mjs";
import { Choice, Search, usePages } from "./lists.mjs";
import { LetterBulk } from "./letter_bulk.mjs";
import { LetterDrawer } from "./letter_drawer.mjs";
import { REASONS } from "./reasons.mjs";

const OFTEN_MS = 8000;
const TIMES = { 1: "last hour", 24: "last day", 168: "last week" };

export function Place() {
  const { query } = place.value;
  const doubts = useLoaded(listDoubts, [], { every: OFTEN_MS });
  const approvals = useLoaded(listApprovals, [], { every: OFTEN_MS });
  const reviews = useLoaded(listReviews, [], { every: OFTEN_MS });
  const wanted = filterOf(query);
  const letters = usePages((cursor) => listLetters({ ...wanted, cursor, limit: 50 }), [JSON.stringify({ ...wanted, since: query.hours })], { every: OFTEN_MS });
  const changed = () => Promise.all([approvals.reload(), reviews.reload(), letters.reload(), doubts.reload(), countWaiting()]);
  const walk = (by) => {
    const next = letters.items[letters.items.findIndex((letter) => letter.id === query.letter) + by];
    if (next) setQuery({ letter: next.id });
  };
  return html`<div class=${`page ${query.letter ? "has-drawer" : ""}`}>
    <div class="page-body">
      <h2 class="page-title">Inbox</h2>
      <p class="hint">What needs a person: what steps ask, plans to look at, effects that nobody is sure of, and what was given up.</p>
      <${Problem} problem=${approvals.problem || doubts.problem || letters.problem} />
      <${Approvals} approvals=${approvals.value?.items} changed=${changed} />
      <${Reviews} runs=${reviews.value?.items} />
      <${Doubts} doubts=${doubts.value?.items} />
      <${Letters} letters=${letters} query=${query} changed=${changed} />
    </div>
    ${query.letter && html`<${LetterDrawer} key=${"drawer"} id=${query.letter} walk=${walk} close=${() => setQuery({ letter: undefined })} changed=${changed} />`}
  </div>`;
}

/** Plans that wait until somebody has looked at them. */
function Reviews({ runs }) {
  if (!runs?.length) return null;
  return html`<section aria-labelledby="reviews-title">
    <h3 id="reviews-title" class="section-title">Plans to look at <span class="count">${runs.length}</span></h3>
    <ul class="rows" data-walk>${runs.map((run) => html`<li key=${run.id}><a class="row" href=${runLink(run.id)} data-walk-item onClick=${() => (pane.value = "plan")}>
      <${StatusMark} status="paused" /><span class="row-name">${runName(run)}</span>
      <span class="row-facts"><span>waits for a look</span><span>${since(run.pausedAt, Date.now())}</span></span></a></li>`)}</ul>
  </section>`;
}

/** The parameters of the API for what the address asks. */
function filterOf({ reason, tool, label, hours, state }) {
  const from = Number(hours) > 0 ? new Date(Date.now() - Number(hours) * 3_600_000).toISOString() : undefined;
  return { reason: REASONS[reason] && reason, tool, label: label?.includes(":") ? label : undefined, since: from, resolved: { done: "true", all: "any" }[state] };
}

function Doubts({ doubts }) {
  if (!doubts?.length) return null;
  return html`<section aria-labelledby="doubts-title">
    <h3 id="doubts-title" class="section-title">In doubt <span class="count">${doubts.length}</span></h3>
    <ul class="rows" data-walk>${doubts.map((step) => html`<li key=${`${step.workflowId}/${step.id}`}>
      <a class="row" href=${runLink(step.workflowId, step.id)} data-walk-item>
        <${StatusMark} status="in_doubt" />
        <span class="row-name">${step.why || step.tool}</span>
        <span class="row-more">${step.error?.detail}</span>
        <span class="row-facts"><span>${step.tool}</span><code>${step.id}</code><span>${since(step.startedAt ?? step.readyAt, Date.now())}</span></span>
      </a></li>`)}</ul>
  </section>`;
}

function Letters({ letters, query, changed }) {
  const filtered = ["reason", "tool", "label", "hours", "state"].some((name) => query[name]);
  return html`<section aria-labelledby="letters-title">
    <h3 id="letters-title" class="section-title">Dead letters <span class="count">${letters.items.length}${letters.next && "+"}</span></h3>
    <form class="filters" role="search" aria-label="Filter the dead letters" onSubmit=${(event) => event.preventDefault()}>
      <${Choice} name="state" label="State" value=${query.state} options=${{ "": "open", done: "taken care of", all: "all" }} />
      <${Choice} name="reason" label="Reason" value=${query.reason} options=${{ "": "any reason", ...REASONS }} />
      <${Choice} name="hours" label="Time" value=${query.hours} options=${{ "": "any time", ...TIMES }} />
      <${Search} name="tool" label="Tool" value=${query.tool} placeholder="Tool" known=${[...new Set(letters.items.map((letter) => letter.tool).filter(Boolean))]} />
      <${Search} name="label" label="Label" value=${query.label} placeholder="Label, as team:red" />
      ${filtered && html`<button class="quiet" type="button" onClick=${() => setQuery({ state: "", reason: "", hours: "", tool: "", label: "" })}>Clear</button>`}
    </form>
    ${letters.items.length > 0 && !query.state && html`<${LetterBulk} wanted=${filterOf(query)} filtered=${filtered} changed=${changed} />`}
    ${letters.loaded && !letters.items.length && html`<p class="empty"><${StatusMark} status="succeeded" />${filtered ? "No dead letter fits that." : "Nothing was given up. All is well."}</p>`}
    <ul class="rows" data-walk>${letters.items.map((letter) => html`<${LetterRow} key=${letter.id} letter=${letter} open=${query.letter === letter.id} />`)}</ul>
    ${letters.next && html`<button class="quiet" type="button" onClick=${letters.more}>Older letters</button>`}
  </section>`;
}

function LetterRow({ letter, open }) {
  const labels = Object.entries(letter.labels || {});
  return html`<li><button id=${`letter-${letter.id}`} class=${`row ${open ? "is-open" : ""}`} type="button" data-walk-item aria-expanded=${open}
    onClick=${() => setQuery({ letter: open ? undefined : letter.id }, { step: !open })}>
    <${StatusMark} status=${letter.resolvedAt ? "skipped" : "failed"} />
    <span class="row-name">${letter.error?.detail || REASONS[letter.reason]}</span>
    <span class="row-facts">
      <span>${letter.tool || `${letter.phase} phase`}</span>${letter.stepId && html`<code>${letter.stepId}</code>`}
      <span>${REASONS[letter.reason]}</span>
      ${letter.resolvedAt && html`<span>${letter.resolution}</span>`}
      ${labels.map(([name, value]) => html`<span class="tag">${name}: ${value}</span>`)}
      <span class="row-time">${since(letter.at, Date.now())}</span>
    </span>
  </button></li>`;
}
