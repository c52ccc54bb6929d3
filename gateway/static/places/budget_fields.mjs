// The limits of a budget, as fields of a form and in words.

import { html } from "../html.mjs";
import { dollars, duration } from "../formats.mjs";
import { Labelled, Options } from "./schedule_form.mjs";

const DIMENSIONS = { money: "US dollars", tokens: "tokens", toolCalls: "tool calls", steps: "steps", seconds: "seconds" };
const ON_EXCEED = { stop: "stop, answer with what there is", degrade: "go on with the cheap model", ask: "wait for a person" };

/** without: dimensions that are not offered. */
export function BudgetFields({ budget, legend, without = [] }) {
  const offered = Object.entries(DIMENSIONS).filter(([name]) => !without.includes(name));
  return html`<fieldset class="wide when"><legend class="field-name">${legend} (empty: no limit)</legend>
    <div class="when-fields">
      ${offered.map(([name, label]) => html`<${Labelled} label=${label}><input type="number" name=${`budget-${name}`} min="0" step=${name === "money" || name === "seconds" ? "any" : "1"} value=${budget?.[name] ?? ""} /><//>`)}
      <${Labelled} label="When it is used up"><${Options} name="onExceed" options=${ON_EXCEED} value=${budget?.onExceed ?? "stop"} /><//>
    </div>
  </fieldset>`;
}

/** The budget in a form's fields, or null when nothing is limited. */
export function budgetOf(fields) {
  const limits = Object.keys(DIMENSIONS).map((name) => [name, fields.get(`budget-${name}`)]).filter(([, given]) => given !== null && given !== "");
  return limits.length ? { ...Object.fromEntries(limits.map(([name, given]) => [name, Number(given)])), onExceed: fields.get("onExceed") } : null;
}

export const amountOf = (name, amount) => (name === "money" ? dollars(amount) : name === "seconds" ? duration(amount * 1000) : `${amount.toLocaleString()} ${DIMENSIONS[name]}`);

/** at most $0.05, 20 steps */
export function budgetWords(budget) {
  const limits = Object.keys(DIMENSIONS).filter((name) => budget[name] !== undefined && budget[name] !== null);
  return `at most ${limits.map((name) => amountOf(name, budget[name])).join(", ")}`;
}
