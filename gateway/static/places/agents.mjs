// Agents: named profiles (instructions, model, tools, budget, memory) that runs are given. Made, changed, dropped.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { linkTo, place, setQuery } from "../address.mjs";
import { listAgents, listTools, putAgent, removeAgent } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { plainName } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { Sure } from "../step_actions.mjs";
import { BudgetFields, budgetOf, budgetWords } from "./budget_fields.mjs";
import { Labelled, Options } from "./schedule_form.mjs";

export function Place() {
  const { value, problem, reload } = useLoaded(listAgents);
  const adding = place.value.query.open === "new";
  const agents = value?.items ?? [];
  return html`<div class="page"><div class="page-body">
    <div class="title-line"><h2 class="page-title">Agents</h2>
      <button type="button" aria-expanded=${adding} onClick=${() => setQuery({ open: adding ? "" : "new" })}><${Icon} name="plus" />New agent</button></div>
    <p class="hint">Named profiles for runs: how to answer, which model and tools, how much it may spend.</p>
    ${adding && html`<${AgentForm} changed=${reload} done=${() => setQuery({ open: "" })} />`}
    <${Problem} problem=${problem} />
    ${value && !agents.length && !adding && html`<p class="empty"><${Icon} name="agent" />No agent yet: runs use every tool and the one model.</p>`}
    <ul class="rows" data-walk>${agents.map((agent) => html`<${Row} key=${agent.name} agent=${agent} changed=${reload} />`)}</ul>
  </div></div>`;
}

function Row({ agent, changed }) {
  const asking = useSignal(null);
  const { busy, problem, act } = useActing();
  const ask = (part) => () => (asking.value = asking.value === part ? null : part);
  const never = () => (asking.value = null);
  const remove = () => act("remove", async () => (await removeAgent(agent.name), say(`${agent.name} is dropped.`), changed()));
  return html`<li class="entry">
    <div class="entry-head">
      <h3>${agent.name}</h3>
      ${(agent.description || agent.instructions) && html`<p class="entry-gist">${agent.description || agent.instructions}</p>`}
      <p class="row-facts"><span>${agent.model ?? "the usual model"}</span><span>${agent.tools ? agent.tools.join(", ") : "all tools"}</span>
        ${agent.budget && html`<span>${budgetWords(agent.budget)}</span>`}<span>${agent.memory === "none" ? "no memory" : "remembers its users"}</span></p>
    </div>
    <div class="buttons">
      <a class="button quiet" href=${linkTo(["runs"], { agent: agent.name })} data-walk-item>Its runs</a>
      <button class="quiet" type="button" aria-label=${`Change ${agent.name}`} title="Change" aria-expanded=${asking.value === "edit"} onClick=${ask("edit")}><${Icon} name="edit" /></button>
      <button class="quiet" type="button" aria-label=${`Remove ${agent.name}`} title="Remove" aria-expanded=${asking.value === "remove"} onClick=${ask("remove")}><${Icon} name="bin" /></button>
    </div>
    ${asking.value === "edit" && html`<${AgentForm} agent=${agent} changed=${changed} done=${never} />`}
    ${asking.value === "remove" && html`<${Sure} busy=${busy} does="Drop it" onYes=${remove} onNo=${never}>Drop this agent? Its runs go on as they began.<//>`}
    <${Problem} problem=${problem} />
  </li>`;
}

function AgentForm({ agent, changed, done }) {
  const { busy, problem, act } = useActing();
  const tools = useLoaded(listTools);
  const first = useRef(null);
  useEffect(() => first.current.focus(), []);
  const save = (event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const words = (name) => fields.get(name)?.trim() || null;
    const patterns = (words("tools") ?? "").split(/[\s,]+/).filter(Boolean);
    const name = agent?.name ?? words("name");
    const body = { description: words("description"), instructions: words("instructions"), model: words("model"), tools: patterns.length ? patterns : null, budget: budgetOf(fields), memory: fields.get("memory") };
    act("save", async () => {
      await putAgent(name, body);
      say(agent ? `${name} is changed: later runs go by it.` : `${name} is there: start runs with it.`);
      done();
      await changed();
    });
  };
  const keys = (event) => event.key === "Escape" && (event.stopPropagation(), done());
  const faults = Object.fromEntries((problem?.errors ?? []).map(({ pointer, detail }) => [pointer.split("/")[1], detail]));
  const fault = (name) => faults[name] && html`<p class="fault" role="alert">${plainName(name)} ${faults[name]}</p>`;
  return html`<form class="entry-form" aria-label=${agent ? `Change ${agent.name}` : "New agent"} onSubmit=${save} onKeyDown=${keys}>
    ${!agent && html`<${Labelled} label="Name"><input type="text" name="name" required maxlength="200" pattern="[^\\/?#]+" autocomplete="off" ref=${first} />${fault("name")}<//>`}
    <${Labelled} label="What it is for"><input type="text" name="description" maxlength="2000" autocomplete="off" ref=${agent ? first : undefined} value=${agent?.description ?? ""} />${fault("description")}<//>
    <${Labelled} label="Instructions" wide><textarea name="instructions" rows="4" placeholder="Speak like an accountant; give every amount in euros.">${agent?.instructions ?? ""}</textarea>${fault("instructions")}<//>
    <${Labelled} label="Model"><input type="text" name="model" autocomplete="off" placeholder="the usual one" value=${agent?.model ?? ""} />${fault("model")}<//>
    <${Labelled} label="Memory"><${Options} name="memory" options=${{ user: "of its users", none: "none" }} value=${agent?.memory ?? "user"} /><//>
    <${Labelled} label="Tools (names or patterns such as fetch_*; none: all)" wide><input type="text" name="tools" list="agent-tools" autocomplete="off" spellcheck="false" value=${agent?.tools?.join(", ") ?? ""} />
      <datalist id="agent-tools">${(tools.value?.items ?? []).map((tool) => html`<option value=${tool.name} />`)}</datalist>${fault("tools")}<//>
    <${BudgetFields} budget=${agent?.budget} legend="Budget of a run" />${fault("budget")}
    <div class="buttons wide"><button class="primary" type="submit" disabled=${busy}>${agent ? "Change it" : "Make it"}</button><button class="quiet" type="button" onClick=${done}>Never mind</button></div>
    <${Problem} problem=${Object.keys(faults).length ? null : problem} />
  </form>`;
}
