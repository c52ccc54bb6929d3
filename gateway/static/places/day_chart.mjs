// A chart of days: one column each, in money where there is any, else in tokens. Read aloud as a table, looked at as a drawing.

import { html } from "../html.mjs";
import { dollars } from "../formats.mjs";

const WIDTH = 720;
const HEIGHT = 150;
const FOOT = 20;
const DAY_MS = 86_400_000;
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

export function DayChart({ rows, since, days }) {
  const known = new Map(rows.map((row) => [row.group, row]));
  const inMoney = rows.some((row) => row.cost > 0);
  const amount = (row) => (row ? (inMoney ? row.cost ?? 0 : row.inputTokens + row.outputTokens) : 0);
  const told = (value) => (inMoney ? dollars(value) : `${value.toLocaleString()} tokens`);
  const columns = Array.from({ length: days }, (_, at) => {
    const day = new Date(since.getTime() + at * DAY_MS);
    const row = known.get(day.toISOString().slice(0, 10));
    return { day, row, value: amount(row) };
  });
  const most = Math.max(...columns.map(({ value }) => value), 0);
  if (!most) return html`<p class="empty">No model was asked in this time.</p>`;
  const step = WIDTH / days;
  const every = Math.ceil(days / 8);
  return html`<figure class="chart">
    <figcaption class="section-title">${inMoney ? "Cost" : "Tokens"} a day <span class="count">at most ${told(most)}</span></figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`${inMoney ? "Cost" : "Tokens"} of each of the last ${days} days, ${told(most)} at most; the table below has the figures.`}>
      <line class="chart-line" x1="0" x2=${WIDTH} y1=${HEIGHT - FOOT} y2=${HEIGHT - FOOT} />
      ${columns.map(({ day, value }, at) => {
        const height = value ? Math.max(2, (value / most) * (HEIGHT - FOOT - 8)) : 0;
        return html`<g><title>${short.format(day)}: ${told(value)}</title>
          <rect class="chart-ground" x=${at * step} width=${step} y="0" height=${HEIGHT - FOOT} />
          <rect class="chart-part" x=${at * step + step * 0.15} width=${step * 0.7} y=${HEIGHT - FOOT - height} height=${height} rx="2" />
          ${(days - 1 - at) % every === 0 && html`<text x=${at * step + step / 2} y=${HEIGHT - 5} text-anchor=${at > days - 3 ? "end" : "middle"}>${short.format(day)}</text>`}</g>`;
      })}
    </svg>
    <details class="more"><summary>The figures</summary>
      <table class="shares"><thead><tr><th scope="col">Day</th><th scope="col" class="figure">calls</th><th scope="col" class="figure">tokens</th><th scope="col" class="figure">cost</th></tr></thead>
      <tbody>${columns.filter(({ row }) => row).reverse().map(({ day, row }) => html`<tr><th scope="row">${short.format(day)}</th><td class="figure">${row.calls}</td><td class="figure">${(row.inputTokens + row.outputTokens).toLocaleString()}</td><td class="figure">${row.cost === null ? "not known" : dollars(row.cost)}</td></tr>`)}</tbody></table></details>
  </figure>`;
}
