// The rail: where one can go. Every place but the talk is loaded when it is first visited.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";
import { linkTo, place } from "./address.mjs";
import { runLink, selectedId } from "./conversation.mjs";
import { waiting } from "./attention.mjs";
import { openPanel } from "./open_panel.mjs";

const RAIL = [
  ["talk", "Chat", "chat"],
  ["runs", "Runs", "list"],
  ["inbox", "Inbox", "inbox"],
  ["schedules", "Schedules", "clock"],
  ["memory", "Memory", "memory"],
  ["tools", "Tools", "tools"],
  ["agents", "Agents", "agent"],
  ["usage", "Usage", "chart"],
  ["limits", "Limits", "flow"],
  ["doctor", "Doctor", "pulse"],
];
const AT_HAND = 4; // so many a narrow screen has room for; the others are behind "More"
const LOADERS = {
  schedules: () => import("./places/schedules.mjs"),
  tools: () => import("./places/tools.mjs"),
  agents: () => import("./places/agents.mjs"),
  usage: () => import("./places/usage.mjs"),
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
  const far = RAIL.findIndex(([name]) => name === place.value.name) >= AT_HAND;
  return html`<nav class="rail" aria-label="Places">
    ${RAIL.map(([name, label, icon], at) => html`<${Link} name=${name} label=${label} icon=${icon} kind=${at < AT_HAND ? "" : "far"} />`)}
    <button class=${`more ${far ? "is-here" : ""}`} type="button" aria-haspopup="dialog" onClick=${() => (openPanel.value = "places")}><${Icon} name="more" /><span>${far ? placeName(place.value.name) : "More"}</span></button>
  </nav>`;
}

/** All places, for a screen that is too narrow for the whole rail. */
export function PlacePanel() {
  const leave = () => (openPanel.value = null);
  return html`<nav class="places" aria-label="All places">${RAIL.map(([name, label, icon]) => html`<${Link} name=${name} label=${label} icon=${icon} onClick=${leave} />`)}</nav>`;
}

function Link({ name, label, icon, kind, onClick }) {
  return html`<a class=${kind} href=${linkOf(name)} aria-current=${place.value.name === name ? "page" : undefined} onClick=${onClick}>
    <${Icon} name=${icon} /><span>${label}</span>${name === "inbox" && html`<${Badge} />`}</a>`;
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
