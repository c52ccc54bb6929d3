"""A run in the shape of OpenAI's Responses API: the object, and its events numbered the same at every look."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gateway.openai_front import asking
from gateway.openai_front.asking import Growing
from services.approvals import approvals
from services.journal import runs
from services.journal.runs import Run, RunStatus

_STATUS = {
    RunStatus.QUEUED: "queued",
    RunStatus.SUCCEEDED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
}


def shown(run: Run, model: str, *, background: bool) -> dict[str, Any]:
    """The response object."""
    asked, answered = asking.counted(run)
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    used = {"input_tokens": asked, "output_tokens": answered, "total_tokens": asked + answered} | details
    error = {"code": "server_error", "message": (run.error or {}).get("detail", "")} if run.status == "failed" else None
    return {
        "id": f"resp_{run.id.hex}",
        "object": "response",
        "created_at": int(run.created_at.timestamp()),
        "status": _STATUS.get(RunStatus(run.status), "in_progress"),
        "background": background,
        "error": error,
        "incomplete_details": None,
        "instructions": (run.profile or {}).get("instructions"),
        "max_output_tokens": None,
        "model": model,
        "output": _output(run),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": used if run.phase is None else None,
        "user": run.user_id,
        "metadata": run.labels,
    }


def _output(run: Run) -> list[dict[str, Any]]:
    asked = approvals.listed(run.tenant, status=None, run_id=run.id)
    items: list[dict[str, Any]] = [
        approval_item(str(one.id), one.tool, one.arguments) for one, _ in asked if one.kind == "approval"
    ]
    if run.answer is not None:
        items.append(message(run, run.answer, "completed"))
    return items


def approval_item(approval_id: str, tool: str, arguments: Any) -> dict[str, Any]:
    """Something that a client may approve."""
    given = orjson.dumps(arguments).decode()
    return {
        "type": "mcp_approval_request",
        "id": f"mcpr_{approval_id}",
        "server_label": "perdure",
        "name": tool,
        "arguments": given,
    }


def message(run: Run, text: str, status: str) -> dict[str, Any]:
    """The answer as an output item."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    content = [part] if status == "completed" else []
    return {"type": "message", "id": f"msg_{run.id.hex}", "status": status, "role": "assistant", "content": content}


class Projection:
    """The run's events as the Responses API streams them. The same events give the same numbers, so that a client may
    come back with the last number that it has."""

    def __init__(self, run: Run, model: str) -> None:
        self._run = run
        self._model = model
        self._number = 0
        self._index = 0
        self._growing = Growing()
        self._open = False

    def told(self, events: Iterable[dict[str, Any] | None]) -> Iterator[dict[str, Any] | None]:
        """Their events; None now and then while nothing happens."""
        for event in events:
            if event is None:
                yield None
            elif event["name"] == "run.created":
                yield self._event("response.created", response=self._begun("queued"))
                yield self._event("response.in_progress", response=self._begun("in_progress"))
            elif event["name"] == "approval.requested" and event["data"]["kind"] == "approval":
                yield from self._approval(event["data"])
            elif added := self._growing.more(event):
                yield from self._delta(added)
            if event and event["name"].startswith("run.") and event["name"][4:] in ("succeeded", "failed", "cancelled"):
                yield from self._end(event["name"][4:])

    def _approval(self, asks: dict[str, Any]) -> Iterator[dict[str, Any]]:
        item = approval_item(asks["id"], asks["tool"], asks["arguments"])
        yield self._event("response.output_item.added", output_index=self._index, item=item)
        yield self._event("response.output_item.done", output_index=self._index, item=item)
        self._index += 1

    def _delta(self, added: str) -> Iterator[dict[str, Any]]:
        if not self._open:
            self._open = True
            item = message(self._run, "", "in_progress")
            yield self._event("response.output_item.added", output_index=self._index, item=item)
            yield self._event("response.content_part.added", **self._at(), part=_part(""))
        yield self._event("response.output_text.delta", **self._at(), delta=added, logprobs=[])

    def _end(self, status: str) -> Iterator[dict[str, Any]]:
        if self._open:
            text = self._growing.text
            yield self._event("response.output_text.done", **self._at(), text=text, logprobs=[])
            yield self._event("response.content_part.done", **self._at(), part=_part(text))
            item = message(self._run, text, "completed")
            yield self._event("response.output_item.done", output_index=self._index, item=item)
        ended = runs.get(self._run.tenant, str(self._run.id))
        name = {"succeeded": "completed", "failed": "failed", "cancelled": "incomplete"}[status]
        yield self._event(f"response.{name}", response=shown(ended, self._model, background=False))

    def _at(self) -> dict[str, Any]:
        return {"item_id": f"msg_{self._run.id.hex}", "output_index": self._index, "content_index": 0}

    def _begun(self, status: str) -> dict[str, Any]:
        return shown(self._run, self._model, background=False) | {"status": status, "output": [], "usage": None}

    def _event(self, kind: str, **data: Any) -> dict[str, Any]:
        made = {"type": kind, "sequence_number": self._number, **data}
        self._number += 1
        return made


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
