// Where a memory comes from, whether it is found and why, what it took the place of, and what took its own.

import { html } from "../html.mjs";
import { Problem } from "../problem.mjs";
import { memoryHistory, memoryWhy } from "../api.mjs";
import { runLink } from "../conversation.mjs";
import { dateOf, plainSentence } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { Fact } from "../values.mjs";

const SCOPES = { tenant: "shared by all users", user: "of one user", agent: "of an agent", conversation: "of a conversation" };

export function Story({ id }) {
  const { value, problem } = useLoaded(async () => ({ why: await memoryWhy(id), history: (await memoryHistory(id)).items }), [id]);
  if (!value) return problem ? html`<${Problem} problem=${problem} />` : html`<p class="hint">Loading…</p>`;
  const { why, history } = value;
  const { source } = why;
  return html`<div class="entry-part story">
    <p>${plainSentence(why.why)}</p>
    <dl class="facts-list">
      <${Fact} name="Whose">${SCOPES[why.scope] ?? why.scope}: ${why.agent ?? why.conversationId ?? why.userId ?? "all"}<//>
      ${source.runId && html`<${Fact} name="From"><a href=${runLink(source.runId, source.stepId)}>${source.stepId ? `step ${source.stepId} of a run` : "a run"}</a><//>`}
      ${source.url && html`<${Fact} name="Page"><code>${source.url}</code><//>`}
      <${Fact} name="Held">from ${dateOf(why.validFrom ?? why.at)}${why.validTo ? ` until ${dateOf(why.validTo)}` : ", still"}<//>
      ${why.expiresAt && html`<${Fact} name="Expires">${dateOf(why.expiresAt)}<//>`}
      <${Fact} name="Used">${why.useCount === 0 ? "never" : why.useCount === 1 ? "once" : `${why.useCount} times`}${why.lastUsedAt ? html` <small>last ${dateOf(why.lastUsedAt)}</small>` : ""}<//>
      ${why.derived.length > 0 && html`<${Fact} name="Made of it">${why.derived.length} ${why.derived.length === 1 ? "memory" : "memories"}<//>`}
    </dl>
    ${history.length > 1 && html`<h4>What held when</h4><ol class="moments">${history.map((each) => html`<li key=${each.id}><span>${dateOf(each.validFrom ?? each.at)}</span>${each.id === id ? html`<b>${each.text}</b>` : html`<span>${each.text}</span>`}</li>`)}</ol>`}
  </div>`;
}
