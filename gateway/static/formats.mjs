// Times, durations, statuses and JSON in the words the page shows.

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
const shortFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const MOST_CHARACTERS = 20_000;

/** 12 ms · 1.24 s · 2 min 05 s · 3 h 07 min */
export function duration(milliseconds) {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms >= 3_600_000) return `${Math.floor(ms / 3_600_000)} h ${String(Math.floor((ms % 3_600_000) / 60_000)).padStart(2, "0")} min`;
  return `${Math.floor(ms / 60_000)} min ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0")} s`;
}

export const timeOf = (at) => clockFormat.format(new Date(at));
export const dateOf = (at) => dayFormat.format(new Date(at));
export const millis = (at) => (at ? new Date(at).getTime() : undefined);

export function since(at, now) {
  const seconds = Math.round((now - millis(at)) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < 3600) return ago.format(-Math.max(1, Math.round(seconds / 60)), "minute");
  if (seconds < 86_400) return ago.format(-Math.round(seconds / 3600), "hour");
  return ago.format(-Math.round(seconds / 86_400), "day");
}

/** in 5 min. */
export function until(at, now) {
  const seconds = Math.round((millis(at) - now) / 1000);
  if (seconds < 60) return ago.format(Math.max(0, seconds), "second");
  if (seconds < 3600) return ago.format(Math.round(seconds / 60), "minute");
  if (seconds < 86_400) return ago.format(Math.round(seconds / 3600), "hour");
  return ago.format(Math.round(seconds / 86_400), "day");
}

/** Fri, 27 Nov 2026, 09:00 CET: a moment as a clock in that zone shows it. */
export function zonedMoment(at, zone) {
  const asked = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  try {
    return new Intl.DateTimeFormat(undefined, { ...asked, timeZone: zone }).format(new Date(at));
  } catch {
    return new Intl.DateTimeFormat(undefined, asked).format(new Date(at)); // a zone that this browser does not know
  }
}

/** $0.0012: US dollars, small sums with what counts of them. */
export const dollars = (amount) => (amount === 0 ? "$0" : amount < 0.01 ? `$${amount.toPrecision(2)}` : `$${amount.toFixed(2)}`);

export const statusWord = (status) => (status || "unknown").replaceAll("_", " ");
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** promptTokens → prompt tokens */
export const plainName = (name) => name.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();

export function prettyJson(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}\n… ${(text.length - MOST_CHARACTERS).toLocaleString()} more characters`;
}

/** What a run is called in lists and headings. */
export const runName = (run) => run.request || (run.steps?.length ? `Given plan of ${counted(run.steps.length, "step")}` : "Given plan");

/** execution@host/4026531836:7401:1795387581.50 → execution@host:7401; also within a sentence. */
export const shortWorker = (text) => text.replace(/(\w+@[^\s/:]+)(?:\/\d+)?:(\d+):[\d.]+/g, "$1:$2");

/** A sentence of the server with its times as this place's clock shows them, and short names of workers. */
export const plainSentence = (text) =>
  shortWorker(text).replace(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g, (at) => momentOf(at));

/** The time, with the day when it is not today. */
export const momentOf = (at) => (new Date(at).toDateString() === new Date().toDateString() ? shortFormat.format(new Date(at)) : dateOf(at));

export const brainName = (brain) => (brain === "offline" ? "offline brain" : brain);
