// Follows one run over the WebSocket: every event exactly once and in order, over any number of lost connections.

import { apiKey } from "./api.mjs";

const TERMINAL = new Set(["run.succeeded", "run.failed", "run.cancelled"]);
const BATCH_MS = 40; // events that arrive together are shown together
const GOODBYE_MS = 2_000;
const SILENCE_MS = 30_000; // a connection may die without a word; asking again costs one handshake
const LONGEST_WAIT_MS = 8_000;

/**
 * onEvents(events): new events, oldest first. onConnection(state): "connecting", "live", "waiting" or "ended".
 * stillThere(): resolves to false when the run can't be followed any more; asked after a connection that brought nothing.
 * Returns a function that stops following.
 */
export function follow(runId, { onEvents, onConnection, stillThere }) {
  let last = 0; // seq of the newest event taken
  let failures = 0;
  let socket = null;
  let timer = null;
  let silence = null;
  let batch = [];
  let batchTimer = null;
  let stopped = false;

  function connect() {
    clearTimeout(timer);
    if (stopped) return;
    onConnection("connecting");
    let heard = false;
    const current = open(runId, last);
    socket = current;
    current.onopen = () => {
      onConnection("live");
      listen();
    };
    current.onmessage = (message) => {
      if (current !== socket) return;
      heard = true;
      listen();
      take(JSON.parse(message.data));
    };
    current.onclose = async () => {
      if (stopped || current !== socket) return;
      clearTimeout(silence);
      onConnection("waiting");
      failures += 1;
      if (!heard && !(await stillThere())) return stop();
      timer = setTimeout(connect, waitBefore(failures));
    };
  }

  function take(event) {
    if (event.seq <= last) return; // replayed: had it already
    if (event.seq > last + 1) return again(); // one is missing: ask for everything after the last one we have
    last = event.seq;
    failures = 0;
    batch.push(event);
    if (TERMINAL.has(event.name)) {
      flush();
      stop(GOODBYE_MS); // the server closes after the last event; only if it does not, we do
    } else {
      batchTimer ||= setTimeout(flush, BATCH_MS);
    }
  }

  function flush() {
    clearTimeout(batchTimer);
    batchTimer = null;
    const events = batch;
    batch = [];
    if (events.length) onEvents(events);
  }

  function again() {
    const old = socket;
    socket = null;
    old?.close();
    failures += 1;
    timer = setTimeout(connect, waitBefore(failures));
  }

  function listen() {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE_MS);
  }

  function stop(patience = 0) {
    if (stopped) return;
    stopped = true;
    for (const each of [timer, silence, batchTimer]) clearTimeout(each);
    removeEventListener("online", connectNow);
    const old = socket;
    setTimeout(() => old?.close(), patience);
    onConnection("ended");
  }

  function connectNow() {
    const old = socket;
    socket = null;
    old?.close();
    connect();
  }

  addEventListener("online", connectNow);
  connect();
  return () => stop();
}

function open(runId, after) {
  const address = new URL("/api/agent/updates", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.search = new URLSearchParams({ workflowId: runId, after });
  const key = apiKey();
  return key ? new WebSocket(address, ["perdure", `key.${key}`]) : new WebSocket(address);
}

function waitBefore(attempt) {
  const ceiling = Math.min(LONGEST_WAIT_MS, 250 * 2 ** Math.min(attempt - 1, 6));
  return ceiling * (0.5 + Math.random() / 2); // jitter, so that a restarted server isn't met by everyone at once
}
