// A small, safe part of Markdown, from text to Preact nodes: no HTML is ever made of model text, no image is ever loaded.
// Paragraphs, headings, lists, quotes, code, tables, rules; bold, italic, strike, code and http(s) links inside them.

import { html } from "./html.mjs";

const FENCE = /^\s*(```+|~~~+)\s*([\w+#.-]*)/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*$/;
const QUOTE = /^\s{0,3}>\s?/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 6; // nested lists and quotes beyond this are shown as plain text

export function Markdown({ text }) {
  return html`<div class="prose">${blocks(String(text ?? "").split(/\r?\n/), 0)}</div>`;
}

function blocks(lines, depth) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) at += 1;
    else {
      const [node, next] = block(lines, at, depth);
      nodes.push(node);
      at = next;
    }
  }
  return nodes;
}

function block(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line)) return fenced(lines, at);
  if (HEADING.test(line)) return [html`<p class="heading"><strong>${inline(line.match(HEADING)[2])}</strong></p>`, at + 1];
  if (RULE.test(line)) return [html`<hr />`, at + 1];
  if (QUOTE.test(line) && depth < DEEPEST) return quote(lines, at, depth);
  if (ITEM.test(line) && depth < DEEPEST) return list(lines, at, depth);
  if (line.includes("|") && TABLE_LINE.test(lines[at + 1] || "") && lines[at + 1].includes("-")) return table(lines, at);
  return paragraph(lines, at);
}

function fenced(lines, at) {
  const [, fence, language] = lines[at].match(FENCE);
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(fence)) end += 1;
  const code = lines.slice(at + 1, end).join("\n");
  return [html`<pre tabindex="0" role="region" aria-label=${`Code ${language}`.trim()}><code>${code}</code></pre>`, end + 1];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [html`<blockquote>${blocks(inner, depth + 1)}</blockquote>`, end];
}

function list(lines, at, depth) {
  const indent = lines[at].match(ITEM)[1].length;
  const ordered = /\d/.test(lines[at].match(ITEM)[2]);
  const start = ordered ? parseInt(lines[at].match(ITEM)[2], 10) : undefined;
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = lines[end].match(ITEM);
    const indented = /^\s+\S/.test(lines[end]);
    if (item && item[1].length <= indent && /\d/.test(item[2]) === ordered) items.push([item[3]]);
    else if (lines[end].trim() && indented && items.length) items.at(-1).push(lines[end].slice(Math.min(indent + 2, lead(lines[end]))));
    else if (!lines[end].trim() && /^\s+\S|^\s*([-*+]|\d+[.)])\s/.test(lines[end + 1] || "")) items.at(-1).push("");
    else break;
    end += 1;
  }
  const rows = items.map((item) => html`<li>${item.some((line) => ITEM.test(line) || FENCE.test(line)) ? blocks(item, depth + 1) : inline(item.join("\n").trim())}</li>`);
  return [ordered ? html`<ol start=${start}>${rows}</ol>` : html`<ul>${rows}</ul>`, end];
}

const lead = (line) => line.length - line.trimStart().length;

function table(lines, at) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end += 1;
  const body = lines.slice(at + 2, end).map((line) => html`<tr>${cells(line).map((cell) => html`<td>${cell}</td>`)}</tr>`);
  const head = html`<tr>${cells(lines[at]).map((cell) => html`<th scope="col">${cell}</th>`)}</tr>`;
  return [html`<div class="table" tabindex="0" role="region" aria-label="Table"><table><thead>${head}</thead><tbody>${body}</tbody></table></div>`, end];
}

function paragraph(lines, at) {
  let end = at + 1;
  const startsOther = (line) => !line.trim() || FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);
  while (end < lines.length && !startsOther(lines[end])) end += 1;
  return [html`<p>${inline(lines.slice(at, end).join("\n").trim())}</p>`, end];
}

// One alternative a construct, the earliest match wins. Bounded repetition keeps hostile text linear.
const INLINE = new RegExp(
  [
    /`([^`\n]{1,2000})`/, // 1 code
    /!?\[([^\]\n]{0,500})\]\(\s*([^\s()]{1,2000})[^()\n]{0,200}\)/, // 2 label, 3 address; an image becomes a link
    /\*\*([^\s*](?:[^\n]{0,1999}?[^\s*])?)\*\*/, // 4 bold
    /~~([^~\n]{1,2000})~~/, // 5 strike
    /\*([^\s*](?:[^*\n]{0,1999}[^\s*])?)\*/, // 6 italic
    /(?<![\w_])_([^\s_](?:[^_\n]{0,1999}[^\s_])?)_(?![\w_])/, // 7 italic
    /(https?:\/\/[^\s<>()[\]"'`]{1,2000}[^\s<>()[\]"'`.,;:!?*_])/, // 8 bare address
    /\\([\\`*_{}[\]()#+.!|~>-])/, // 9 escaped character
    /(\n)/, // 10 line break
  ]
    .map((part) => part.source)
    .join("|"),
);

function inline(text, depth = 0) {
  const nodes = [];
  let rest = text;
  while (rest) {
    const match = depth < DEEPEST ? rest.match(INLINE) : null;
    if (!match) break;
    if (match.index) nodes.push(rest.slice(0, match.index));
    nodes.push(piece(match, depth + 1));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) nodes.push(rest);
  return nodes;
}

function piece(match, depth) {
  const [whole, code, label, address, bold, strike, italic, underscored, bare, escaped, lineBreak] = match;
  if (code !== undefined) return html`<code>${code}</code>`;
  if (address !== undefined) return link(address, label || address, whole);
  if (bold !== undefined) return html`<strong>${inline(bold, depth)}</strong>`;
  if (strike !== undefined) return html`<del>${inline(strike, depth)}</del>`;
  if (italic !== undefined || underscored !== undefined) return html`<em>${inline(italic ?? underscored, depth)}</em>`;
  if (bare !== undefined) return link(bare, bare, whole);
  if (lineBreak !== undefined) return html`<br />`;
  return escaped;
}

function link(address, label, whole) {
  if (!/^https?:\/\//i.test(address)) return whole;
  return html`<a href=${address} target="_blank" rel="noopener noreferrer" title=${address}>${label}</a>`;
}
