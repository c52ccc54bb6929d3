// The plan as a drawing: dagre says where steps and arrows go, this draws them as SVG. One tab stop; arrow keys walk it.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { html } from "./html.mjs";
import { StatusMark } from "./marks.mjs";
import { counted, statusWord } from "./formats.mjs";
import { openStep, showStep } from "./conversation.mjs";

const WIDTH = 164;
const HEIGHT = 46;
const LONGEST_NAME = 15;
const ROOM = 440; // what the pane shows of a drawing's width; wider ones are turned on their side if that helps
const SMALLEST = 0.75; // below this scale the text is hard to read: then it scrolls
const TURNS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

const dagre = signal(null); // loaded with the first plan that is drawn

/** choose(id): what a click does; opens the drawer where nothing else is said. chosen: the step that is open. */
export function PlanGraph(plan) {
  useEffect(() => {
    if (!dagre.peek()) import("@dagrejs/dagre").then((module) => (dagre.value = module));
  }, []);
  return dagre.value ? html`<${Drawing} ...${plan} />` : html`<div class="graph" aria-busy="true"></div>`;
}

function Drawing({ steps, timing, choose = showStep, chosen = openStep.value }) {
  const shape = steps.map((step) => `${step.id}<${step.dependsOn.join()}`).join(" ");
  const drawing = useMemo(() => bestDrawing(steps), [shape]);
  const current = useSignal(null);
  const byId = new Map(steps.map((step) => [step.id, step]));
  const stop = byId.has(current.value) ? current.value : steps[0].id;

  const box = useRef(null);
  useLayoutEffect(() => {
    box.current.scrollLeft = (box.current.scrollWidth - box.current.clientWidth) / 2; // a wide plan opens on its middle
  }, [shape]);

  const walk = (event) => {
    if (!TURNS[event.key]) return;
    event.preventDefault();
    const at = steps.findIndex((step) => step.id === stop) + TURNS[event.key];
    const next = steps[Math.max(0, Math.min(steps.length - 1, at))];
    current.value = next.id;
    document.getElementById(`node-${next.id}`)?.focus();
  };

  return html`<div class="graph" ref=${box}>
    <svg role="group" aria-label=${`Plan as a graph: ${counted(steps.length, "step")}. Arrow keys move, Enter opens a step.`}
      style=${{ minWidth: `${drawing.width * SMALLEST}px` }} width=${drawing.width} height=${drawing.height} viewBox=${`0 0 ${drawing.width} ${drawing.height}`} onKeyDown=${walk}>
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M1 1 7 4 1 7" />
        </marker>
      </defs>
      ${drawing.edges.map((edge) => html`<path key=${edge.key} class=${`edge edge-${edgeState(byId.get(edge.from), byId.get(edge.to))}`}
        d=${edge.path} marker-end="url(#arrow)" />`)}
      ${drawing.nodes.map((node) => html`<${Node} key=${node.id} node=${node} step=${byId.get(node.id)}
        note=${timing(byId.get(node.id))} tabIndex=${node.id === stop ? 0 : -1} choose=${choose} open=${node.id === chosen} onFocus=${() => (current.value = node.id)} />`)}
    </svg>
  </div>`;
}

function Node({ node, step, note, tabIndex, choose, open, onFocus }) {
  const pick = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(step.id);
  };
  return html`<g id=${`node-${step.id}`} class=${`node node-${step.status} ${open ? "is-open" : ""}`} role="button"
    tabindex=${tabIndex} aria-label=${`Step ${step.id}, ${step.tool}, ${statusWord(step.status)}${note ? `, ${note}` : ""}`}
    transform=${`translate(${node.x} ${node.y})`} onClick=${pick} onKeyDown=${pick} onFocus=${onFocus}>
    <title>${step.why || step.tool}</title>
    <rect width=${WIDTH} height=${HEIGHT} rx="10" />
    <${StatusMark} status=${step.status} place=${{ x: 11, y: 13, width: 20, height: 20 }} />
    <text class="node-name" x="39" y="20">${shortened(step.tool)}</text>
    <text class="node-note" x="39" y="35">${step.id} · ${note || statusWord(step.status)}</text>
  </g>`;
}

const shortened = (text) => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text);

function edgeState(from, to) {
  if (to.status === "running") return "flowing";
  return from.status === "succeeded" ? "done" : "open";
}

function bestDrawing(steps) {
  const downwards = drawn(steps, "TB");
  if (downwards.width <= ROOM) return downwards;
  const sideways = drawn(steps, "LR");
  return sideways.width < downwards.width ? sideways : downwards;
}

function drawn(steps, rankdir) {
  const { Graph, layout } = dagre.peek();
  const graph = new Graph();
  graph.setGraph({ rankdir, nodesep: 16, ranksep: 32, marginx: 6, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const step of steps) graph.setNode(step.id, { width: WIDTH, height: HEIGHT });
  for (const step of steps) for (const id of step.dependsOn) if (graph.hasNode(id)) graph.setEdge(id, step.id);
  layout(graph);
  const { width, height } = graph.graph();
  const nodes = steps.map((step) => {
    const { x, y } = graph.node(step.id);
    return { id: step.id, x: x - WIDTH / 2, y: y - HEIGHT / 2 };
  });
  const edges = graph.edges().map(({ v, w }) => ({ key: `${v}>${w}`, from: v, to: w, path: curve(graph.edge(v, w).points) }));
  return { width: Math.ceil(width), height: Math.ceil(height), nodes, edges };
}

// Through the middles of dagre's corner points, each corner rounded by a quadratic curve.
function curve(points) {
  const [first, ...rest] = points;
  const last = rest.pop();
  const middle = (one, other) => `${(one.x + other.x) / 2} ${(one.y + other.y) / 2}`;
  const bends = rest.map((point, at) => `Q${point.x} ${point.y} ${at + 1 < rest.length ? middle(point, rest[at + 1]) : `${last.x} ${last.y}`}`);
  return `M${first.x} ${first.y}${bends.join("") || `L${last.x} ${last.y}`}`;
}
