// Showing values: a fact in a list, a JSON value that can be copied, and a form that asks for one.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { prettyJson } from "./formats.mjs";

export const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

export function Value({ name, of, value }) {
  if (value === undefined || value === null) return null;
  return html`<figure class="value">
    <figcaption><h3>${name}</h3><${CopyButton} text=${() => prettyJson(value)} label=${`Copy the ${name.toLowerCase()}`} /></figcaption>
    <pre tabindex="0" role="region" aria-label=${`${name} of ${of}`}>${prettyJson(value)}</pre>
  </figure>`;
}

/** Absent where the browser gives no clipboard (plain HTTP on a network). */
export function CopyButton({ text, label }) {
  if (!navigator.clipboard) return null;
  const copy = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(text()).catch(() => {});
    button.classList.add("is-done");
    setTimeout(() => button.classList.remove("is-done"), 1200);
  };
  return html`<button class="quiet copy" type="button" title=${label} aria-label=${label} onClick=${copy}><${Icon} name="copy" /></button>`;
}

/** What is in the box as {value}, or as {fault}: a sentence. object: only a JSON object will do. */
export function readJson(text, { object } = {}) {
  try {
    const value = JSON.parse(text);
    if (object && (typeof value !== "object" || value === null || Array.isArray(value))) return { fault: "That is not a JSON object: { … }." };
    return { value };
  } catch (error) {
    return { fault: `That is not JSON: ${error.message}` };
  }
}

/** Asks for a JSON value. sends: [[label, onSend(value)], …], the first one is the main one (Ctrl+Enter). */
export function JsonForm({ id, label, hint, start, object, busy, sends, onCancel }) {
  const text = useSignal(JSON.stringify(start ?? {}, null, 2));
  const fault = useSignal("");
  const box = useRef(null);
  useEffect(() => box.current.focus(), []);
  const send = (onSend) => {
    const { value, fault: found } = readJson(text.value, { object });
    fault.value = found || "";
    if (found) box.current.focus();
    else onSend(value);
  };
  const keys = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(sends[0][1]);
    if (event.key !== "Escape") return;
    event.stopPropagation(); // closes the form, not the drawer around it
    onCancel();
  };
  return html`<form class="json-form" onKeyDown=${keys} onSubmit=${(event) => (event.preventDefault(), send(sends[0][1]))}>
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint">${hint}</p>`}
    <textarea id=${id} ref=${box} spellcheck="false" rows="3" aria-invalid=${Boolean(fault.value)} aria-describedby=${fault.value ? `${id}-fault` : undefined}
      value=${text.value} onInput=${(event) => (text.value = event.currentTarget.value)}></textarea>
    ${fault.value && html`<p class="fault" id=${`${id}-fault`} role="alert">${fault.value}</p>`}
    <div class="buttons">
      <button class="primary" type="submit" disabled=${busy}>${sends[0][0]}</button>
      ${sends.slice(1).map(([name, onSend]) => html`<button type="button" disabled=${busy} onClick=${() => send(onSend)}>${name}</button>`)}
      <button class="quiet" type="button" onClick=${onCancel}>Never mind</button>
    </div>
  </form>`;
}
