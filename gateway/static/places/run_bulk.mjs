// What is done with the selected runs: pause, resume, cancel, compare. One call for each run, a few at a time.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { Icon } from "../marks.mjs";
import { Problem } from "../problem.mjs";
import { linkTo } from "../address.mjs";
import { changeRun } from "../api.mjs";
import { say, useActing } from "../acting.mjs";
import { counted } from "../formats.mjs";
import { isOver } from "../run_state.mjs";
import { Sure } from "../step_actions.mjs";

const AT_ONCE = 4;
const DONE = { pause: "paused", resume: "resumed", cancel: "cancelled" };

export function RunBulk({ chosen, changed }) {
  const sure = useSignal(false);
  const { busy, problem, act } = useActing();
  const runs = [...chosen.value.values()];
  if (!runs.length) return null;
  const live = runs.filter((run) => !isOver(run));
  const doAll = (verb) => () =>
    act(verb, async () => {
      const refused = await eachOf(live, (run) => changeRun(run.id, verb));
      sure.value = false;
      say(`${counted(live.length - refused.length, "run")} ${DONE[verb]}.`);
      chosen.value = new Map(refused.map(({ run }) => [run.id, run])); // those that were refused stay selected
      await changed();
      if (refused.length) throw refused[0].problem;
    });
  const [one, other] = [...runs].sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  return html`<div class="bulk is-sticky" role="group" aria-label="Selected runs">
      <b>${counted(runs.length, "run")} selected</b>
      ${live.length > 0 && html`<button type="button" disabled=${busy} onClick=${doAll("pause")}><${Icon} name="pause" />Pause</button>
        <button type="button" disabled=${busy} onClick=${doAll("resume")}><${Icon} name="play" />Resume</button>
        <button class="danger" type="button" disabled=${busy} aria-expanded=${sure.value} onClick=${() => (sure.value = true)}><${Icon} name="stop" />Cancel</button>`}
      ${runs.length === 2 && html`<a class="button" href=${linkTo(["diff", one.id, other.id])}><${Icon} name="compare" />Compare</a>`}
      <button class="quiet" type="button" onClick=${() => (chosen.value = new Map())}>Clear</button>
    </div>
    ${sure.value && live.length > 0 && html`<${Sure} busy=${busy} does=${`Cancel ${counted(live.length, "run")}`} onYes=${doAll("cancel")} onNo=${() => (sure.value = false)}>
      Stop ${counted(live.length, "live run")}? What is done stays done; it can't be taken up again but as a fork.<//>`}
    <${Problem} problem=${problem} />`;
}

/** Does `work` for each run, AT_ONCE at a time; resolves to [{run, problem}] of those that were refused. */
async function eachOf(runs, work) {
  const left = [...runs];
  const refused = [];
  const worker = async () => {
    for (let run = left.shift(); run; run = left.shift()) await work(run).catch((problem) => refused.push({ run, problem }));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return refused;
}
