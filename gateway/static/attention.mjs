// What waits for a person: what steps ask, plans to look at, steps in doubt and open dead letters. Counted now and then, for the rail's badge and the inbox.

import { effect, signal } from "@preact/signals";
import { keyNeeded, listApprovals, listDoubts, listLetters, listReviews } from "./api.mjs";

const OFTEN_MS = 10_000;
const MOST = 99;

export const waiting = signal({ count: 0, more: false });

export async function countWaiting() {
  if (keyNeeded.peek()) return;
  try {
    const [approvals, reviews, doubts, letters] = await Promise.all([listApprovals(), listReviews(), listDoubts(), listLetters({ limit: MOST })]);
    const asked = approvals.items.filter((approval) => approval.kind !== "callback");
    waiting.value = { count: asked.length + reviews.items.length + doubts.items.length + letters.items.length, more: Boolean(letters.next) };
  } catch {
    // the server does not answer: the header says so
  }
}

export function keepCounting() {
  effect(() => {
    if (!keyNeeded.value) countWaiting();
  });
  setInterval(() => document.visibilityState === "visible" && countWaiting(), OFTEN_MS);
}
