"""A client of a running stack, for all its nouns. The command line uses it; so may any Python program.

client = Client("http://127.0.0.1:8000")
started = client.start("What is 17% of 2340?")
for event in client.events(started["workflowId"]):
    show(event["seq"], event["name"])
"""

import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from gateway.client_access import AccessCalls
from gateway.client_delivery import DeliveryCalls, HookCalls
from gateway.client_nouns import AgentCalls, ConversationCalls, MoreCalls, RunCalls
from gateway.client_parts import HandsCalls, MemoryCalls, Refused, problem_of
from gateway.client_time import SpendingCalls, TimeCalls
from services.errors import PerdureError, Unavailable
from services.journal import sequences
from services.journal.event_names import TERMINAL

if TYPE_CHECKING:
    from gateway.agent import Accepted
    from gateway.declare import Page
    from gateway.run_parts import ListedRun, ShownRun

GIVE_UP_SECONDS = 60
LONGEST_PAUSE = 5.0


class Incomplete(PerdureError):
    """The events that came are not those that the run's last one speaks of."""

    title = "The sequence of events is not complete"


class Client(
    MemoryCalls,
    HandsCalls,
    TimeCalls,
    SpendingCalls,
    DeliveryCalls,
    HookCalls,
    ConversationCalls,
    AgentCalls,
    RunCalls,
    MoreCalls,
    AccessCalls,
):
    """One stack, seen from outside. Raises Refused for its problems and Unavailable when nobody answers."""

    def start(
        self, request: str | None = None, *, plan: dict[str, Any] | None = None, key: str | None = None, **fields: Any
    ) -> "Accepted":
        """Start a run of `request` or `plan` (or both).

        fields: conversationId, userId, agent, priority, labels as on the wire. key: the Idempotency-Key, a new one if
        None: sent again when the connection breaks or the stack is away, it starts one run all the same.
        """
        body = {"request": request, "plan": plan, **fields}
        sent = {name: value for name, value in body.items() if value is not None}
        return self._call("POST", "/api/agent/start", json=sent, headers={"Idempotency-Key": key or str(uuid.uuid4())})

    def get(self, run_id: str, *include: str) -> "ShownRun":
        """The run with its plan, steps and answer as they stand. include: events, approvals, attempts, usage."""
        return self._call("GET", f"/api/runs/{run_id}", params={"include": include} if include else None)

    def listed(self, **asked: Any) -> "Page[ListedRun]":
        """A page of runs, newest first, as {items, next}. asked: status, agent, conversationId, label, text, since,
        until, sort, include, limit, cursor; lists for what may be given several times."""
        return self._call("GET", "/api/runs", params={name: value for name, value in asked.items() if value})

    def all_runs(self, **asked: Any) -> "Iterator[ListedRun]":
        """Every run that fits, page after page."""
        cursor = None
        while True:
            page = self.listed(**asked, cursor=cursor)
            yield from page["items"]
            if (cursor := page["next"]) is None:
                return

    def cancel(self, run_id: str) -> dict[str, Any]:
        """Ask the run to stop; returns it as it stands now."""
        return self._call("POST", f"/api/runs/{run_id}/cancel")

    def pause(self, run_id: str) -> dict[str, Any]:
        """Begin nothing more in this run until it is resumed."""
        return self._call("POST", f"/api/runs/{run_id}/pause")

    def resume(self, run_id: str) -> dict[str, Any]:
        """Let a paused run go on."""
        return self._call("POST", f"/api/runs/{run_id}/resume")

    def fork(self, run_id: str, **fields: Any) -> dict[str, Any]:
        """Start a run that shares what this ended one has finished. fields: fromStep, patches as on the wire."""
        return self._call("POST", f"/api/runs/{run_id}/fork", json=fields, attempts=1)

    def change_step(self, run_id: str, step_id: str, verb: str, **fields: Any) -> dict[str, Any]:
        """retry, skip, override (output), rerun (arguments) or resolve (as, output) a step; returns it."""
        body = {"json": fields} if fields else {}
        return self._call("POST", f"/api/runs/{run_id}/steps/{step_id}/{verb}", attempts=1, **body)

    def why(self, run_id: str) -> dict[str, Any]:
        """The one thing that the run waits on: {kind, sentence, …}."""
        return self._call("GET", f"/api/runs/{run_id}/why")

    def diff(self, run_a: str, run_b: str) -> dict[str, Any]:
        """What is different between two runs: {a, b, changes, steps, same}."""
        return self._call("GET", f"/api/runs/{run_a}/diff/{run_b}")

    def doubts(self) -> list[dict[str, Any]]:
        """The steps that wait for a person to say whether their effect happened."""
        return self._call("GET", "/api/doubts")["items"]

    def dead_letters(self, **asked: Any) -> dict[str, Any]:
        """A page of dead letters as {items, next}. asked: reason, tool, label, since, until, resolved, limit, …"""
        return self._call("GET", "/api/dead-letters", params={name: value for name, value in asked.items() if value})

    def dead_letter(self, letter_id: str) -> dict[str, Any]:
        """One dead letter with its run and every attempt that led to it."""
        return self._call("GET", f"/api/dead-letters/{letter_id}")

    def settle_letter(self, letter_id: str, action: str) -> dict[str, Any]:
        """resume, restart or discard one dead letter."""
        return self._call("POST", f"/api/dead-letters/{letter_id}/{action}", attempts=1)

    def settle_letters(self, action: str, wanted: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
        """resume, restart or discard every open letter that fits `wanted`; with dry_run only say which."""
        body = {"action": action, "filter": wanted, "dryRun": dry_run}
        return self._call("POST", "/api/dead-letters/bulk", json=body, attempts=1)

    def flow(self) -> list[dict[str, Any]]:
        """The limits per key with what runs and waits at them."""
        return self._call("GET", "/api/flow")["items"]

    def set_flow(self, key: str, **limits: Any) -> dict[str, Any]:
        """Make or change the limit of a key: parallelism, rate, period."""
        return self._call("PUT", f"/api/flow/{quote(key)}", json=limits)

    def remove_flow(self, key: str) -> dict[str, Any]:
        """Take the limit of a key away; returns it as it was."""
        return self._call("DELETE", f"/api/flow/{quote(key)}", attempts=1)

    def pause_flow(self, key: str) -> dict[str, Any]:
        """Let no step of this key start until it is resumed."""
        return self._call("POST", f"/api/flow/{quote(key)}/pause")

    def resume_flow(self, key: str) -> dict[str, Any]:
        """Let the steps of this key start again."""
        return self._call("POST", f"/api/flow/{quote(key)}/resume")

    def gc(self, older_than: float, states: list[str], *, dry_run: bool) -> dict[str, Any]:
        """Delete runs that ended so, more than `older_than` seconds ago; with dry_run only say how many."""
        body = {"olderThan": older_than, "states": states, "dryRun": dry_run}
        return self._call("POST", "/api/gc", json=body, attempts=1)

    def tools(self, request: str | None = None) -> list[dict[str, Any]]:
        """What steps may call; of it, what fits a request best."""
        return self._call("GET", "/api/tools", params={"q": request} if request else {})["items"]

    def system(self) -> dict[str, Any]:
        """Which brain the stack has, and its version."""
        return self._call("GET", "/api/system")

    def missing(self) -> list[str]:
        """What the stack still lacks before a run can get through; empty when it is ready."""
        try:
            self._call("GET", "/readyz", attempts=1)
        except Refused as problem:
            return [fault.detail for fault in problem.errors] or [problem.detail]
        return []

    def events(self, run_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """The run's events after `after`, each once and in order, up to its last one; resumes when cut off.

        Followed from the first one on, they are held against the seal of the last. Raises Incomplete where they are not
        the same, and Unavailable when nothing has come through for GIVE_UP_SECONDS.
        """
        heard, pause = time.monotonic(), 0.1
        chained = "" if after == 0 else None
        while True:
            try:
                for event in self._connected(run_id, after):
                    if event["seq"] > after:
                        after, heard, pause = event["seq"], time.monotonic(), 0.1
                        if event["name"] in TERMINAL:
                            _check(event, chained)
                        yield event
                        if event["name"] in TERMINAL:
                            return
                        chained = None if chained is None else sequences.chained([event], chained)
                return
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError) as error:
                if time.monotonic() - heard > GIVE_UP_SECONDS:
                    raise Unavailable(f"Lost {self.url} while following run {run_id} (after={after}).") from error
            time.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _connected(self, run_id: str, after: int) -> Iterator[dict[str, Any]]:
        """The events of one connection. Ends when the run has; raises when cut off."""
        address = f"{self.url.replace('http', 'ws', 1)}/api/agent/updates?workflowId={run_id}&after={after}"
        try:
            with connect(
                address, additional_headers=self._headers, proxy=None, max_size=None, close_timeout=1
            ) as socket:
                while True:
                    yield orjson.loads(socket.recv())
        except ConnectionClosedOK as closed:
            if closed.rcvd is None or closed.rcvd.code != 1000:
                raise
        except InvalidStatus as refused:
            if refused.response.status_code < 500:
                raise Refused(
                    refused.response.status_code, problem_of(bytes(refused.response.body or b""))
                ) from refused
            raise


def _check(last: dict[str, Any], chained: str | None) -> None:
    """Raise Incomplete where the events before the last one are not those that it was sealed with."""
    if chained is not None and last["sequence"]["hash"] != chained:
        raise Incomplete(
            f"Of the {last['sequence']['count']} events of run {last['workflowId']} some are not as they were."
        )
