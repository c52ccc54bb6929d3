"""Parts of the client: its calls about schedules, events that runs wait for, agents and what was spent."""

import time
from typing import Any
from urllib.parse import quote

from gateway.client_parts import Calls


class TimeCalls(Calls):
    """/api/schedules, /api/signals."""

    def schedules(self) -> list[dict[str, Any]]:
        """All schedules by name."""
        return self._call("GET", "/api/schedules")["items"]

    def add_schedule(self, fields: dict[str, Any]) -> dict[str, Any]:
        """A new schedule. fields: name, run, one of cron, every and at; timezone, overlap, catchup, paused."""
        return self._call("POST", "/api/schedules", json=fields, attempts=1)

    def change_schedule(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Change these fields of a schedule."""
        return self._call("PATCH", f"/api/schedules/{quote(name)}", json=fields)

    def preview_schedule(self, fields: dict[str, Any]) -> dict[str, Any]:
        """What a timing says, and when it is due next: {explained, upcoming}."""
        return self._call("POST", "/api/schedules/preview", json=fields)

    def run_schedule(self, name: str) -> dict[str, Any]:
        """Start a run beside all slots."""
        return self._call("POST", f"/api/schedules/{quote(name)}/run-now", attempts=1)

    def remove_schedule(self, name: str) -> None:
        """Drop a schedule."""
        self._call("DELETE", f"/api/schedules/{quote(name)}", attempts=1)

    def signal(self, name: str, data: Any = None, *, run_id: str | None = None) -> dict[str, Any]:
        """Tell the runs that wait for it (or one of them) that something happened; returns {id, woken}."""
        body = {"name": name, "data": data} | ({"workflowId": run_id} if run_id else {})
        return self._call("POST", "/api/signals", json=body, attempts=1)

    def waiters(self, name: str) -> list[dict[str, Any]]:
        """The steps that wait for a signal."""
        return self._call("GET", "/api/signals/waiters", params={"name": name})["items"]


class SpendingCalls(Calls):
    """/api/usage, /api/agents."""

    def usage(self, **asked: Any) -> list[dict[str, Any]]:
        """What calls of models took, in groups. asked: by, since, until, runId."""
        return self._call("GET", "/api/usage", params={k: v for k, v in asked.items() if v is not None})["items"]

    def tree(self, run_id: str) -> dict[str, Any]:
        """The run with all that it has delegated, each with its cost."""
        return self._call("GET", f"/api/runs/{run_id}/tree")

    def replay(self, run_id: str, *, live_from: str | None = None) -> dict[str, Any]:
        """Start a run that is told what this one was told."""
        body = {"liveFrom": live_from} if live_from else {}
        return self._call("POST", f"/api/runs/{run_id}/replay", json=body, attempts=1)

    def recording(self, run_id: str) -> dict[str, Any]:
        """All that an ended run was given, to be kept in a file."""
        return self._call("GET", f"/api/runs/{run_id}/recording")

    def replay_report(self, run_id: str) -> dict[str, Any]:
        """Where a replay differs from what it replays."""
        return self._call("GET", f"/api/replays/{run_id}")

    def replayed(self, recording: dict[str, Any], *, seconds: float = 60) -> dict[str, Any]:
        """The report on a recording that is replayed here, once that has ended (or after so many seconds)."""
        started = self._call("POST", "/api/replays", json={"recording": recording}, attempts=1)["workflowId"]
        until = time.monotonic() + seconds
        report = self.replay_report(started)
        while not report["ended"] and time.monotonic() < until:
            time.sleep(0.1)
            report = self.replay_report(started)
        return report

    def agents(self) -> list[dict[str, Any]]:
        """The agents that runs can be given."""
        return self._call("GET", "/api/agents")["items"]
