"""Restate: its own server with its own log; steps are journaled by the server before their results are used."""

import http.client
import json
import os
import shutil
import socket
import sys
import threading
import time
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import restate
from restate import Context

from benchmarks import effects, workloads
from benchmarks.peers import NotHere, Place, Processes


class Peer:
    """See benchmarks.peers.Peer."""

    title = "Restate (own server and log, not Postgres)"
    setup = "restate-server as it comes (its log is synced to disk), services on hypercorn over HTTP/2"
    packages = ("restate-sdk", "hypercorn")
    worker_counts, workers_at_kill, patience = (1, 2), 2, 30.0

    def __init__(self, place: Place) -> None:
        self.place = place
        self.processes = Processes(place.home)
        self._local = threading.local()

    def start(self, workers: int) -> None:
        """See Peer."""
        program = next(self.place.programs.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"), None)
        if program is None:
            raise NotHere("its server could not be installed from npm (@restatedev/restate-server)")
        data = self.place.home / "restate"
        shutil.rmtree(data, ignore_errors=True)
        self._ingress, admin, node = (_free_port() for _ in range(3))
        settings = {
            "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{self._ingress}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
            "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_BASE_DIR": str(data),
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "warn",
        }
        self.processes.start(str(program), "--no-logo", env=settings)
        # one socket for all workers: a connection goes to whichever accepts it, and never to a dead one
        self._socket = socket.create_server(("127.0.0.1", 0))
        for _ in range(workers):
            self._start_one()
        _until_answers(admin, "/health")
        uri = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        _until_answers(admin, "/deployments", {"uri": uri, "force": True})
        _until_answers(self._ingress, "/restate/health")

    def _start_one(self) -> None:
        number = self._socket.fileno()
        self.processes.start(sys.executable, "-m", "benchmarks.peers.restate", str(number), pass_fds=[number])

    def submit(self, workload: str, run: str) -> str:
        """See Peer."""
        status, answer = self._call("POST", f"/bench/{workload}/send", run)
        assert status in {200, 202}, answer
        return str(answer["invocationId"])

    def wait(self, handle: str, timeout: float) -> None:
        """See Peer."""
        self._local.connection.timeout = timeout
        if self._local.connection.sock:
            self._local.connection.sock.settimeout(timeout)
        try:
            status, answer = self._call("GET", f"/restate/invocation/{handle}/attach")
        except TimeoutError:
            del self._local.connection
            raise
        if status != 200:
            raise RuntimeError(f"{handle}: {status} {answer}")

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection("127.0.0.1", self._ingress, timeout=60)
        return _call(self._local.connection, method, path, body)

    def revive(self, handle: str) -> None:
        """A new worker; the server tries again by itself."""
        self._start_one()

    def stop(self) -> None:
        """See Peer."""
        self.processes.stop()
        self._socket.close()
        self._local = threading.local()


def _call(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {"content-type": "application/json"} if body is not None else {}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read()
    try:
        return answer.status, json.loads(text) if text else None
    except ValueError:
        return answer.status, text.decode(errors="replace")


def _until_answers(port: int, path: str, body: Any = None, timeout: float = 60) -> None:
    until, last = time.monotonic() + timeout, "no answer"
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            status, answer = _call(connection, "POST" if body else "GET", path, body)
            if status < 300:
                return
            last = f"{status} {answer}"
        except OSError as error:
            last = str(error)
        finally:
            connection.close()
        time.sleep(0.2)
    raise NotHere(f"its server does not answer {path}: {last}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


service = restate.Service("bench")


async def whole_run(context: Context, workload: str, run: str) -> str:
    """The plan as data flow: each step starts when what it needs is done."""
    waiting, done = dict(workloads.steps(workload)), set[str]()
    running: dict[Any, str] = {}
    while waiting or running:
        for step in [step for step, needs in waiting.items() if done.issuperset(needs)]:
            del waiting[step]
            running[context.run_typed(step, effects.work_async, workload=workload, run=run, step=step)] = step
        ended, _ = await restate.wait_completed(*running)
        for future in ended:
            await future
            done.add(running.pop(future))
    return "ok"


@service.handler()
async def W1(context: Context, run: str) -> str:
    """A chain."""
    for step, _ in workloads.steps("W1"):
        await context.run_typed(step, effects.work_async, workload="W1", run=run, step=step)
    return "ok"


@service.handler()
async def W2(context: Context, run: str) -> str:
    """A fan and its join."""
    *side_by_side, (join, _) = workloads.steps("W2")
    await restate.gather(
        *(context.run_typed(step, effects.work_async, workload="W2", run=run, step=step) for step, _ in side_by_side)
    )
    return await context.run_typed(join, effects.work_async, workload="W2", run=run, step=join)


@service.handler()
async def W3(context: Context, run: str) -> str:
    """The lattice."""
    return await whole_run(context, "W3", run)


async def serve(number: int) -> None:
    """The worker, on a socket that it inherits."""
    config = hypercorn.config.Config()
    config.bind = [f"fd://{number}"]
    config.h2_max_concurrent_streams = 2147483647  # as Restate's manual says
    config.keep_alive_max_requests = 2147483647
    config.keep_alive_timeout = 2147483647
    config.errorlog = "-" if os.environ.get("BENCH_DEBUG") else None
    await hypercorn.asyncio.serve(restate.app([service]), config)  # type: ignore[arg-type]


if __name__ == "__main__":
    import asyncio

    asyncio.run(serve(int(sys.argv[1])))
