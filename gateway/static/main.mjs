// Starts the page: reads the address, follows what is live, draws.

import { render } from "preact";
import { html } from "./html.mjs";
import { App, startFrame } from "./app.mjs";
import { keepCounting } from "./attention.mjs";
import { startWatching } from "./conversation.mjs";
import { keepListFresh } from "./run_list.mjs";
import { watchServer } from "./system.mjs";

watchServer();
startWatching();
keepListFresh();
keepCounting();
startFrame();
render(html`<${App} />`, document.getElementById("app"));
