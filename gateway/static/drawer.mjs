// A drawer at the right edge (a whole sheet on a narrow screen): takes the focus, closes with Esc, walks with j and k.

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./html.mjs";
import { Icon } from "./marks.mjs";

/** The open drawer's {close, walk}, for the keyboard; null when none is open. */
export const drawer = signal(null);

const narrowScreen = matchMedia("(max-width: 999px)");
export const narrow = signal(narrowScreen.matches);
narrowScreen.addEventListener("change", () => (narrow.value = narrowScreen.matches));

/** close(): the drawer goes. walk(by): show the next or previous thing. returnTo: id of what gets the focus then. */
export function Drawer({ name, title, close, walk, returnTo, children }) {
  const box = useRef(null);
  const back = useRef(returnTo);
  back.current = returnTo;
  const commands = useRef({});
  commands.current = { close, walk };
  useLayoutEffect(() => {
    const before = document.activeElement;
    const element = box.current;
    element.focus({ preventScroll: true });
    drawer.value = { close: () => commands.current.close(), walk: (by) => commands.current.walk?.(by) };
    return () => {
      drawer.value = null;
      const lost = document.activeElement === document.body || element.contains(document.activeElement);
      const target = document.getElementById(back.current) || before;
      if (lost) requestAnimationFrame(() => target?.focus()); // what lay under a sheet is inert until then
    };
  }, []);
  return html`<aside class="drawer" ref=${box} tabindex="-1" aria-label=${name}>
    <header class="drawer-head">
      ${title}
      <div class="drawer-tools">
        ${walk && html`<button class="quiet" type="button" aria-label="Previous" title="Previous (k)" onClick=${() => walk(-1)}><${Icon} name="up" /></button>
        <button class="quiet" type="button" aria-label="Next" title="Next (j)" onClick=${() => walk(1)}><${Icon} name="down" /></button>`}
        <button class="quiet" type="button" aria-label="Close" title="Close (Esc)" onClick=${close}><${Icon} name="close" /></button>
      </div>
    </header>
    ${children}
  </aside>`;
}
