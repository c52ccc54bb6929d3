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
  up: "m4 10 4-4 4 4",
  down: "m4 6 4 4 4-4",
  chat: "M2.5 4.5c0-1 .7-1.7 1.7-1.7h7.6c1 0 1.7.7 1.7 1.7v4.8c0 1-.7 1.7-1.7 1.7H7l-3.2 2.6V11c-.8-.1-1.3-.8-1.3-1.7V4.5Z",
  list: "M5.8 4h7.7M5.8 8h7.7M5.8 12h7.7M2.6 4h.1M2.6 8h.1M2.6 12h.1",
  inbox: "M2.5 9 4.3 3.5h7.4L13.5 9v3.5h-11V9Zm0 0h3.3c.2 1.2 1 1.9 2.2 1.9s2-.7 2.2-1.9h3.3",
  flow: "M2.5 4.5h5m4 0h2M2.5 11.5h2m4 0h5M9.5 2.8v3.4M6.5 9.8v3.4",
  pulse: "M1.8 8.5h3l2-5 2.7 9 1.8-4h2.9",
  pause: "M5.5 3.5v9m5-9v9",
  play: "m5 3.5 7 4.5-7 4.5v-9Z",
  retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.7h-2.7",
  skip: "m3.5 4 5 4-5 4V4Zm8.5 0v8",
  edit: "m3 13 .6-2.8 7.1-7.1 2.2 2.2-7.1 7.1L3 13Z",
  fork: "M5 3v10M5 9c5 0 6-1.5 6-4.5M3.5 13h3M9.7 4.2 11 2.8l1.4 1.4",
  bin: "M3 4.5h10M6.5 4V2.8h3V4M4.5 4.5l.6 8.7h5.8l.6-8.7",
  compare: "M5.5 3 3 5.5 5.5 8M3 5.5h10M10.5 8l2.5 2.5-2.5 2.5M13 10.5H3",
  clock: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2Zm0 2.6V8l2.3 1.6",
  agent: "M8 2.5a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2ZM2.8 13.5c.4-3 2.4-4.3 5.2-4.3s4.8 1.3 5.2 4.3",
  chart: "M2.5 13.5h11M4.5 11V8m3.5 3V4m3.5 7V6.5",
  more: "M3.5 8h.1M8 8h.1M12.5 8h.1",
  hourglass: "M4.5 2.5h7m-7 11h7M5.3 2.5c0 3 2.7 3.5 2.7 5.5s-2.7 2.5-2.7 5.5m5.4-11c0 3-2.7 3.5-2.7 5.5s2.7 2.5 2.7 5.5",
};

export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;

/** The sign of the house: three steps of a plan, joined. */
export const Logo = () => html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
  <path d="M8 8h9a5 5 0 0 1 0 10h-3a5 5 0 0 0 0 6h10" />
  <circle cx="8" cy="8" r="3.4" /><circle cx="15" cy="17.6" r="3.4" /><circle cx="24" cy="24" r="3.4" />
</svg>`;
