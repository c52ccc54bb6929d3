// The plan of a run that waits for a look: as a graph and as cards to edit, with what it will take; then it goes, or not.

import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { PlanGraph } from "../plan_graph.mjs";
import { changeRun, getPlan, listTools, previewPlan, replacePlan } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { countWaiting } from "../attention.mjs";
import { counted, dollars, duration } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { StepCard } from "./step_card.mjs";
import { added, before, changed, faultsOf, moved, retooled, without } from "./plan_draft.mjs";

const PAUSE_MS = 300; // after the last key, before the server is asked what it thinks

/** run → {revision, steps}: what was edited and is not sent yet; it outlives a look at another place. */
const drafts = signal({});

export function PlanEditor({ run }) {
  const plan = useLoaded(() => getPlan(run.id), [run.id, run.revision]);
  const tools = useLoaded(listTools);
  if (!plan.value || !tools.value) return html`<${Problem} problem=${plan.problem || tools.problem} /><p class="hint">Loading…</p>`;
  return html`<${Editor} key=${run.id} run=${run} plan=${plan.value} tools=${tools.value.items} />`;
}

function Editor({ run, plan, tools }) {
  const draft = drafts.value[run.id];
  const steps = draft?.steps ?? plan.steps;
  const undone = useSignal(0);
  const open = useSignal(steps.length === 1 ? steps[0].id : null);
  const look = useForecast(steps, draft ? null : plan.preview, run.agent);
  const { busy, problem, act } = useActing();
  const set = (next) => (drafts.value = { ...drafts.peek(), [run.id]: { revision: draft?.revision ?? plan.revision, steps: next } });
  const drop = () => {
    const { [run.id]: _, ...rest } = drafts.peek();
    drafts.value = rest;
  };
  const faults = faultsOf(problem?.errors?.length ? problem : look.problem);
  const wrong = Object.keys(faults.steps).length + faults.rest.length > 0;
  const keep = async () => {
    if (!draft) return;
    await replacePlan(run.id, { revision: draft.revision, steps, note: plan.note ?? undefined });
    drop();
  };
  const go = () => act("go", async () => (await keep(), await changeRun(run.id, "resume"), say("The plan runs."), await countWaiting()));
  const save = () => act("save", async () => (await keep(), say("The plan is kept; it waits on.")));
  const cancel = () => act("cancel", async () => (await changeRun(run.id, "cancel"), drop(), await countWaiting()));
  const show = (id) => {
    open.value = id;
    requestAnimationFrame(() => document.getElementById(`edit-${id}`)?.focus());
  };
  const shift = (id, by) => {
    set(moved(steps, id, by));
    requestAnimationFrame(() => document.activeElement === document.body && document.getElementById(`edit-${id}`)?.focus());
  };
  const append = (tool) => {
    const next = added(steps, tool);
    set(next);
    show(next.at(-1).id);
  };
  return html`<section class="review" aria-labelledby="review-title">
    <h3 id="review-title" class="review-title">Look at the plan before it runs</h3>
    <${ForecastLine} look=${look.value} steps=${steps} budget=${run.budget} />
    <div class="buttons">
      <button class="primary" type="button" disabled=${busy || wrong || !steps.length} onClick=${go}><${Icon} name="play" />Run it</button>
      ${draft && html`<button type="button" disabled=${busy || wrong} onClick=${save}>Keep for later</button>
        <button class="quiet" type="button" disabled=${busy} onClick=${() => (drop(), (undone.value += 1))}>Undo changes</button>`}
      <button class="danger" type="button" disabled=${busy} onClick=${cancel}><${Icon} name="stop" />Cancel run</button>
    </div>
    <${Problem} problem=${problem?.errors?.length ? null : problem} />
    ${faults.rest.map((said) => html`<p class="problem" role="alert">${said}</p>`)}
    ${steps.length > 0 && html`<${PlanGraph} steps=${drawable(steps)} timing=${(step) => timeOf(look.value, step.id)} choose=${show} chosen=${open.value} />`}
    <ol class="cards" data-walk key=${undone.value}>${steps.map((step, at) => html`<${StepCard} key=${step.id} step=${step} tools=${tools} open=${open.value === step.id}
      others=${steps.filter((each) => each !== step).map((each) => each.id)} faults=${faults.steps[at]} takes=${look.value?.steps[step.id]} asks=${look.value?.asks.includes(step.id)}
      first=${at === 0} last=${at === steps.length - 1} edit=${{
        open: () => (open.value = open.value === step.id ? null : step.id),
        set: (patch) => set(changed(steps, step.id, patch)),
        tool: (name) => set(retooled(steps, step.id, name, tools.find((tool) => tool.name === name)?.schema)),
        move: (by) => shift(step.id, by),
        remove: () => set(without(steps, step.id)),
      }} />`)}</ol>
    <${NewStep} tools=${tools} append=${append} />
  </section>`;
}

/** What the server thinks of these steps: {value: forecast, problem}; asked when the typing pauses. */
function useForecast(steps, known, agent) {
  const value = useSignal(known);
  const problem = useSignal(null);
  const text = JSON.stringify(steps);
  useEffect(() => {
    let stopped = false;
    const ask = async () => {
      try {
        const found = await previewPlan({ plan: { steps }, ...(agent && { agent }) });
        if (!stopped) (value.value = found), (problem.value = null);
      } catch (failure) {
        if (!stopped) problem.value = failure;
      }
    };
    if (known) (value.value = known), (problem.value = null);
    const timer = known ? null : setTimeout(ask, PAUSE_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [text, known]);
  return { value: value.value, problem: problem.value };
}

function ForecastLine({ look, steps, budget }) {
  if (!look) return html`<p class="hint">Nothing of it runs until you say so.</p>`;
  const over = overdrawn(look, steps, budget);
  return html`<dl class="forecast" aria-label="What it will take">
      <${Sum} name="steps" of=${steps.length} />
      <${Sum} name="time" of=${`≈ ${duration(look.seconds * 1000)}`} />
      <${Sum} name="cost" of=${look.cost === null ? "not known" : look.cost ? `≈ ${dollars(look.cost)}` : "nothing"} hint=${look.tokens ? `${look.tokens.toLocaleString()} tokens` : "no model is asked"} />
      ${look.asks.length > 0 && html`<${Sum} name="asks you" of=${look.asks.length === 1 ? "once" : `${look.asks.length} times`} />`}
    </dl>
    <p class="hint">${look.unknown.length > 0 ? `Without ${counted(look.unknown.length, "step")} of tools that have not run lately. ` : ""}Medians of the latest runs; nothing runs until you say so.</p>
    ${over.map((said) => html`<p class="problem" role="alert">${said}</p>`)}`;
}

const Sum = ({ name, of, hint }) => html`<div><dt>${name}</dt><dd title=${hint}>${of}</dd></div>`;

/** Where the forecast is beyond the run's budget. */
function overdrawn(look, steps, budget) {
  if (!budget) return [];
  const wanted = { steps: steps.length, tokens: look.tokens, money: look.cost, seconds: look.seconds };
  return Object.entries(wanted)
    .filter(([name, amount]) => budget[name] !== undefined && amount !== null && amount > budget[name])
    .map(([name, amount]) => `It may take ${name === "money" ? dollars(amount) : +amount.toFixed(1)} ${name === "money" ? "" : name}, and the budget is of ${name === "money" ? dollars(budget[name]) : budget[name]}.`);
}

const drawable = (steps) => {
  const ids = new Set(steps.map((step) => step.id));
  return steps.map((step) => ({ ...step, status: "pending", dependsOn: before(step).filter((id) => ids.has(id) && id !== step.id) }));
};

const timeOf = (look, id) => (look?.steps[id] ? `≈ ${duration(look.steps[id].seconds * 1000)}` : "");

function NewStep({ tools, append }) {
  return html`<div class="new-step"><label class="visually-hidden" for="new-step">Tool of a new step</label>
    <select id="new-step" value="" onChange=${(event) => event.currentTarget.value && (append(event.currentTarget.value), (event.currentTarget.value = ""))}>
      <option value="">Add a step…</option>${tools.map((tool) => html`<option value=${tool.name}>${tool.name}</option>`)}</select></div>`;
}
