// Quarantine: text from outside that reads like an instruction, and is not found until a person has released it.

import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { forgetMemory, listQuarantine, releaseMemory } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { runLink } from "../conversation.mjs";
import { dateOf } from "../formats.mjs";

/** held: what useLoaded gives for `readQuarantine`; changed: called after a decision. */
export function Quarantine({ held, changed }) {
  const items = held.value?.items ?? [];
  if (!items.length) return null;
  return html`<section aria-labelledby="quarantine-title">
    <h3 id="quarantine-title" class="section-title">To be reviewed <span class="count">${items.length}${held.value.next && "+"}</span></h3>
    <p class="hint">Text from outside that reads like an instruction. It is not found until you release it.</p>
    <ul class="rows memories" data-walk>${items.map((memory) => html`<${Held} key=${memory.id} memory=${memory} changed=${changed} />`)}</ul>
  </section>`;
}

export const readQuarantine = (userId) => listQuarantine({ userId, limit: 50 });

function Held({ memory, changed }) {
  const { busy, problem, act } = useActing();
  const decide = (name, work, sentence) => act(name, async () => (await work(), say(sentence), await changed()));
  const { source } = memory;
  return html`<li class="memory" data-keys>
    <p class="memory-text">${memory.text}</p>
    <p class="row-facts"><span class="tag tone-waiting">${memory.quarantineReason}</span><span>${dateOf(memory.at)}</span>
      ${source.runId && html`<a href=${runLink(source.runId, source.stepId)}>from ${source.stepId ? `step ${source.stepId}` : "a run"}</a>`}${source.url && html`<code>${source.url}</code>`}</p>
    <div class="buttons"><button type="button" data-key="a" data-walk-item title="Release (a)" disabled=${busy} onClick=${() => decide("release", () => releaseMemory(memory.id), "Released: it is found from now on.")}>Release</button>
      <button class="danger" type="button" data-key="d" title="Delete (d)" disabled=${busy} onClick=${() => decide("delete", () => forgetMemory(memory.id), "Deleted.")}><${Icon} name="bin" />Delete</button></div>
    <${Problem} problem=${problem} />
  </li>`;
}
