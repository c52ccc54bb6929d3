// Small pictures: the mark of each status (a shape of its own, never colour alone) and the few icons of the page.

import { html } from "./html.mjs";

const SHAPES = {
  succeeded: html`<path d="M4.5 8.3 7 10.8l4.6-5.4" />`,
  failed: html`<path d="m5.2 5.2 5.6 5.6m0-5.6-5.6 5.6" />`,
  cancelled: html`<path d="M5.5 5.5h5v5h-5z" />`,
  skipped: html`<path d="M5 8h6" />`,
  waiting: html`<path d="M8 4.6V8l2.3 1.5" />`,
  paused: html`<path d="M6.3 5.4v5.2m3.4-5.2v5.2" />`,
  in_doubt: html`<path d="M6.2 6.3c0-2.4 3.6-2.3 3.6-.1 0 1.4-1.8 1.4-1.8 2.7m0 2v.1" />`,
};
const RUNNING = new Set(["running", "planning", "executing", "reflecting"]);

/** place: {x, y, width, height} when the mark is part of a larger drawing. */
export function StatusMark({ status, place }) {
  const tone = RUNNING.has(status) ? "running" : status;
  return html`<svg class=${`mark mark-${tone}`} viewBox="0 0 16 16" aria-hidden="true" ...${place}>
    <circle cx="8" cy="8" r="6.6" />
    ${tone === "running" && html`<path class="spinner" d="M8 1.4A6.6 6.6 0 0 1 14.6 8" />`}${SHAPES[tone]}
  </svg>`;
}

const ICONS = {
  plus: "M8 3v10M3 8h10",
  memory: "M3 4.5c0-1.9 10-1.9 10 0v7c0 1.9-10 1.9-10 0v-7Zm0 0c0 1.9 10 1.9 10 0M3 8c0 1.9 10 1.9 10 0",
  tools: "M9.8 3.2a3.2 3.2 0 0 0-.4 4L3.4 13l-.9-.9 5.9-6a3.2 3.2 0 0 1 4-4.1L10.3 4l1.6 1.6 2-2a3.2 3.2 0 0 1-4.5 3.7",
  keys: "M5.6 6.2a2.4 2.4 0 1 1 3.4 2.2c-.8.3-1 .8-1 1.6m0 2v.1",
  send: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
  stop: "M4.5 4.5h7v7h-7z",
  plan: "M3 3h4v3H3zM9 10h4v3H9zM5 6v5.5h4",
  chevron: "m6 4 4 4-4 4",
  copy: "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
  close: "m4 4 8 8m0-8-8 8",
};

export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;

/** The sign of the house: three steps of a plan, joined. */
export const Logo = () => html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
  <path d="M8 8h9a5 5 0 0 1 0 10h-3a5 5 0 0 0 0 6h10" />
  <circle cx="8" cy="8" r="3.4" /><circle cx="15" cy="17.6" r="3.4" /><circle cx="24" cy="24" r="3.4" />
</svg>`;
