// Single-key shortcuts, active outside of text fields. They can be switched off in the legend (WCAG 2.1.4).

import { signal } from "@preact/signals";

const PLACE = "perdure.keys";

export const KEYS = [
  [["/"], "write a request; elsewhere: search"],
  [["Enter"], "send it (Shift+Enter: new line)"],
  [["j", "k"], "next, previous step, run or letter; also in an open drawer"],
  [["Enter"], "open what has the focus"],
  [["r"], "go to the past runs"],
  [["p"], "go to the plan"],
  [["n"], "new conversation"],
  [["x"], "in the table of runs: select, or not"],
  [["t"], "graph or timeline"],
  [["a", "d"], "in the inbox: approve what has the focus, or reject (deny) it"],
  [["e"], "correct the last request of the chat, and send it anew"],
  [["s"], "stop the run that is under way"],
  [["g"], "then c, r, i, s, m, t, a, u, l, d: go to chat, runs, inbox, schedules, memory, tools, agents, usage, limits, doctor"],
  [["Esc"], "close the drawer or the panel"],
  [["?"], "this legend"],
];

export const keysOn = signal(stored() !== "off");

function stored() {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

export function setKeysOn(on) {
  keysOn.value = on;
  try {
    localStorage.setItem(PLACE, on ? "on" : "off");
  } catch {
    // storage is switched off: it holds until the page is closed
  }
}

/** actions: key → function. Esc works in text fields too, and with single keys off. */
export function listenToKeys(actions) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "Escape" && (writing || !keysOn.value)) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}

const JUMPS = { c: "talk", r: "runs", i: "inbox", s: "schedules", m: "memory", t: "tools", a: "agents", u: "usage", l: "limits", d: "doctor" };
const JUMP_MS = 1200;

/** `g`, then the letter of a place: goTo(place). Taken before the single keys see the letter. */
export function listenToJumps(goTo) {
  let since = -Infinity;
  addEventListener(
    "keydown",
    (event) => {
      if (!keysOn.value || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.target.closest?.("input, textarea, select")) return;
      const jump = event.timeStamp - since < JUMP_MS ? JUMPS[event.key] : undefined;
      since = event.key === "g" ? event.timeStamp : -Infinity;
      if (!jump) return;
      event.preventDefault();
      goTo(jump);
    },
    { capture: true },
  );
}

/** Move the focus by one through the list that has it, else through the steps, else through what else is listed. */
export function walk(by) {
  const page = document.querySelector(".page-body"); // a place is one walk, whatever lists it has
  const list = page || document.activeElement?.closest("[data-walk]") || firstShown("ol[data-walk]") || firstShown("ul[data-walk]");
  const items = [...(list?.querySelectorAll("[data-walk-item]") || [])];
  const at = items.indexOf(document.activeElement);
  const next = at < 0 ? items[by > 0 ? 0 : items.length - 1] : items[at + by];
  next?.focus();
}

const firstShown = (selector) => [...document.querySelectorAll(selector)].find((list) => list.checkVisibility() && list.children.length);
