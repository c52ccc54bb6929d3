// Limits per key: how many steps may run at once or start in a period, what runs and waits there now; pause and resume.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { changeLimit, listLimits, removeLimit, setLimit } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { counted } from "../formats.mjs";
import { useLoaded } from "../loading.mjs";
import { Sure } from "../step_actions.mjs";

const OFTEN_MS = 2000;

export function Place() {
  const { value, problem, reload } = useLoaded(listLimits, [], { every: OFTEN_MS });
  const adding = useSignal(false);
  const limits = value?.items ?? [];
  return html`<div class="page"><div class="page-body">
    <div class="title-line"><h2 class="page-title">Limits</h2>
      <button type="button" aria-expanded=${adding.value} onClick=${() => (adding.value = !adding.value)}><${Icon} name="plus" />New limit</button></div>
    <p class="hint">How many steps of one key may run at once, and how many may start in a while. What waits, waits in fair turns.</p>
    ${adding.value && html`<${LimitForm} changed=${reload} done=${() => (adding.value = false)} />`}
    <${Problem} problem=${problem} />
    ${value && !limits.length && html`<p class="empty">Nothing is limited.</p>`}
    <ul class="rows">${limits.map((limit) => html`<${Row} key=${limit.key} limit=${limit} changed=${reload} />`)}</ul>
  </div></div>`;
}

function Row({ limit, changed }) {
  const asking = useSignal(null);
  const { busy, problem, act } = useActing();
  const verb = limit.paused ? "resume" : "pause";
  const toggle = () => act(verb, async () => (await changeLimit(limit.key, verb), say(limit.paused ? `${limit.key} goes on.` : `${limit.key} is paused: nothing of it starts.`), changed()));
  const remove = () => act("remove", async () => (await removeLimit(limit.key), say(`${limit.key} is limited no more.`), changed()));
  const ask = (form) => () => (asking.value = asking.value === form ? null : form);
  const never = () => (asking.value = null);
  return html`<li class=${`limit ${limit.paused ? "is-paused" : ""}`}>
    <h3><code>${limit.key}</code>${limit.paused && html`<span class="tag tone-paused">paused</span>`}</h3>
    <dl class="gauges">
      <${Gauge} name="at once" now=${limit.running} most=${limit.parallelism} />
      ${limit.rate !== null && html`<${Gauge} name=${`starts in ${limit.period} s`} now=${limit.started} most=${limit.rate} />`}
      <div><dt>waiting</dt><dd class=${limit.waiting ? "tone-waiting" : ""}>${limit.waiting}</dd></div>
    </dl>
    <div class="buttons">
      <button type="button" disabled=${busy} aria-label=${`${limit.paused ? "Resume" : "Pause"} ${limit.key}`} onClick=${toggle}><${Icon} name=${limit.paused ? "play" : "pause"} />${limit.paused ? "Resume" : "Pause"}</button>
      <button class="quiet" type="button" aria-label=${`Change ${limit.key}`} aria-expanded=${asking.value === "edit"} onClick=${ask("edit")}><${Icon} name="edit" /></button>
      <button class="quiet" type="button" aria-label=${`Remove ${limit.key}`} aria-expanded=${asking.value === "remove"} onClick=${ask("remove")}><${Icon} name="bin" /></button>
    </div>
    ${asking.value === "edit" && html`<${LimitForm} limit=${limit} changed=${changed} done=${never} />`}
    ${asking.value === "remove" && html`<${Sure} busy=${busy} does="Remove it" onYes=${remove} onNo=${never}>Take this limit away? ${limit.waiting > 0 && `${counted(limit.waiting, "step")} that wait there go on.`}<//>`}
    <${Problem} problem=${problem} />
  </li>`;
}

function Gauge({ name, now, most }) {
  const share = most ? Math.min(100, (now / most) * 100) : 0;
  return html`<div><dt>${name}</dt><dd>${now}${most ? html` <small>of ${most}</small>` : html` <small>no limit</small>`}
    ${most && html`<svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-track" width="100" height="4" /><rect class=${share >= 100 ? "gauge-full" : "gauge-part"} width=${share} height="4" /></svg>`}</dd></div>`;
}

function LimitForm({ limit, changed, done }) {
  const { busy, problem, act } = useActing();
  const save = (event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const number = (name) => (fields.get(name) ? Number(fields.get(name)) : undefined);
    const key = limit?.key ?? fields.get("key").trim();
    const rate = number("rate");
    act("save", async () => {
      await setLimit(key, { parallelism: number("parallelism"), rate, period: rate && number("period") });
      say(`${key} is limited.`);
      done();
      await changed();
    });
  };
  const keys = (event) => event.key === "Escape" && (event.stopPropagation(), done());
  return html`<form class="limit-form" onSubmit=${save} onKeyDown=${keys}>
    ${!limit && html`<label class="wide">Key <input type="text" name="key" required autofocus placeholder="tool:fetch_page, agent:mailer, or a name of your own" /></label>`}
    <label>At once <input type="number" name="parallelism" min="1" max="100000" value=${limit?.parallelism} /></label>
    <label>Starts <input type="number" name="rate" min="1" max="1000" value=${limit?.rate} /></label>
    <label>in seconds <input type="number" name="period" min="0.001" max="86400" step="any" value=${limit?.period ?? 1} /></label>
    <div class="buttons"><button class="primary" type="submit" disabled=${busy}>${limit ? "Change it" : "Limit it"}</button><button class="quiet" type="button" onClick=${done}>Never mind</button></div>
    <${Problem} problem=${problem} />
  </form>`;
}
