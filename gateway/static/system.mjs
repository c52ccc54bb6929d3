// What GET /api/system says of the server: which brain it has, its version, whether it wants a key.

import { signal } from "@preact/signals";
import { getSystem, keyNeeded, apiKey } from "./api.mjs";

export const system = signal(null);
export const reachable = signal(true);

export async function readSystem() {
  try {
    system.value = await getSystem();
    reachable.value = true;
    if (system.value.authRequired && !apiKey()) keyNeeded.value = true;
  } catch (problem) {
    reachable.value = problem.status !== 0;
  }
}

/** Ask again until the server answers, and after the network came back. */
export function watchServer() {
  readSystem();
  addEventListener("online", readSystem);
  setInterval(() => reachable.value || readSystem(), 3000);
}
