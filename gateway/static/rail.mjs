// The rail: where one can go. Every place but the talk is loaded when it is first visited.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { linkTo, place } from "./address.mjs";
import { runLink, selectedId } from "./conversation.mjs";
import { waiting } from "./attention.mjs";

const RAIL = [
  ["talk", "Chat", "chat"],
  ["runs", "Runs", "list"],
  ["inbox", "Inbox", "inbox"],
  ["memory", "Memory", "memory"],
  ["limits", "Limits", "flow"],
  ["doctor", "Doctor", "pulse"],
];
const LOADERS = {
  runs: () => import("./places/runs.mjs"),
  inbox: () => import("./places/inbox.mjs"),
  memory: () => import("./places/memory.mjs"),
  limits: () => import("./places/limits.mjs"),
  doctor: () => import("./places/doctor.mjs"),
  diff: () => import("./places/diff.mjs"),
};
const loaded = signal({});
const failed = signal(null);

/** What the place is called, in the title of the window. */
export const placeName = (name) => RAIL.find(([each]) => each === name)?.[1] ?? "Two runs compared";

const linkOf = (name) => (name !== "talk" ? linkTo([name]) : selectedId.value ? runLink(selectedId.value) : "#/");

/** Go to a place by its name. */
export const goTo = (name) => (location.hash = linkOf(name));

export function Rail() {
  return html`<nav class="rail" aria-label="Places">
    ${RAIL.map(([name, label, icon]) => html`<a href=${linkOf(name)} aria-current=${place.value.name === name ? "page" : undefined}>
      <${Icon} name=${icon} /><span>${label}</span>${name === "inbox" && html`<${Badge} />`}</a>`)}
  </nav>`;
}

function Badge() {
  const { count, more } = waiting.value;
  if (!count) return null;
  return html`<span class="badge">${count}${more && "+"}<span class="visually-hidden"> need a person</span></span>`;
}

export function Elsewhere() {
  const { name } = place.value;
  const Place = loaded.value[name];
  useEffect(() => {
    failed.value = null;
    if (!Place) LOADERS[name]().then((module) => (loaded.value = { ...loaded.peek(), [name]: module.Place }), (problem) => (failed.value = problem));
  }, [name]);
  return html`<main class=${`place place-${name}`} key=${name}>
    ${Place ? html`<${Place} />` : html`<p class="hint">${failed.value ? "This part of the page did not load. Reload the page." : "Loading…"}</p>`}
  </main>`;
}
