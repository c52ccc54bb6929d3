// The dialogs: the tools, the keyboard legend. A native <dialog> keeps focus and closes on Esc.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { listTools } from "./api.mjs";
import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { KEYS, keysOn, setKeysOn } from "./keyboard.mjs";
import { Problem } from "./problem.mjs";

export const openPanel = signal(null); // "tools", "keys" or null
const PANELS = { tools: ["Tools", ToolPanel], keys: ["Keyboard", KeyPanel] };

export function Panels() {
  const name = openPanel.value;
  if (!name) return null;
  const [title, Content] = PANELS[name];
  return html`<${Dialog} key=${name} title=${title}><${Content} /><//>`;
}

function Dialog({ title, children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => dialog.current.showModal(), []);
  const closed = () => (openPanel.value = null);
  const outside = (event) => event.target === dialog.current && dialog.current.close();
  return html`<dialog ref=${dialog} aria-labelledby="panel-title" onClose=${closed} onClick=${outside}>
    <div class="panel">
      <header><h2 id="panel-title">${title}</h2>
        <button class="quiet" type="button" aria-label="Close" onClick=${() => dialog.current.close()}><${Icon} name="close" /></button></header>
      ${children}
    </div>
  </dialog>`;
}

function ToolPanel() {
  const tools = useSignal(null);
  const problem = useSignal(null);
  useEffect(() => {
    listTools().then(({ items }) => (tools.value = items), (failure) => (problem.value = failure));
  }, []);
  if (!tools.value) return problem.value ? html`<${Problem} problem=${problem.value} />` : html`<p class="hint">Loading…</p>`;
  if (!tools.value.length) return html`<p class="hint">No execution worker has registered a tool yet.</p>`;
  return html`<ul class="results">${tools.value.map((tool) => html`<li key=${tool.name}>
    <p><b>${tool.name}</b></p><p>${firstParagraph(tool.description)}</p>
    <p class="facts">${tool.effect && html`<span>${tool.effect}</span>`}${tool.examples?.[0] && html`<span>“${tool.examples[0]}”</span>`}</p></li>`)}</ul>`;
}

// The rest of a description is for the planner.
const firstParagraph = (text) => text.split(/\n\s*\n/)[0].replaceAll("\n", " ");

function KeyPanel() {
  return html`<dl class="keys">${KEYS.map(([keys, does]) => html`<div><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${does}</dd></div>`)}</dl>
    <label class="check"><input type="checkbox" checked=${keysOn.value} onChange=${(event) => setKeysOn(event.currentTarget.checked)} />
      Single-key shortcuts</label>`;
}
