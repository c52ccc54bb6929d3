// Which dialog is open: "keys", "places", or null.

import { signal } from "@preact/signals";

export const openPanel = signal(null);
