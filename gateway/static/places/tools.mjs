// Tools: what steps may call, each with its arguments, effect and examples; and a form that tries one as a run of its own.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { place, setQuery } from "../address.mjs";
import { listTools, newKey, startRun } from "../api.mjs";
import { useActing } from "../acting.mjs";
import { draft, newConversation, pane, runLink } from "../conversation.mjs";
import { Drawer } from "../drawer.mjs";
import { duration } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { ArgumentFields } from "../editing/argument_fields.mjs";
import { gather } from "../editing/plan_draft.mjs";
import { Fact, Value } from "../values.mjs";
import { Choice, Search } from "./lists.mjs";

const EFFECTS = { pure: "changes nothing", idempotent: "may be repeated", verify: "can be looked up", unsafe: "must not be repeated" };
const PERMISSIONS = { allow: "runs freely", ask: "asks a person first", deny: "denied" };

export function Place() {
  const { text, effect, source, tool: opened } = place.value.query;
  const { value, problem } = useLoaded(listTools);
  const tools = value?.items ?? [];
  const fitting = tools.filter((tool) => (!effect || tool.effect === effect) && (!source || tool.source === source) && (!text || `${tool.name} ${tool.description} ${tool.capabilities.join(" ")}`.toLowerCase().includes(text.toLowerCase())));
  const sources = [...new Set(tools.map((tool) => tool.source))];
  const open = tools.find((tool) => tool.name === opened);
  const walk = (by) => {
    const next = fitting[fitting.indexOf(open) + by];
    if (next) setQuery({ tool: next.name });
  };
  return html`<div class=${`page ${open ? "has-drawer" : ""}`}>
    <div class="page-body">
      <h2 class="page-title">Tools</h2>
      <p class="hint">What the steps of a plan may call.</p>
      <form class="filters" role="search" aria-label="Filter the tools" onSubmit=${(event) => event.preventDefault()}>
        <div class="wide"><${Search} name="text" label="Search" value=${text} placeholder="Search tools" /></div>
        <${Choice} name="effect" label="Effect" value=${effect} options=${{ "": "any effect", ...EFFECTS }} />
        ${sources.length > 1 && html`<${Choice} name="source" label="From" value=${source} options=${{ "": "from anywhere", ...Object.fromEntries(sources.map((each) => [each, each])) }} />`}
      </form>
      <${Problem} problem=${problem} />
      ${value && !fitting.length && html`<p class="empty">${tools.length ? "No tool fits that." : "No execution worker has registered a tool yet."}</p>`}
      <ul class="rows" data-walk>${fitting.map((tool) => html`<li key=${tool.name}>
        <button id=${`tool-${tool.name}`} class=${`row ${tool === open ? "is-open" : ""}`} type="button" data-walk-item aria-expanded=${tool === open} onClick=${() => setQuery({ tool: tool.name }, { step: !open })}>
          <${Icon} name="tools" /><span class="row-name">${tool.name}</span>
          <span class="row-more">${firstParagraph(tool.description)}</span>
          <span class="row-facts"><span>${EFFECTS[tool.effect] ?? tool.effect}</span>${tool.permission !== "allow" && html`<span class="tag tone-waiting">${PERMISSIONS[tool.permission] ?? tool.permission}</span>`}${sources.length > 1 && html`<span>${tool.source}</span>`}</span>
        </button></li>`)}</ul>
    </div>
    ${open && html`<${ToolDrawer} key="drawer" tool=${open} walk=${walk} close=${() => setQuery({ tool: "" })} />`}
  </div>`;
}

// The rest of a description is for the planner.
const firstParagraph = (text) => text.split(/\n\s*\n/)[0].replaceAll("\n", " ");

function ToolDrawer({ tool, walk, close }) {
  const title = html`<div class="drawer-title"><h2><${Icon} name="tools" />${tool.name}</h2><p class="facts"><span>${tool.source}</span></p></div>`;
  const ask = (example) => {
    newConversation();
    draft.value = example;
  };
  return html`<${Drawer} name=${`Tool ${tool.name}`} title=${title} close=${close} walk=${walk} returnTo=${`tool-${tool.name}`}>
    <div class="drawer-body" key=${tool.name}>
      <p class="step-said">${tool.description}</p>
      ${tool.examples.length > 0 && html`<section><h3>Asked like this</h3><ul class="examples">${tool.examples.map((example) => html`<li><button type="button" onClick=${() => ask(example)}>${example}</button></li>`)}</ul></section>`}
      <${TryIt} tool=${tool} />
      <dl class="facts-list">
        <${Fact} name="Effect">${tool.effect} <small>${EFFECTS[tool.effect]}</small><//>
        <${Fact} name="Permission">${PERMISSIONS[tool.permission] ?? tool.permission}<//>
        <${Fact} name="Timeout">${duration(tool.timeout * 1000)}<//>
        <${Fact} name="Tries">${tool.retry.attempts ?? "as set"}${tool.retry.base ? html` <small>${tool.retry.base} s apart at first</small>` : ""}<//>
        ${tool.capabilities.length > 0 && html`<${Fact} name="Found by">${tool.capabilities.join(", ")}<//>`}
      </dl>
      <${Value} name="Schema" of=${tool.name} value=${tool.schema} />
    </div>
  <//>`;
}

/** Runs the tool as the only step of a run: whatever it does, it does. */
function TryIt({ tool }) {
  const given = useSignal({});
  const { busy, problem, act } = useActing();
  const faults = {};
  for (const { pointer, detail } of problem?.errors ?? []) if (pointer.includes("/arguments")) gather(faults, pointer.replace(/^.*\/arguments\/?/, ""), detail);
  const start = (event) => {
    event.preventDefault();
    act("try", async () => {
      const { workflowId } = await startRun({ plan: { steps: [{ id: "s1", tool: tool.name, arguments: given.value, why: "tried from the tools' page" }] } }, newKey());
      pane.value = "plan";
      location.hash = runLink(workflowId, "s1");
    });
  };
  return html`<form class="json-form try" onSubmit=${start}><h3>Try it</h3>
    <${ArgumentFields} id="try" schema=${tool.schema} value=${given.value} change=${(next) => (given.value = next)} faults=${faults} />
    ${(tool.effect === "unsafe" || tool.effect === "verify") && html`<p class="hint">This acts on the outside.</p>`}
    <div class="buttons"><button class="primary" type="submit" disabled=${busy}><${Icon} name="play" />Run it</button></div>
    <${Problem} problem=${Object.keys(faults).length ? null : problem} />
  </form>`;
}
