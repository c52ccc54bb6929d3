// One step of a plan that is edited: folded to a line, or open with a field for everything that the plan says of it.

import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { duration } from "../formats.mjs";
import { ArgumentFields } from "./argument_fields.mjs";
import { implied } from "./plan_draft.mjs";

/** faults: {field: sentence}. takes: its forecast, null when unknown. edit: {open, set, tool, move, remove}. */
export function StepCard({ step, others, tools, faults = {}, takes, asks, open, edit, first, last }) {
  const wrong = Object.keys(faults).length > 0;
  const id = `edit-${step.id}`;
  const keys = (event) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    edit.move(event.key === "ArrowUp" ? -1 : 1);
  };
  return html`<li class=${`card ${open ? "is-open" : ""} ${wrong ? "is-wrong" : ""}`} onKeyDown=${keys}>
    <div class="card-head">
      <button id=${id} class="card-name" type="button" data-walk-item aria-expanded=${open} title="Alt+↑ and Alt+↓ move it" onClick=${edit.open}>
        <${Icon} name="chevron" /><span class="card-title"><b>${step.tool}</b> <small>${step.id}</small></span>
        <span class="card-gist">${wrong ? html`<span class="fault">${Object.values(faults)[0]}</span>` : gist(step)}</span></button>
      <span class="card-takes">${asks && html`<span class="tag" title="A person is asked before it runs">asks</span>`}${takes ? `≈ ${duration(takes.seconds * 1000)}` : html`<span title="This tool has not run lately">new</span>`}</span>
      <span class="card-tools">
        <button class="quiet" type="button" aria-label=${`Move ${step.id} up`} disabled=${first} onClick=${() => edit.move(-1)}><${Icon} name="up" /></button>
        <button class="quiet" type="button" aria-label=${`Move ${step.id} down`} disabled=${last} onClick=${() => edit.move(1)}><${Icon} name="down" /></button>
        <button class="quiet" type="button" aria-label=${`Remove ${step.id}`} onClick=${edit.remove}><${Icon} name="bin" /></button></span>
    </div>
    ${open && html`<${Fields} id=${id} step=${step} others=${others} tools=${tools} faults=${faults} edit=${edit} />`}
  </li>`;
}

const gist = (step) => step.why || Object.entries(step.arguments || {}).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");

function Fields({ id, step, others, tools, faults, edit }) {
  const tool = tools.find((each) => each.name === step.tool);
  const below = Object.fromEntries(Object.entries(faults).filter(([field]) => field.startsWith("arguments")).map(([field, said]) => [field.replace(/^arguments\/?/, ""), said]));
  return html`<div class="card-body">
    <div class="field">
      <label for=${`${id}-tool`}>Tool</label>
      <select id=${`${id}-tool`} value=${step.tool} aria-invalid=${Boolean(faults.tool)} onChange=${(event) => edit.tool(event.currentTarget.value)}>
        ${!tool && html`<option value=${step.tool} selected>${step.tool}</option>`}
        ${tools.map((each) => html`<option value=${each.name} selected=${each.name === step.tool}>${each.name}</option>`)}</select>
      ${faults.tool && html`<p class="fault" role="alert">${faults.tool}</p>`}
    </div>
    <${ArgumentFields} key=${step.tool} id=${id} schema=${tool?.schema} value=${step.arguments || {}} change=${(next) => edit.set({ arguments: next })} faults=${below} />
    <${After} step=${step} others=${others} fault=${faults.dependsOn} edit=${edit} />
    <${Line} id=${`${id}-why`} label="What it is for" value=${step.why} change=${(why) => edit.set({ why })} fault=${faults.why} />
    <details class="more" open=${Boolean(step.when || step.forEach || faults.when || faults.forEach)}><summary>Condition and list</summary>
      <${Line} id=${`${id}-when`} label="Only if" hint=${"like ${s1.count} > 0"} value=${step.when} change=${(when) => edit.set({ when })} fault=${faults.when} />
      <${Line} id=${`${id}-each`} label="For every item of" hint=${"like ${s1.links}; then ${item} is the item"} value=${step.forEach} change=${(forEach) => edit.set({ forEach })} fault=${faults.forEach} />
    </details>
  </div>`;
}

/** What it waits for: what it refers to in any case, others by choice. */
function After({ step, others, fault, edit }) {
  if (!others.length) return null;
  const bound = new Set(implied(step));
  const chosen = new Set(step.dependsOn || []);
  const toggle = (name) => edit.set({ dependsOn: chosen.has(name) ? [...chosen].filter((each) => each !== name) : [...chosen, name] });
  return html`<fieldset class="field after"><legend>After</legend>
    <div class="buttons">${others.map((name) => html`<label class=${`pick ${bound.has(name) ? "is-bound" : ""}`} title=${bound.has(name) ? "It uses the result of this step" : undefined}>
      <input type="checkbox" checked=${bound.has(name) || chosen.has(name)} disabled=${bound.has(name)} onChange=${() => toggle(name)} /><code>${name}</code></label>`)}</div>
    ${fault && html`<p class="fault" role="alert">${fault}</p>`}
  </fieldset>`;
}

function Line({ id, label, hint, value, change, fault }) {
  return html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} type="text" autocomplete="off" placeholder=${hint} value=${value ?? ""} aria-invalid=${Boolean(fault)} aria-describedby=${fault ? `${id}-fault` : undefined} onInput=${(event) => change(event.currentTarget.value)} />
    ${fault && html`<p class="fault" id=${`${id}-fault`} role="alert">${fault}</p>`}</div>`;
}
