// Lists that are read a page at a time, and the parts of their filters. Filters live in the address.

import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { html } from "../html.mjs";
import { setQuery } from "../address.mjs";
import { useLoaded } from "../loading.mjs";

const TYPING_MS = 300;

/** {items, next, loaded, problem, reload, more}: the newest page kept fresh, older ones as they were asked for. */
export function usePages(readPage, depends, options) {
  const older = useSignal({ items: [], next: undefined });
  const newest = useRef(readPage);
  newest.current = readPage;
  useEffect(() => (older.value = { items: [], next: undefined }) && undefined, depends);
  const { value, problem, reload } = useLoaded(() => newest.current(undefined), depends, options);
  const first = value?.items ?? [];
  const have = new Set(first.map((item) => item.id));
  const next = older.value.next === undefined ? value?.next : older.value.next;
  const more = useCallback(async () => {
    const page = await newest.current(next);
    older.value = { items: [...older.peek().items, ...page.items], next: page.next };
  }, [next]);
  return { items: [...first, ...older.value.items.filter((item) => !have.has(item.id))], next, loaded: value !== null, problem, reload, more };
}

/** A filter with a few choices. options: {value: label}; "" is the one that is no filter. */
export function Choice({ name, label, value, options }) {
  return html`<label class="choice"><span class="visually-hidden">${label}</span>
    <select class=${value ? "is-set" : ""} value=${value ?? ""} onChange=${(event) => setQuery({ [name]: event.currentTarget.value })}>
      ${Object.entries(options).sort(([one], [other]) => (one === "" ? -1 : other === "" ? 1 : 0)).map(([key, text]) => html`<option value=${key} selected=${(value ?? "") === key}>${text}</option>`)}
    </select></label>`;
}

/** A filter that one types; it takes effect when the typing pauses. known: values to choose from. */
export function Search({ name, label, value, placeholder, known }) {
  const text = useSignal(value ?? "");
  const timer = useRef(null);
  useEffect(() => {
    if (document.activeElement?.name !== name) text.value = value ?? "";
  }, [value]);
  const type = (event) => {
    text.value = event.currentTarget.value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ [name]: text.value.trim() }), TYPING_MS);
  };
  return html`<label class="choice"><span class="visually-hidden">${label}</span>
    <input type="search" name=${name} autocomplete="off" placeholder=${placeholder} list=${known && `known-${name}`} value=${text.value} onInput=${type} />
    ${known && html`<datalist id=${`known-${name}`}>${known.map((each) => html`<option value=${each} />`)}</datalist>`}</label>`;
}
