// The steps along the time of the run: waiting in the queue (pale), each attempt (coloured by how it ended), pauses between.

import { html } from "./html.mjs";
import { StatusMark } from "./marks.mjs";
import { markOf, outcomeWord } from "./attempts.mjs";
import { runAttempts } from "./api.mjs";
import { openStep, showStep } from "./conversation.mjs";
import { costWords, priceOf, useCosts } from "./costs.mjs";
import { counted, duration, millis, statusWord } from "./formats.mjs";
import { useLoaded } from "./loading.mjs";
import { ticksOf } from "./time_ticks.mjs";
import { isOver } from "./run_state.mjs";
import { timesOf } from "./step_times.mjs";

const OFTEN_MS = 1500; // what has just ended is drawn from its events until its attempts are read
const TALL = { queued: 4, pause: 2 }; // how high a stretch is drawn; others 10
const WORTH_TELLING = 1; // milliseconds in the queue
const LEAST = 0.6; // percent: shorter stretches are drawn so long, or nobody would see them

export function Timeline({ run, at }) {
  const over = isOver(run);
  const { value } = useLoaded(() => runAttempts(run.id), [run.id, over], { every: over ? undefined : OFTEN_MS });
  const costs = useCosts(run, over);
  const start = millis(run.createdAt ?? run.startedAt);
  const end = Math.max(at, start + 1);
  const place = (moment) => Math.min(100, Math.max(0, ((moment - start) / (end - start)) * 100));
  const attempts = Map.groupBy(value?.items ?? [], (attempt) => attempt.stepId);
  const steps = run.steps.map((step) => ({ step, times: timesOf(step, at), tried: step.reusedFrom ? [] : attempts.get(step.id) ?? [] }));
  steps.sort((one, other) => beginning(one) - beginning(other));
  const first = Math.min(...steps.map(beginning));
  const last = Math.max(...steps.map(({ times }) => times.finished ?? -Infinity));
  return html`<div class="timeline">
    <${Axis} length=${end - start} />
    <ol class="lanes" data-walk>
      ${Number.isFinite(first) && html`<${Phase} name="planning" from=${start} to=${first} place=${place} cost=${costs.get("plan")} />`}
      ${steps.map((each) => html`<${Lane} key=${each.step.id} ...${each} place=${place} cost=${costs.get(each.step.id)} />`)}
      ${over && Number.isFinite(last) && html`<${Phase} name="answering" from=${last} to=${end} place=${place} cost=${costs.get("reflect")} />`}
    </ol>
    <p class="legend facts"><span class="key-queued">in the queue</span><span class="key-ran">at work</span><span class="key-failed">failed</span><span class="key-pause">asleep</span></p>
  </div>`;
}

const beginning = ({ times, tried }) => Math.min(millis(tried.find((attempt) => attempt.startedAt)?.startedAt) ?? Infinity, times.ready ?? Infinity, times.started ?? Infinity);

function Axis({ length }) {
  return html`<div class="axis" aria-hidden="true"><span></span><svg class="axis-line" height="18">
    ${ticksOf(length).map((tick) => html`<g><line x1=${`${tick.at}%`} x2=${`${tick.at}%`} y1="13" y2="18" /><text x=${`${tick.at}%`} y="10" text-anchor=${tick.at > 90 ? "end" : tick.at < 5 ? "start" : "middle"}>${tick.label}</text></g>`)}
  </svg><span></span></div>`;
}

function Phase({ name, from, to, place, cost }) {
  if (!(to > from)) return null;
  return html`<li class="lane lane-phase"><span class="lane-name">${name}</span>
    <${Track}><${Stretch} kind="phase" from=${place(from)} to=${place(to)} /><//>
    <span class="lane-time">${duration(to - from)}${cost && html`<small title=${costWords(cost)}>${priceOf(cost)}</small>`}</span></li>`;
}

function Lane({ step, times, tried, place, cost }) {
  const pieces = stretchesOf(step, times, tried);
  const attempts = Math.max(step.attempts || 0, tried.length);
  const waited = pieces.filter((piece) => piece.kind === "queued").reduce((sum, piece) => sum + piece.to - piece.from, 0);
  const ran = pieces.filter((piece) => piece.kind !== "queued" && piece.kind !== "pause").reduce((sum, piece) => sum + piece.to - piece.from, 0);
  const told = `${step.tool}, ${statusWord(step.status)}, queued ${duration(waited)}, at work ${duration(ran)}, ${counted(attempts, "attempt")}${cost ? `, ${costWords(cost)}` : ""}`;
  return html`<li class="lane">
    <button id=${`step-${step.id}`} type="button" data-walk-item aria-expanded=${openStep.value === step.id} aria-label=${`Step ${step.id}, ${told}`} title=${told}
      onClick=${() => showStep(openStep.value === step.id ? null : step.id)}>
      <span class="lane-name"><${StatusMark} status=${step.status} /><b>${step.tool}</b> <small>${step.id}</small></span>
      <${Track}>${pieces.map((piece) => html`<${Stretch} ...${piece} from=${place(piece.from)} to=${place(piece.to)} />`)}<//>
      <span class="lane-time"><span>${attempts > 1 && html`<span class="tag">×${attempts}</span> `}${pieces.length > 0 ? duration(ran) : step.reusedFrom && "shared"}</span>
        ${waited >= WORTH_TELLING && html`<small>+ ${duration(waited)} queued</small>`}${cost && html`<small>${priceOf(cost)}</small>`}</span>
    </button>
  </li>`;
}

const Track = ({ children }) => html`<svg class="track" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true"><rect class="stretch-ground" y="5" width="100" height="2" />${children}</svg>`;

function Stretch({ kind, from, to, title }) {
  const width = Math.max(LEAST, to - from);
  return html`<rect class=${`stretch-${kind}`} x=${Math.min(from, 100 - width)} width=${width} y=${6 - TALL[kind] / 2 || 1} height=${TALL[kind] || 10}>${title && html`<title>${title}</title>`}</rect>`;
}

/** The stretches of one step, oldest first: [{kind, from, to, title}]; kind is queued, or how the attempt stands. */
export function stretchesOf(step, times, tried) {
  const ended = tried.filter((attempt) => attempt.startedAt && attempt.finishedAt);
  const pieces = ended.map((attempt) => ({
    kind: markOf(attempt.outcome),
    from: millis(attempt.startedAt),
    to: millis(attempt.finishedAt),
    title: `attempt ${attempt.attempt}: ${outcomeWord(attempt.outcome)}`,
  }));
  const known = ended.some((attempt) => millis(attempt.startedAt) === times.started);
  if (times.started !== undefined && !known && (step.status === "running" || !ended.length)) {
    pieces.push({ kind: step.status, from: times.started, to: times.until ?? times.started, title: statusWord(step.status) });
  }
  if (times.queued > 0) pieces.push({ kind: "queued", from: times.ready, to: times.ready + times.queued, title: "in the queue" });
  pieces.sort((one, other) => one.from - other.from);
  return [...pieces, ...pausesOf(step, times, pieces)];
}

/** Between attempts a step sleeps, or waits until it may be tried again. */
function pausesOf(step, times, pieces) {
  const ends = pieces.map((piece, at) => ({ from: piece.to, to: pieces[at + 1]?.from }));
  const last = ends.at(-1);
  if (last && (step.status === "waiting" || (step.status === "ready" && step.dueAt))) last.to = times.until;
  return ends.filter(({ from, to }) => to > from).map((gap) => ({ kind: "pause", title: "asleep, or waiting for the next try", ...gap }));
}
