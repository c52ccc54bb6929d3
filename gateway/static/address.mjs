// Where one is: what the address names, with its parameters. Filters and open steps live there, so a view can be shared.

import { signal } from "@preact/signals";

const PLACES = new Set(["runs", "inbox", "schedules", "memory", "tools", "agents", "usage", "limits", "doctor", "diff"]);

/** {name, parts, query}: `#/runs/<id>`, `#/conversations/<id>` and anything unknown is the talk, `#/<place>/…?filter=…` another place. */
export const place = signal(read());

function read() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decoded);
  const elsewhere = PLACES.has(parts[0]) && !(parts[0] === "runs" && parts[1]);
  return { name: elsewhere ? parts[0] : "talk", parts, query: Object.fromEntries(new URLSearchParams(search)) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % typed into the address bar
  }
}

const given = (query) => Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");

/** A link within the page. */
export function linkTo(parts, query = {}) {
  const search = new URLSearchParams(given(query)).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

/** Change parameters of the present address; undefined or "" takes one away. `step: true` makes it a step of the history. */
export function setQuery(changes, { step = false } = {}) {
  const { parts, query } = place.peek();
  const link = linkTo(parts, { ...query, ...changes });
  if (link === linkTo(parts, query)) return;
  if (step) history.pushState(null, "", link);
  else history.replaceState(null, "", link);
  place.value = read();
}

addEventListener("hashchange", () => (place.value = read()));
