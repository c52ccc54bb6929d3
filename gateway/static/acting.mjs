// Doing something that a person asked for: busy while it lasts, what went wrong, and one sentence when it worked.

import { signal, useSignal } from "@preact/signals";
import { html } from "./html.mjs";

const SHOWN_MS = 6000;
let timer = null;

export const said = signal("");

/** Show a sentence for a moment, and tell it to screen readers. */
export function say(sentence) {
  said.value = sentence;
  clearTimeout(timer);
  timer = setTimeout(() => (said.value = ""), SHOWN_MS);
}

/** act(name, work) runs `work`, one at a time; resolves to true when it went well. busy: the name, while it runs. */
export function useActing() {
  const busy = useSignal(null);
  const problem = useSignal(null);
  const act = async (name, work) => {
    if (busy.peek()) return false;
    busy.value = name;
    problem.value = null;
    try {
      await work();
      return true;
    } catch (failure) {
      problem.value = failure;
      return false;
    } finally {
      busy.value = null;
    }
  };
  return { busy: busy.value, problem: problem.value, act };
}

export function Toast() {
  return html`<p class="toast" role="status" aria-live="polite">${said.value && html`<span>${said.value}</span>`}</p>`;
}
