// Asks for an API key when the server wants one; the key stays in this tab (sessionStorage).

import { useSignal } from "@preact/signals";
import { keyNeeded, setApiKey } from "./api.mjs";
import { html } from "./html.mjs";

const SENDABLE = /^[\w!#$%&'*+.^`|~-]+$/; // what a WebSocket subprotocol may hold (RFC 9110 token)

export function KeyForm({ onKey }) {
  const key = useSignal("");
  const problem = useSignal("");
  if (!keyNeeded.value) return null;
  const save = (event) => {
    event.preventDefault();
    const given = key.value.trim();
    if (!SENDABLE.test(given)) {
      problem.value = "That is not an API key. One is made with: perdure keys create";
      return;
    }
    problem.value = "";
    setApiKey(given);
    onKey();
  };
  return html`<form class="key-form" onSubmit=${save}>
    <label for="api-key">This server needs an API key. It stays in this tab.</label>
    <input id="api-key" type="password" autocomplete="off" value=${key.value} onInput=${(event) => (key.value = event.currentTarget.value)} />
    <button class="primary" type="submit">Use it</button>
    ${problem.value && html`<p role="alert">${problem.value}</p>`}
  </form>`;
}
