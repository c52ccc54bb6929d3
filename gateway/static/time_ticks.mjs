// Round moments along an axis of time. Pure.

import { duration } from "./formats.mjs";

const MOST = 5;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5, 864e5];

/** [{at: percent, label}] for a length in milliseconds. */
export function ticksOf(length) {
  const step = STEPS.find((each) => length / each <= MOST) ?? Math.ceil(length / MOST / 864e5) * 864e5;
  const ticks = [];
  for (let moment = 0; moment <= length; moment += step) ticks.push({ at: (moment / length) * 100, label: moment ? short(moment) : "0" });
  return ticks;
}

function short(milliseconds) {
  if (milliseconds >= 3_600_000) return `${+(milliseconds / 3_600_000).toFixed(1)} h`;
  if (milliseconds >= 60_000) return `${+(milliseconds / 60_000).toFixed(1)} min`;
  if (milliseconds >= 1000) return `${+(milliseconds / 1000).toFixed(1)} s`;
  return duration(milliseconds);
}
