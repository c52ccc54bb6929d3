// A JSON Schema as a person reads it: its fields with their kinds and limits; named shapes unfold when they are asked for.

import { useState } from "preact/hooks";
import { html } from "../html.mjs";

const LIMITS = { minimum: "at least", maximum: "at most", exclusiveMinimum: "more than", minLength: "characters at least", maxLength: "characters at most", minItems: "items at least", maxItems: "items at most", pattern: "fits", format: "a", default: "default" };

export function Shape({ schema, api }) {
  if (!schema || !Object.keys(schema).length) return html`<span class="docs-kind">anything</span>`;
  if (schema.$ref) return html`<${Named} name=${schema.$ref.split("/").pop()} api=${api} />`;
  const choices = (schema.properties ? [] : (schema.anyOf ?? schema.oneOf ?? [])).filter((one) => one.type !== "null");
  if (choices.length) {
    const optional = (schema.anyOf ?? []).some((one) => one.type === "null");
    return html`${choices.map((one, index) => html`${index > 0 && " or "}<${Shape} key=${index} schema=${one} api=${api} />`)}${optional && html` <span class="docs-kind">or null</span>`}<${Limits} schema=${schema} />`;
  }
  if (schema.properties) return html`<${Fields} schema=${schema} api=${api} />`;
  if (schema.type === "array") return html`<span class="docs-kind">a list of </span><${Shape} schema=${schema.items} api=${api} /><${Limits} schema=${schema} />`;
  if (schema.enum || schema.const) return html`<span class="docs-kind">${(schema.enum ?? [schema.const]).map((one) => JSON.stringify(one)).join(", ")}</span><${Limits} schema=${schema} />`;
  return html`<span class="docs-kind">${schema.type ?? "anything"}</span><${Limits} schema=${schema} />`;
}

function Limits({ schema }) {
  const said = Object.entries(LIMITS).filter(([name]) => schema[name] !== undefined && schema[name] !== null);
  return said.length > 0 && html` <small class="docs-limits">${said.map(([name, word]) => `${word} ${JSON.stringify(schema[name])}`).join(", ")}</small>`;
}

function Named({ name, api }) {
  const [open, setOpen] = useState(false);
  return html`<details class="docs-named" onToggle=${(event) => { event.stopPropagation(); setOpen(event.currentTarget.open); }}>
    <summary>${name}</summary>${open && html`<${Whole} schema=${api.components.schemas[name]} api=${api} />`}
  </details>`;
}

function Whole({ schema, api }) {
  return html`<div>${schema.description && html`<p>${schema.description}</p>`}<${Shape} schema=${schema} api=${api} /></div>`;
}

function Fields({ schema, api }) {
  const required = new Set(schema.required ?? []);
  return html`<dl class="docs-fields">${Object.entries(schema.properties).map(([name, field]) => html`<div key=${name}>
    <dt><code>${name}</code> ${!required.has(name) && html`<small>optional</small>`}</dt>
    <dd>${field.description} <${Shape} schema=${field} api=${api} /></dd>
  </div>`)}</dl>`;
}
