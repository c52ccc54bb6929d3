// Every ended attempt of a step: how it ended, how long it took, where, and what went wrong.

import { html } from "./html.mjs";
import { StatusMark } from "./marks.mjs";
import { counted, duration, millis, shortWorker, statusWord, timeOf } from "./formats.mjs";
import { Value } from "./values.mjs";

// What an attempt's outcome looks like: the journal has more outcomes than the page has marks.
const MARKS = {
  succeeded: "succeeded",
  overridden: "succeeded",
  late: "succeeded",
  failed: "failed",
  retry: "failed",
  waiting: "waiting",
  cancelled: "cancelled",
  abandoned: "cancelled",
  handed_back: "skipped",
};
const WORDS = { retry: "failed, tried again", waiting: "went to sleep", overridden: "set by a person", late: "succeeded late", abandoned: "dropped by a person", broken: "broke" };

export const markOf = (outcome) => MARKS[outcome] || "in_doubt";
export const outcomeWord = (outcome) => WORDS[outcome] || statusWord(outcome);

export function Attempts({ attempts, most }) {
  if (!attempts.length) return null;
  return html`<section class="attempts">
    <h3>${counted(attempts.length, "attempt")}${most > 1 && html` <small>of at most ${most} that fail</small>`}</h3>
    <ol>${attempts.map((attempt) => html`<${Attempt} key=${`${attempt.attempt} ${attempt.outcome}`} attempt=${attempt} />`)}</ol>
  </section>`;
}

function Attempt({ attempt }) {
  const took = attempt.startedAt && attempt.finishedAt ? duration(millis(attempt.finishedAt) - millis(attempt.startedAt)) : null;
  return html`<li>
    <p class="attempt-head"><${StatusMark} status=${markOf(attempt.outcome)} /><b>${attempt.attempt}</b> ${outcomeWord(attempt.outcome)}
      <span class="facts">${took && html`<span>${took}</span>`}<span>${timeOf(attempt.startedAt || attempt.finishedAt)}</span>
      ${attempt.worker && html`<span title=${attempt.worker}>${shortWorker(attempt.worker)}</span>`}</span></p>
    ${attempt.error?.detail && html`<p class="attempt-error">${attempt.error.detail}</p>`}
    <${Value} name="Output" of=${`attempt ${attempt.attempt}`} value=${attempt.output} />
  </li>`;
}
