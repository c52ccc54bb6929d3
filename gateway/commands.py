"""What a client says on the WebSocket of a run: cancel, pause, resume, steer, approve, reject, answer, signal.

Each is done as its HTTP call would do it, and answered by {"ack", "result"} or {"ack", "problem"}, which has no `seq`.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from gateway import audit, authentication, bodies, scopes
from gateway.approvals import person
from services import logs
from services.approvals import approvals
from services.errors import BadInput, FieldError, NotFound, PerdureError
from services.journal import runs, signals
from services.journal.runs import Run
from services.journal.surgery import Changed
from services.pipeline import operating

Id = Annotated[str, Field(max_length=100)]

# the HTTP call that each command stands for: who may not do the one may not do the other
ROUTES = {
    "cancel": "POST /api/runs/<run_id>/cancel",
    "pause": "POST /api/runs/<run_id>/pause",
    "resume": "POST /api/runs/<run_id>/resume",
    "steer": "POST /api/runs/<run_id>/steer",
    "approve": "POST /api/approvals/<approval_id>/approve",
    "reject": "POST /api/approvals/<approval_id>/reject",
    "answer": "POST /api/approvals/<approval_id>/answer",
    "signal": "POST /api/signals",
}

log = logs.get(__name__)


class Command(bodies.Body):
    """id: what the answer's `ack` says."""

    id: Id | int | None = None
    do: str


class Plain(Command):
    """To the run as a whole."""

    do: Literal["cancel", "pause", "resume"]


class Steer(Command):
    """Something that the user adds while the run is under way; it is taken in when its steps have ended."""

    do: Literal["steer"]
    text: Annotated[str, Field(min_length=1, max_length=50_000)]


class Approve(Command):
    """arguments: what the call gets instead of what was asked for."""

    do: Literal["approve"]
    approval_id: Id
    arguments: dict[str, Any] | None = None


class Reject(Command):
    """reason: told to whoever reads the failure of the step."""

    do: Literal["reject"]
    approval_id: Id
    reason: str | None = None


class Answer(Command):
    """The answer to a question."""

    do: Literal["answer"]
    approval_id: Id
    answer: Any


class Signal(Command):
    """name: what steps of this run wait for."""

    do: Literal["signal"]
    name: Annotated[str, Field(min_length=1, max_length=500)]
    data: Any = None


Said = Annotated[Plain | Steer | Approve | Reject | Answer | Signal, Field(discriminator="do")]
_said: TypeAdapter[Any] = TypeAdapter(Said)


def answered(run: Run, message: str | bytes) -> str:
    """Does what the message says to the run, and returns the frame that tells how it went."""
    raw: Any = None
    try:
        raw = bodies.parsed(message)
        command = _read(raw)
        authentication.ask_for(scopes.NEEDED[ROUTES[command.do]])
        done = {"result": _DOING[type(command)](run, command)}
        audit.write_down(authentication.caller(), "WS", f"{ROUTES[command.do].partition(' ')[2]} of {run.id}", 200)
    except PerdureError as error:
        done = {"problem": error.to_problem()}
    except Exception as error:
        log.error("A command failed", run_id=str(run.id), exc_info=error)
        done = {"problem": PerdureError("The command failed; the log says why.").to_problem()}
    ack = raw.get("id") if isinstance(raw, dict) else None
    return orjson.dumps({"ack": ack if isinstance(ack, str | int) else None, **done}).decode()


def _read(raw: Any) -> Command:
    if not isinstance(raw, dict):
        raise BadInput('Say one JSON object, such as {"id": 1, "do": "cancel"}.')
    try:
        command: Command = _said.validate_python(raw)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = [str(part) for part in fault["loc"][1:]]  # the first one is the kind of command
        pointer = "/".join(["#", *(place or ["do"])])
        detail = "is required." if fault["type"] == "missing" else f"{fault['msg']}."
        raise BadInput(f"{pointer}: {detail}", errors=[FieldError(pointer, detail)]) from error
    return command


def _plain(run: Run, command: Plain) -> dict[str, Any]:
    do = {"cancel": operating.cancel, "pause": operating.pause, "resume": operating.resume}[command.do]
    do(run.tenant, str(run.id))
    return {"status": runs.get(run.tenant, str(run.id)).status}


def _steer(run: Run, command: Steer) -> dict[str, Any]:
    operating.steer(run.tenant, str(run.id), command.text)
    return {"steered": True}


def _approve(run: Run, command: Approve) -> dict[str, Any]:
    _check(run, command.approval_id)
    return _decided(
        run, command, approvals.approve(run.tenant, command.approval_id, by=person(), arguments=command.arguments)
    )


def _reject(run: Run, command: Reject) -> dict[str, Any]:
    _check(run, command.approval_id)
    return _decided(run, command, approvals.reject(run.tenant, command.approval_id, by=person(), reason=command.reason))


def _answer(run: Run, command: Answer) -> dict[str, Any]:
    _check(run, command.approval_id)
    return _decided(run, command, approvals.answer(run.tenant, command.approval_id, by=person(), answer=command.answer))


def _check(run: Run, approval_id: str) -> None:
    """Raise NotFound for what another run asks: its client follows that one."""
    approval, _ = approvals.get(run.tenant, approval_id)
    if approval.run_id != run.id:
        raise NotFound(f"Run {run.id} asks for no approval {approval_id}.")


def _decided(run: Run, command: Approve | Reject | Answer, changed: Changed) -> dict[str, Any]:
    operating.carry_on(str(run.id), changed)
    _, state = approvals.get(run.tenant, command.approval_id)
    return {"approvalId": command.approval_id, "status": state}


def _signal(run: Run, command: Signal) -> dict[str, Any]:
    number, woken = signals.send(run.tenant, command.name, command.data, run_id=str(run.id))
    for each in woken:
        operating.carry_on(each.run_id, each.changed)
    return {"id": str(number), "woken": [step for each in woken for step in each.steps]}


_DOING: dict[type[Command], Callable[[Run, Any], dict[str, Any]]] = {
    Plain: _plain,
    Steer: _steer,
    Approve: _approve,
    Reject: _reject,
    Answer: _answer,
    Signal: _signal,
}
