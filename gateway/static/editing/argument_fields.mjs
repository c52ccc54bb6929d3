// The arguments of a tool as a form, made from its JSON Schema: one field for each, and JSON for what has no simple form.

import { useSignal } from "@preact/signals";
import { html } from "../html.mjs";
import { plainName } from "../formats.mjs";

const LONG = 60; // characters: longer texts get a box of several lines
const REFERENCE = /\$\{[^}]*\}/;

/** value: the arguments; change(next) is called with all of them. faults: {path: sentence}, as `text` or `items/0`. */
export function ArgumentFields({ id, schema, value, change, faults = {} }) {
  const fields = Object.entries(schema?.properties || {});
  const strange = Object.keys(value).filter((name) => !schema?.properties || !(name in schema.properties));
  const required = new Set(schema?.required || []);
  const set = (name) => (next) => {
    const { [name]: _, ...rest } = value;
    change(next === undefined ? rest : { ...value, [name]: next });
  };
  if (!fields.length && schema?.additionalProperties !== false) {
    return html`<${Field} id=${`${id}-all`} name="arguments" type=${{ kind: "json" }} value=${value} change=${(next) => change(next ?? {})} fault=${faults[""]} />`;
  }
  return html`<div class="fields">
    ${!fields.length && html`<p class="hint">It takes no arguments.</p>`}
    ${fields.map(([name, part]) => html`<${Field} key=${name} id=${`${id}-${name}`} name=${name} type=${typeOf(part, value[name])} required=${required.has(name)}
      about=${part.description} example=${part.default} value=${value[name]} change=${set(name)} fault=${faultAt(faults, name)} />`)}
    ${strange.map((name) => html`<${Field} key=${name} id=${`${id}-${name}`} name=${name} type=${{ kind: "json" }} value=${value[name]} change=${set(name)} fault=${faultAt(faults, name)} />`)}
  </div>`;
}

/** What is wrong below an argument; what is wrong with the arguments as a whole is told at the one that it names. */
function faultAt(faults, name) {
  const own = Object.entries(faults).find(([path]) => path === name || path.startsWith(`${name}/`));
  return own?.[1] ?? faults[""]?.split("\n").find((said) => said.includes(`'${name}'`));
}

function typeOf(part, value) {
  if (typeof value === "string" && REFERENCE.test(value)) return { kind: "text" };
  const kinds = (part.anyOf || part.oneOf || [part]).filter((each) => each.type !== "null");
  const choices = kinds.length === 1 && kinds[0].enum;
  if (choices) return { kind: "choice", choices };
  const types = new Set(kinds.map((each) => each.type));
  if (types.size === 1 && types.has("boolean")) return { kind: "choice", choices: [true, false] };
  if (types.has("object") || types.has("array") || types.has(undefined)) return { kind: "json" };
  return { kind: types.has("string") ? "text" : "number" };
}

function Field({ id, name, type, required, about, example, value, change, fault }) {
  const { kind, choices } = type;
  const text = useSignal(shown(kind, value));
  const broken = useSignal("");
  const { value: tall } = useSignal(text.peek().length > LONG || text.peek().includes("\n")); // once: a box that turns into another loses the focus
  const long = kind === "json" || tall;
  const take = (event) => {
    text.value = event.currentTarget.value;
    const { read, fault: unread } = readAs(kind, text.value, choices);
    broken.value = unread || "";
    change(unread ? text.value : read); // as it stands: the server does not take it, and nobody runs what is not shown
  };
  const said = broken.value || fault;
  const common = { id, value: text.value, onInput: take, "aria-invalid": Boolean(said), "aria-describedby": said ? `${id}-fault` : undefined, spellcheck: "false", autocomplete: "off" };
  return html`<div class="field">
    <label for=${id} title=${about}>${plainName(name)}${required && html`<span class="must" aria-hidden="true">*</span><span class="visually-hidden"> (required)</span>`}</label>
    ${choices
      ? html`<select ...${common} onChange=${take}>${!required && html`<option value="" selected=${text.value === ""}>not given</option>`}
          ${choices.map((each) => html`<option value=${String(each)} selected=${text.value === String(each)}>${String(each)}</option>`)}</select>`
      : long
        ? html`<textarea class=${kind === "json" ? "code" : ""} rows=${kind === "json" ? 3 : 2} ...${common}></textarea>`
        : html`<input type="text" inputmode=${kind === "number" ? "decimal" : undefined} placeholder=${example === undefined || example === null ? "" : String(example)} ...${common} />`}
    ${about && html`<p class="about">${about}</p>`}
    ${said && html`<p class="fault" id=${`${id}-fault`} role="alert">${said}</p>`}
  </div>`;
}

function shown(kind, value) {
  if (value === undefined) return "";
  return kind === "json" && typeof value !== "string" ? JSON.stringify(value, null, 2) : String(value);
}

function readAs(kind, text, choices) {
  if (text.trim() === "") return { read: undefined };
  if (choices) return { read: choices.find((each) => String(each) === text) };
  if (kind === "text" || (REFERENCE.test(text) && !/^["[{]/.test(text.trim()))) return { read: text };
  if (kind === "number") return Number.isFinite(Number(text)) ? { read: Number(text) } : { fault: "That is not a number (or a reference like ${s1})." };
  try {
    return { read: JSON.parse(text) };
  } catch (error) {
    return { fault: `That is not JSON: ${error.message}` };
  }
}
