// /docs: the OpenAPI document as a page. Nouns on the left, their routes on the right, each unfolding to what it takes and gives.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.mjs";
import { Shape } from "./shape.mjs";

const METHODS = ["get", "post", "put", "patch", "delete"];

function Docs() {
  const [api, setApi] = useState(null);
  const [problem, setProblem] = useState("");
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    fetch("/openapi.json").then((answer) => answer.json()).then(setApi, () => setProblem("The document can't be read; try again in a moment."));
  }, []);
  useEffect(() => api && showAsked(), [api]);
  if (!api) return html`<p class="docs-wait" role="status">${problem || "Reading the document…"}</p>`;
  const nouns = grouped(api, wanted.trim().toLowerCase());
  const found = nouns.reduce((sum, noun) => sum + noun.routes.length, 0);
  return html`<div class="docs-frame">
    <nav class="docs-nav" aria-label="Nouns">
      <a class="docs-home" href="/">Perdure</a>
      <label>Find a route <input type="search" value=${wanted} onInput=${(event) => setWanted(event.currentTarget.value)} /></label>
      <p class="visually-hidden" role="status">${found} routes</p>
      <ul>${nouns.map((noun) => html`<li key=${noun.name}><a href=${`#${noun.name}`}>${noun.name}</a> <small>${noun.routes.length}</small></li>`)}</ul>
    </nav>
    <main class="docs-main">
      <h1>${api.info.title} API <small>${api.info.version}</small></h1>
      <p>${api.info.description}</p>
      <p>Send a key as <code>Authorization: Bearer …</code> or <code>X-API-Key</code>. The whole document: <a href="/openapi.json">/openapi.json</a>.</p>
      ${!found && html`<p>No route has that in its address or its words.</p>`}
      ${nouns.map((noun) => html`<${Noun} key=${noun.name} noun=${noun} api=${api} />`)}
      <${Sockets} sockets=${api["x-websockets"]} />
    </main>
  </div>`;
}

function Noun({ noun, api }) {
  return html`<section id=${noun.name} aria-labelledby=${`title-${noun.name}`}>
    <h2 id=${`title-${noun.name}`}>${noun.name}</h2>
    <p class="docs-about">${noun.about}</p>
    ${noun.routes.map((route) => html`<${Route} key=${route.operationId} route=${route} api=${api} />`)}
  </section>`;
}

function Route({ route, api }) {
  const [open, setOpen] = useState(false);
  const { method, path, operationId, summary, description, parameters, requestBody, responses } = route;
  return html`<details class="docs-route" id=${operationId} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary><b class=${`docs-method is-${method}`}>${method.toUpperCase()}</b> <code>${path}</code> <span>${summary}</span></summary>
    ${open && html`<div class="docs-inside">
      <p>${description}</p>
      ${parameters.length > 0 && html`<h3>Parameters</h3><${Parameters} parameters=${parameters} />`}
      ${requestBody && html`<h3>Body${requestBody.required ? "" : ", may be left out"}</h3><${Body} body=${requestBody} api=${api} />`}
      <h3>As a command</h3>
      <pre tabindex="0"><code>${command(route)}</code></pre>
      <h3>Replies</h3>
      ${Object.entries(responses).map(([status, reply]) => html`<${Reply} key=${status} status=${status} reply=${resolved(api, reply)} api=${api} />`)}
    </div>`}
  </details>`;
}

function Parameters({ parameters }) {
  return html`<dl class="docs-fields">${parameters.map(({ name, in: place, required, description, schema }) => html`<div key=${name + place}>
    <dt><code>${name}</code> <small>${place}${required ? "" : ", optional"}</small></dt>
    <dd>${description} <${Shape} schema=${schema} /></dd>
  </div>`)}</dl>`;
}

function Body({ body, api }) {
  return Object.entries(body.content).map(([type, { schema, examples }]) => html`<div key=${type}>
    <p><code>${type}</code> ${body.description}</p>
    ${examples && html`<pre tabindex="0"><code>${JSON.stringify(Object.values(examples)[0].value, null, 2)}</code></pre>`}
    <${Shape} schema=${schema} api=${api} />
  </div>`);
}

function Reply({ status, reply, api }) {
  return html`<details class="docs-reply"><summary><b class=${status < "400" ? "tone-good" : "tone-bad"}>${status}</b> ${reply.description}</summary>
    ${Object.entries(reply.content || {}).map(([type, { schema }]) => html`<div key=${type}><p><code>${type}</code></p>${schema && html`<${Shape} schema=${schema} api=${api} />`}</div>`)}
  </details>`;
}

function Sockets({ sockets }) {
  return html`<section id="websockets"><h2>websockets</h2>${Object.entries(sockets).map(([path, { description, parameters }]) => html`<div key=${path} class="docs-route docs-inside">
    <p><b class="docs-method">WS</b> <code>${path}</code></p><p>${description}</p><${Parameters} parameters=${parameters.map((each) => ({ ...each, in: "query" }))} />
  </div>`)}</section>`;
}

/** [{name, about, routes}] of all routes that have the word in their address or their words. */
function grouped(api, word) {
  const routes = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ method, path, ...item[method] })));
  const fits = ({ path, summary, description, operationId }) => `${path} ${summary} ${description} ${operationId}`.toLowerCase().includes(word);
  return api.tags
    .map(({ name, description }) => ({ name, about: description, routes: routes.filter((route) => route.tags[0] === name && fits(route)) }))
    .filter(({ routes: some }) => some.length);
}

function command({ method, path, requestBody }) {
  const media = requestBody?.content["application/json"];
  const sent = media?.examples ? ` \\\n  -H 'content-type: application/json' -d '${JSON.stringify(Object.values(media.examples)[0].value)}'` : "";
  return `curl${method === "get" ? "" : ` -X ${method.toUpperCase()}`} ${location.origin}${path}${sent}`;
}

const resolved = (api, reply) => (reply.$ref ? api.components.responses[reply.$ref.split("/").pop()] : reply);

/** Opens the route that the address names. */
function showAsked() {
  const asked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (asked?.tagName === "DETAILS") asked.open = true;
  asked?.scrollIntoView();
}

addEventListener("hashchange", showAsked);
render(html`<${Docs} />`, document.getElementById("docs"));
