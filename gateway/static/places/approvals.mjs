// What steps ask of people: may this call happen, with these arguments or others; a question to answer. The runs go on.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.mjs";
import { Icon, StatusMark } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { decideApproval } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { runLink } from "../conversation.mjs";
import { dateOf, prettyJson, since } from "../formats.mjs";
import { JsonForm } from "../values.mjs";

export function Approvals({ approvals, changed }) {
  const asked = approvals?.filter((approval) => approval.kind !== "callback") ?? [];
  if (!asked.length) return null;
  return html`<section aria-labelledby="approvals-title">
    <h3 id="approvals-title" class="section-title">Asked of you <span class="count">${asked.length}</span></h3>
    <ul class="rows" data-walk>${asked.map((approval) => html`<${Row} key=${approval.id} approval=${approval} changed=${changed} />`)}</ul>
  </section>`;
}

function Row({ approval, changed }) {
  const asking = useSignal(null); // which form is open
  const { busy, problem, act } = useActing();
  const ask = (form) => () => (asking.value = asking.value === form ? null : form);
  const never = () => (asking.value = null);
  const decide = (verb, body, sentence) => act(verb, async () => (await decideApproval(approval.id, verb, body), say(sentence), await changed()));
  const tools = { approval, busy, decide, ask, never, asking: asking.value };
  return html`<li class="approval" data-keys>
    <p class="approval-asks"><${StatusMark} status="waiting" />
      <span>${approval.kind === "question" ? approval.question?.text : html`May <strong>${approval.tool}</strong> be called?`}</span></p>
    ${approval.kind !== "question" && html`<pre tabindex="0" role="region" aria-label=${`Arguments of ${approval.tool}`}>${prettyJson(approval.arguments)}</pre>`}
    ${approval.reason && html`<p class="hint">${approval.reason}</p>`}
    <p class="row-facts"><a href=${runLink(approval.workflowId, approval.stepId)} data-walk-item>step ${approval.stepId}</a>
      <span>asked ${since(approval.requestedAt, Date.now())}</span><span>until ${dateOf(approval.expiresAt)}</span></p>
    ${approval.kind === "question" ? html`<${Question} ...${tools} />` : html`<${Call} ...${tools} />`}
    ${asking.value === "reject" && html`<${Words} id=${`reject-${approval.id}`} label="Why not?" does="Reject it" optional busy=${busy} onNo=${never}
      onYes=${(reason) => decide("reject", reason ? { reason } : {}, "Rejected: the step fails with your reason.")} />`}
    <${Problem} problem=${problem} />
  </li>`;
}

function Call({ approval, busy, decide, ask, never, asking }) {
  return html`<div class="buttons">
      <button class="primary" type="button" data-key="a" title="Approve (a)" disabled=${busy} onClick=${() => decide("approve", {}, `${approval.tool} goes on.`)}>Approve</button>
      <button type="button" aria-expanded=${asking === "edit"} onClick=${ask("edit")}><${Icon} name="edit" />Edit and approve</button>
      <button type="button" data-key="d" title="Reject (d)" aria-expanded=${asking === "reject"} onClick=${ask("reject")}>Reject</button>
    </div>
    ${asking === "edit" && html`<${JsonForm} id=${`edit-${approval.id}`} label="Arguments to call it with" object start=${approval.arguments} busy=${busy} onCancel=${never}
      sends=${[["Approve these", (value) => decide("approve", { arguments: value }, `${approval.tool} goes on with your arguments.`)]]} />`}`;
}

function Question({ approval, busy, decide, ask, asking }) {
  const choices = approval.question?.choices;
  const send = (answer) => decide("answer", { answer }, "Answered: the run goes on.");
  return html`${choices
      ? html`<div class="buttons" role="group" aria-label="Answers">${choices.map((choice) => html`<button type="button" disabled=${busy} onClick=${() => send(choice)}>${choice}</button>`)}</div>`
      : html`<${Words} id=${`answer-${approval.id}`} label="Your answer" does="Answer" busy=${busy} onYes=${send} />`}
    <div class="buttons"><button class="quiet" type="button" data-key="d" aria-expanded=${asking === "reject"} onClick=${ask("reject")}>I won't answer</button></div>`;
}

/** Asks for a sentence. onNo: there is a way back, and the box takes the focus at once. */
function Words({ id, label, does, optional, busy, onYes, onNo }) {
  const text = useSignal("");
  const box = useRef(null);
  useEffect(() => onNo && box.current.focus(), []);
  const keys = (event) => {
    if (event.key !== "Escape" || !onNo) return;
    event.stopPropagation();
    onNo();
  };
  return html`<form class="json-form" onKeyDown=${keys} onSubmit=${(event) => (event.preventDefault(), onYes(text.value.trim()))}>
    <label for=${id}>${label}</label>
    <input id=${id} type="text" ref=${box} value=${text.value} onInput=${(event) => (text.value = event.currentTarget.value)} />
    <div class="buttons"><button class="primary" type="submit" disabled=${busy || (!optional && !text.value.trim())}>${does}</button>
      ${onNo && html`<button class="quiet" type="button" onClick=${onNo}>Never mind</button>`}</div>
  </form>`;
}
