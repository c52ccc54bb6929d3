// Schedules: what starts runs by the clock; when each is due next, what became of the last slots, and how to change it.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { place, setQuery } from "../address.mjs";
import { changeSchedule, listSchedules, removeSchedule, runSchedule } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { runLink } from "../conversation.mjs";
import { momentOf, until } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { Sure } from "../step_actions.mjs";
import { ScheduleForm } from "./schedule_form.mjs";
import { Slots } from "./schedule_slots.mjs";

const OFTEN_MS = 5000;

export function Place() {
  const { value, problem, reload } = useLoaded(listSchedules, [], { every: OFTEN_MS });
  const { open } = place.value.query;
  const adding = open === "new";
  const schedules = value?.items ?? [];
  return html`<div class="page"><div class="page-body">
    <div class="title-line"><h2 class="page-title">Schedules</h2>
      <button type="button" aria-expanded=${adding} onClick=${() => setQuery({ open: adding ? "" : "new" })}><${Icon} name="plus" />New schedule</button></div>
    <p class="hint">What starts runs by the clock. A moment that was missed is made up for as the schedule says.</p>
    ${adding && html`<${ScheduleForm} changed=${reload} done=${() => setQuery({ open: "" })} />`}
    <${Problem} problem=${problem} />
    ${value && !schedules.length && !adding && html`<p class="empty"><${Icon} name="clock" />Nothing is scheduled yet.</p>`}
    <ul class="rows" data-walk>${schedules.map((schedule) => html`<${Row} key=${schedule.name} schedule=${schedule} changed=${reload} />`)}</ul>
  </div></div>`;
}

function Row({ schedule, changed }) {
  const asking = useSignal(null); // which part is open: edit, slots or remove
  const { busy, problem, act } = useActing();
  const { name, paused, upcoming } = schedule;
  const ask = (part) => () => (asking.value = asking.value === part ? null : part);
  const never = () => (asking.value = null);
  const toggle = () => act("pause", async () => (await changeSchedule(name, { paused: !paused }), say(paused ? `${name} goes on.` : `${name} is paused.`), changed()));
  const remove = () => act("remove", async () => (await removeSchedule(name), say(`${name} is dropped; its runs go on.`), changed()));
  const runNow = () => act("run", async () => {
    const { workflowId } = await runSchedule(name);
    say("Started, beside all slots.");
    location.hash = runLink(workflowId);
  });
  return html`<li class=${`entry ${paused ? "is-paused" : ""}`}>
    <div class="entry-head">
      <h3>${name}${paused && html`<span class="tag tone-paused">paused</span>`}</h3>
      <p class="entry-gist">${schedule.run.request ?? "a plan of its own"}${schedule.run.agent && html` <span class="tag">${schedule.run.agent}</span>`}</p>
      <p class="row-facts"><span>${schedule.explained}</span>
        ${!paused && (upcoming.length ? html`<span title=${upcoming.map(momentOf).join("\n")}>next ${until(upcoming[0], Date.now())} (${momentOf(upcoming[0])})</span>` : html`<span>not due any more</span>`)}</p>
    </div>
    <div class="buttons">
      <button type="button" disabled=${busy} aria-label=${`Run ${name} now`} onClick=${runNow}><${Icon} name="play" />Run now</button>
      <button class="quiet" type="button" data-walk-item aria-label=${`Slots of ${name}`} title="What became of each moment" aria-expanded=${asking.value === "slots"} onClick=${ask("slots")}><${Icon} name="clock" /></button>
      <button class="quiet" type="button" aria-label=${`${paused ? "Resume" : "Pause"} ${name}`} title=${paused ? "Resume" : "Pause"} disabled=${busy} onClick=${toggle}><${Icon} name=${paused ? "play" : "pause"} /></button>
      <button class="quiet" type="button" aria-label=${`Change ${name}`} title="Change" aria-expanded=${asking.value === "edit"} onClick=${ask("edit")}><${Icon} name="edit" /></button>
      <button class="quiet" type="button" aria-label=${`Remove ${name}`} title="Remove" aria-expanded=${asking.value === "remove"} onClick=${ask("remove")}><${Icon} name="bin" /></button>
    </div>
    ${asking.value === "edit" && html`<${ScheduleForm} schedule=${schedule} changed=${changed} done=${never} />`}
    ${asking.value === "slots" && html`<${Slots} schedule=${schedule} />`}
    ${asking.value === "remove" && html`<${Sure} busy=${busy} does="Drop it" onYes=${remove} onNo=${never}>Drop this schedule? What it has started goes on.<//>`}
    <${Problem} problem=${problem} />
  </li>`;
}
