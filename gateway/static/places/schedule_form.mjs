// A schedule as a form: when (in words at once, with the next moments), what to run, and what to do about overlaps and misses.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.mjs";
import { Problem } from "../problem.mjs";
import { addSchedule, changeSchedule, listAgents, previewSchedule } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { zonedMoment } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";

const WAYS = { cron: "At times of the clock", every: "Every so often", at: "Once" };
const CRONS = { "0 9 * * 1-5": "weekdays at 9", "0 * * * *": "every hour", "*/15 * * * *": "every 15 minutes", "0 0 1 * *": "on the first of a month" };
const OVERLAPS = { skip: "skip this one", queue: "wait for it", cancel: "cancel it", allow: "run both" };
const CATCHUPS = { last: "make up for the last", all: "make up for all", none: "let them go" };
const UNITS = { 1: "seconds", 60: "minutes", 3600: "hours", 86400: "days" };
const PAUSE_MS = 250;

export function ScheduleForm({ schedule, changed, done }) {
  const when = useSignal(timingOf(schedule));
  const { busy, problem, act } = useActing();
  const agents = useLoaded(listAgents);
  const look = usePreview(when.value);
  const set = (change) => (when.value = { ...when.value, ...change });
  const first = useRef(null);
  useEffect(() => first.current?.focus(), []);
  const save = (event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const body = { ...bodyOf(when.value), overlap: fields.get("overlap"), catchup: fields.get("catchup") };
    const request = fields.get("request")?.trim();
    const agent = fields.get("agent");
    if (request && (!schedule || request !== schedule.run.request || agent !== (schedule.run.agent ?? ""))) body.run = { request, ...(agent && { agent }) };
    act("save", async () => {
      if (schedule) await changeSchedule(schedule.name, body);
      else await addSchedule({ ...body, name: fields.get("name").trim() });
      say(schedule ? `${schedule.name} is changed.` : "Scheduled.");
      done();
      await changed();
    });
  };
  const keys = (event) => event.key === "Escape" && (event.stopPropagation(), done());
  return html`<form class="entry-form" aria-label=${schedule ? `Change ${schedule.name}` : "New schedule"} onSubmit=${save} onKeyDown=${keys}>
    ${!schedule && html`<${Labelled} label="Name"><input type="text" name="name" required maxlength="200" pattern="[^\\/?#]+" autocomplete="off" ref=${first} placeholder="morning report" /><//>`}
    ${!schedule?.run.planned && html`<${Labelled} label="What to ask" wide><textarea name="request" required rows="2" placeholder="Summarise yesterday's orders">${schedule?.run.request ?? ""}</textarea><//>`}
    <${When} when=${when.value} set=${set} />
    <${Preview} look=${look} zone=${when.value.timezone} />
    <${Labelled} label="While the run before lives"><${Options} name="overlap" options=${OVERLAPS} value=${schedule?.overlap ?? "skip"} /><//>
    <${Labelled} label="Moments that were missed"><${Options} name="catchup" options=${CATCHUPS} value=${schedule?.catchup ?? "last"} /><//>
    ${agents.value?.items.length > 0 && html`<${Labelled} label="Agent"><${Options} name="agent" options=${{ "": "none", ...Object.fromEntries(agents.value.items.map(({ name }) => [name, name])) }} value=${schedule?.run.agent ?? ""} /><//>`}
    <div class="buttons wide"><button class="primary" type="submit" disabled=${busy || Boolean(look.problem)}>${schedule ? "Change it" : "Schedule it"}</button>
      <button class="quiet" type="button" onClick=${done}>Never mind</button></div>
    <${Problem} problem=${problem} />
  </form>`;
}

export const Labelled = ({ label, wide, children }) => html`<label class=${`field ${wide ? "wide" : ""}`}><span class="field-name">${label}</span>${children}</label>`;

export const Options = ({ options, value, ...more }) =>
  html`<select ...${more}>${Object.entries(options).map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}</select>`;

function When({ when, set }) {
  const { way } = when;
  return html`<fieldset class="wide when"><legend class="field-name">When</legend>
    <div class="switch" role="group" aria-label="How the moments are given">${Object.entries(WAYS).map(([each, label]) => html`<button type="button" aria-pressed=${way === each} onClick=${() => set({ way: each })}>${label}</button>`)}</div>
    <div class="when-fields">
      ${way === "cron" && html`<label class="field"><span class="field-name">Minute hour day month weekday</span>
        <input type="text" class="code" list="crons" autocomplete="off" spellcheck="false" value=${when.cron} onInput=${(event) => set({ cron: event.currentTarget.value })} />
        <datalist id="crons">${Object.entries(CRONS).map(([cron, says]) => html`<option value=${cron}>${says}</option>`)}</datalist></label>`}
      ${way === "every" && html`<label class="field"><span class="field-name">Every</span><input type="number" min="1" step="any" value=${when.count} onInput=${(event) => set({ count: event.currentTarget.value })} /></label>
        <label class="field"><span class="field-name">of</span><${Options} options=${UNITS} value=${String(when.unit)} onChange=${(event) => set({ unit: Number(event.currentTarget.value) })} /></label>`}
      ${way === "at" && html`<label class="field"><span class="field-name">On (this device's time)</span><input type="datetime-local" value=${when.at} onInput=${(event) => set({ at: event.currentTarget.value })} /></label>`}
      ${way === "cron" && html`<label class="field"><span class="field-name">Zone</span><input type="text" list="zones" autocomplete="off" value=${when.timezone} onInput=${(event) => set({ timezone: event.currentTarget.value })} />
        <datalist id="zones">${zones().map((zone) => html`<option value=${zone} />`)}</datalist></label>`}
    </div>
  </fieldset>`;
}

function Preview({ look, zone }) {
  return html`<div class="wide preview" role="status">
    ${look.problem && html`<p class="fault">${look.problem.errors?.[0]?.detail ?? look.problem.message}</p>`}
    ${!look.problem && look.value && html`<p><b>${look.value.explained}</b></p>
      <ol>${look.value.upcoming.map((slot) => html`<li>${zonedMoment(slot, zone)}</li>`)}</ol>
      ${!look.value.upcoming.length && html`<p class="fault">That is never due (any more).</p>`}`}
  </div>`;
}

/** The next moments of a timing, asked when the typing pauses: {value, problem}. */
function usePreview(when) {
  const value = useSignal(null);
  const problem = useSignal(null);
  const body = JSON.stringify(bodyOf(when));
  useEffect(() => {
    let stopped = false;
    const timer = setTimeout(async () => {
      try {
        const found = await previewSchedule(JSON.parse(body));
        if (!stopped) (value.value = found), (problem.value = null);
      } catch (failure) {
        if (!stopped) problem.value = failure;
      }
    }, PAUSE_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [body]);
  return { value: value.value, problem: problem.value };
}

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const zones = () => Intl.supportedValuesOf?.("timeZone") ?? [];

/** The fields of the form for a schedule, or for a new one. */
function timingOf(schedule) {
  const every = schedule?.every ?? 3600;
  const unit = [86400, 3600, 60, 1].find((each) => every % each === 0) ?? 1;
  return {
    way: schedule?.every ? "every" : schedule?.at ? "at" : "cron",
    cron: schedule?.cron ?? "0 9 * * 1-5",
    timezone: schedule?.timezone ?? here(),
    count: String(every / unit),
    unit,
    at: localInput(schedule?.at ? new Date(schedule.at) : new Date(Date.now() + 3_600_000)),
  };
}

function bodyOf({ way, cron, timezone, count, unit, at }) {
  if (way === "every") return { every: Number(count) * unit, timezone };
  if (way === "at") return { at: at && !Number.isNaN(Date.parse(at)) ? new Date(at).toISOString() : "", timezone };
  return { cron: cron.trim(), timezone: timezone.trim() };
}

const localInput = (date) => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
