// The one thing that a live run waits on, in one sentence, and the way to what helps. Asked when nothing has happened for
// a moment: a run that moves needs no explanation.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { getWhy } from "./api.mjs";
import { linkTo } from "./address.mjs";
import { openStep, showStep } from "./conversation.mjs";
import { plainSentence } from "./formats.mjs";

const QUIET_MS = 900;
const AGAIN_MS = 3000;
// What does not end by itself: somebody has to do something.
const NEEDS_SOMEBODY = new Set(["in_doubt", "missing_tool", "no_worker", "flow_paused", "paused", "review", "stuck"]);

export function WhyLine({ run }) {
  const why = useSignal(null);
  useEffect(() => {
    let stopped = false;
    const look = async () => {
      const found = document.visibilityState === "visible" ? await getWhy(run.id).catch(() => null) : why.peek();
      if (stopped) return;
      why.value = found;
      timer = setTimeout(look, AGAIN_MS);
    };
    let timer = setTimeout(look, QUIET_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [run.id, run.seq]);
  const found = why.value;
  if (!found || found.kind === "ended") return null;
  if (found.kind === "in_doubt" && openStep.value === found.stepId) return null; // the drawer says so already
  return html`<p class=${`why ${NEEDS_SOMEBODY.has(found.kind) ? "needs-somebody" : ""}`} title=${found.sentence}>
    <${Icon} name="hourglass" /><span>${plainSentence(found.sentence)}</span>
    <${Help} why=${found} />
  </p>`;
}

function Help({ why }) {
  if (why.kind === "flow_paused" || why.kind === "turn") return html`<a href=${linkTo(["limits"])}>Limits</a>`;
  if (why.kind === "stuck" || why.kind === "no_worker") return html`<a href=${linkTo(["doctor"])}>Doctor</a>`;
  if (why.stepId && openStep.value !== why.stepId) return html`<button class="quiet" type="button" onClick=${() => showStep(why.stepId)}>Open ${why.stepId}</button>`;
  return null;
}
