// The moments at which a schedule was due, with what became of each, and runs for those of a time that have none.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Problem } from "../problem.mjs";
import { backfillSchedule, scheduleSlots } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { runLink } from "../conversation.mjs";
import { counted, momentOf } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { Labelled } from "./schedule_form.mjs";

const OUTCOMES = { started: "started a run", queued: "waits for the run before", skipped: "skipped: the run before lived", missed: "missed" };

export function Slots({ schedule }) {
  const slots = useLoaded(() => scheduleSlots(schedule.name), [schedule.nextAt]);
  const found = slots.value?.items ?? [];
  return html`<div class="entry-part">
    <div class="two">
      <section><h4>Next</h4>
        ${schedule.upcoming.length ? html`<ol class="moments">${schedule.upcoming.map((slot) => html`<li>${momentOf(slot)}</li>`)}</ol>` : html`<p class="hint">Not due any more.</p>`}</section>
      <section><h4>Before</h4>
        ${slots.value && !found.length && html`<p class="hint">It has not been due yet.</p>`}
        <ol class="moments">${found.map((slot) => html`<li><span>${momentOf(slot.slot)}</span>
          ${slot.workflowId ? html`<a href=${runLink(slot.workflowId)}>${OUTCOMES[slot.outcome] ?? slot.outcome}</a>` : html`<span class="hint">${OUTCOMES[slot.outcome] ?? slot.outcome}</span>`}</li>`)}</ol></section>
    </div>
    <${Problem} problem=${slots.problem} />
    ${!schedule.at && html`<${Backfill} name=${schedule.name} changed=${slots.reload} />`}
  </div>`;
}

/** Runs for the slots of a time that have none; shown first, started only then. */
function Backfill({ name, changed }) {
  const found = useSignal(null); // what a dry run told: {items, since, until}
  const { busy, problem, act } = useActing();
  const times = (form) => {
    const fields = new FormData(form);
    const at = (field) => new Date(fields.get(field)).toISOString();
    return { since: at("since"), until: at("until") };
  };
  const look = (event) => {
    event.preventDefault();
    const span = times(event.currentTarget);
    act("look", async () => (found.value = { ...span, ...(await backfillSchedule(name, { ...span, dryRun: true })) }));
  };
  const start = () =>
    act("start", async () => {
      const { since, until } = found.value;
      const { items } = await backfillSchedule(name, { since, until, dryRun: false });
      found.value = null;
      say(`${counted(items.length, "run")} started.`);
      await changed();
    });
  return html`<form class="backfill" onSubmit=${look}><h4>Make up for a time</h4>
    <div class="when-fields"><${Labelled} label="From"><input type="datetime-local" name="since" required onInput=${() => (found.value = null)} /><//>
      <${Labelled} label="until"><input type="datetime-local" name="until" required onInput=${() => (found.value = null)} /><//>
      <button type="submit" disabled=${busy}>Show what would run</button></div>
    ${found.value && html`<div class="sure" role="status"><p>${found.value.items.length ? `${counted(found.value.items.length, "moment")} without a run: ${listedMoments(found.value.items)}` : "Every moment of that time has its run."}</p>
      ${found.value.items.length > 0 && html`<div class="buttons"><button class="primary" type="button" disabled=${busy} onClick=${start}>Start ${counted(found.value.items.length, "run")}</button>
        <button class="quiet" type="button" onClick=${() => (found.value = null)}>Never mind</button></div>`}</div>`}
    <${Problem} problem=${problem} />
  </form>`;
}

const MOST_NAMED = 6;
const listedMoments = (items) => items.slice(0, MOST_NAMED).map(({ slot }) => momentOf(slot)).join(" · ") + (items.length > MOST_NAMED ? " …" : "");
