// The box one writes requests in. Enter sends, Shift+Enter starts a new line; a live run can be cancelled from here.

import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { agent, conversationId, draft, liveEntry, planFirst, send, sending, sendProblem, whenBusy } from "./conversation.mjs";
import { listAgents } from "./api.mjs";
import { useLoaded } from "./loading.mjs";
import { cancel } from "./runs.mjs";
import { system } from "./system.mjs";

const BUSY = { enqueue: "comes after it", interrupt: "takes its place", steer: "is added to it" };

export function Composer({ onSend }) {
  const live = liveEntry.value;
  const submit = (event) => {
    event.preventDefault();
    onSend();
    send(draft.value);
  };
  const enter = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  return html`<form class="composer" onSubmit=${submit}>
    <${Problem} problem=${sendProblem.value} />
    <div class="composer-box">
      <label class="visually-hidden" for="request">Your request</label>
      <textarea id="request" rows="1" autocomplete="off" placeholder=${conversationId.value ? "Ask something more" : "Ask something"}
        value=${draft.value} onInput=${(event) => (draft.value = event.currentTarget.value)} onKeyDown=${enter}></textarea>
      ${live && html`<button class="danger" type="button" disabled=${live.cancelling.value || live.run.value.cancelRequested}
        onClick=${() => cancel(live.id)}><${Icon} name="stop" />Cancel</button>`}
      <button class="plan-first" type="button" aria-pressed=${planFirst.value} title="Look at the plan, and change it, before anything of it runs" onClick=${() => (planFirst.value = !planFirst.value)}>
        <${Icon} name="plan" /><span>Plan first</span></button>
      <button class="primary" type="submit" disabled=${sending.value || !draft.value.trim()} aria-label="Send"><${Icon} name="send" /></button>
    </div>
    <div class="composer-foot">${live && html`<${WhileBusy} />`}<${AgentChoice} /></div>
  </form>`;
}

/** Whom to ask, where there are agents. */
function AgentChoice() {
  const { value } = useLoaded(listAgents);
  if (!value?.items.length) return null;
  return html`<label class="busy">Ask
    <select value=${agent.value} onChange=${(event) => (agent.value = event.currentTarget.value)}>
      <option value="">anyone</option>${value.items.map(({ name, description }) => html`<option value=${name} title=${description} selected=${agent.value === name}>${name}</option>`)}</select></label>`;
}

/** A run of this conversation lives: what becomes of what is written now. */
function WhileBusy() {
  const modes = Object.entries(BUSY).filter(([mode]) => mode !== "steer" || system.value?.brain !== "offline");
  return html`<label class="busy">A run is under way; what you send now
    <select value=${whenBusy.value} onChange=${(event) => (whenBusy.value = event.currentTarget.value)}>
      ${modes.map(([mode, does]) => html`<option value=${mode} selected=${whenBusy.value === mode}>${does}</option>`)}</select></label>`;
}
