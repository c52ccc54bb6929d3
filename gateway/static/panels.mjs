// The dialogs: the keyboard legend, and the places where the rail is too narrow. A native <dialog> keeps focus and closes on Esc.

import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { KEYS, keysOn, setKeysOn } from "./keyboard.mjs";
import { openPanel } from "./open_panel.mjs";
import { PlacePanel } from "./rail.mjs";

const PANELS = { keys: ["Keyboard", KeyPanel], places: ["Places", PlacePanel] };

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

function KeyPanel() {
  return html`<dl class="keys">${KEYS.map(([keys, does]) => html`<div><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${does}</dd></div>`)}</dl>
    <label class="check"><input type="checkbox" checked=${keysOn.value} onChange=${(event) => setKeysOn(event.currentTarget.checked)} />
      Single-key shortcuts</label>`;
}
