// The box one writes requests in. Enter sends, Shift+Enter starts a new line; a live run can be cancelled from here.

import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { Problem } from "./problem.mjs";
import { conversationId, draft, liveEntry, send, sending, sendProblem } from "./conversation.mjs";
import { cancel } from "./runs.mjs";

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
      <button class="primary" type="submit" disabled=${sending.value || !draft.value.trim()} aria-label="Send"><${Icon} name="send" /></button>
    </div>
  </form>`;
}
