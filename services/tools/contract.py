"""The @tool contract: how a typed Python function becomes something that a plan step can call.

Written by whoever adds a tool, read by the execution worker (which calls it) and the catalogue (which lists it).

    @tool(effect="pure", examples=["What is 17% of 2340?"], capabilities=["arithmetic"])
    def calculate(expression: str) -> dict[str, Any]:
        '''Work out an arithmetic expression.'''
        return {"value": 397.8, "text": "17% of 2340 = 397.8"}

A first parameter named `context` receives the ToolContext and is not part of the schema. A result is any JSON value; if
it is an object with a `text` key, that sentence is what people and the offline brain read.
"""

import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from services.errors import Cancelled, Failed

Effect = Literal["pure", "idempotent", "verify", "unsafe"]
Permission = Literal["allow", "ask", "deny"]


@dataclass(frozen=True)
class Retry:
    """How often and how far apart a step is tried.

    attempts: tries in all; base: seconds before the second; cap: longest wait in seconds. The wait doubles each time,
    with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
    """

    attempts: int = 3
    base: float = 0.5
    cap: float = 30


class Ask(Protocol):
    """Put a question to a person; see ToolContext.ask."""

    def __call__(self, question: str, *, choices: list[str] | None = None, seconds: float | None = None) -> Any:
        """The answer, once there is one; until then the step sleeps."""


def _nobody_to_ask(question: str, *, choices: list[str] | None = None, seconds: float | None = None) -> Any:
    raise Failed("There is nobody to ask here.")


def _nobody_to_delegate_to(order: Any) -> dict[str, Any]:
    raise Failed("There is nobody to delegate to here.")


def _no_secrets(name: str, host: str | None = None) -> str:
    raise Failed("There are no secrets here.")


@dataclass(frozen=True)
class ToolContext:
    """What a tool may know about the step it runs for.

    idempotency_key: the same on every attempt of this step; hand it to the other side.
    deadline: when the step's timeout strikes; client-side timeouts must end before it.
    waited: True when the step is back from the wait that the tool asked for by raising WaitUntil.
    ask: put a question to a person and get the answer. The first call puts the step to sleep, holding no worker; when
    the answer is there, the tool is called again and gets it. seconds: how long to wait for one (then Unanswered).
    delegate: the output of a team (execution_worker/teams.py); the step sleeps meanwhile, as for ask.
    signal: {data, at} of a signal, or None when none came in so many seconds; the step sleeps meanwhile, as for ask.
    tainted: whether content from outside has entered the run.
    secret: the value of a secret by name, for sending to a host (None: for the tool's own use). filled: a value with
    every handle (`{{secret:NAME}}`) in it replaced, for sending to a host. Neither ever goes into the output.
    """

    run_id: str
    step_id: str
    attempt: int
    tenant: str
    user_id: str
    conversation_id: str
    idempotency_key: str
    deadline: datetime
    waited: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    report: Callable[[str], None] = lambda text: None
    ask: Ask = _nobody_to_ask
    delegate: Callable[[Any], dict[str, Any]] = _nobody_to_delegate_to
    signal: Callable[[str, float, float], dict[str, Any] | None] = lambda event, seconds, lookback: None
    tainted: Callable[[], bool] = lambda: False
    secret: Callable[[str, str | None], str] = _no_secrets
    filled: Callable[[Any, str | None], Any] = lambda value, host: value

    def check_cancelled(self) -> None:
        """Raise Cancelled if the run was cancelled. Long tools call this between pieces of work."""
        if self.cancelled.is_set():
            raise Cancelled("The run was cancelled.")

    def progress(self, text: str) -> None:
        """Tell the stream how far the work is (event `step.progress`)."""
        self.report(text)


class WaitUntil(Exception):
    """Raised by a tool to put its step to sleep until `due`, holding no worker; it is called again with waited=True."""

    def __init__(self, due: datetime) -> None:
        super().__init__(f"waits until {due.isoformat()}")
        self.due = due


class Unsure(Exception):
    """Raised by a tool that can't tell whether its effect happened; what follows depends on the tool's effect."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class WaitForDecision(Exception):
    """Puts a step to sleep until somebody decides what it asks, for `seconds` at most, holding no worker.

    asks: {kind, hash, tool, arguments, reason, question} as services/approvals keeps it. Tools call ToolContext.ask.
    """

    def __init__(self, asks: dict[str, Any], seconds: float) -> None:
        super().__init__(f"waits for a decision on {asks['kind']} {asks['hash'][:8]}")
        self.asks = asks
        self.seconds = seconds


class FreeArguments(BaseModel):
    """The arguments of a tool that brings its own JSON Schema."""


@dataclass(frozen=True)
class Tool:
    """A function with everything that planning, running and recovery need to know about it.

    instant: it computes for a few milliseconds at most, never waits and takes no context, so the worker runs it without
    a thread that a timeout could abandon. verify, migrate, outside, untrusted, egress, effect_by: see `tool`.
    json_schema: of a tool that was registered at run time, whose arguments have no Python types.
    """

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[BaseModel]
    takes_context: bool
    effect: Effect
    timeout: float
    retry: Retry
    permission: Permission
    capabilities: tuple[str, ...]
    examples: tuple[str, ...]
    instant: bool = False
    verify: Callable[..., Any] | None = None
    outside: bool = True
    untrusted: bool = False
    egress: tuple[str, ...] = ()
    effect_by: tuple[str, Mapping[str, Effect]] | None = None
    json_schema: dict[str, Any] | None = None
    migrate: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return self.json_schema if self.json_schema is not None else self.arguments.model_json_schema()

    def values_of(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments as the function takes them. Raises Failed that names each fault."""
        if self.json_schema is not None:
            return {"arguments": arguments}
        try:
            checked = self._checked(arguments)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise Failed(f"The arguments do not fit {self.name}: {faults}.") from error
        return {name: getattr(checked, name) for name in type(checked).model_fields}

    def migrated(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments that were written for an earlier version, as this one takes them. Raises Failed if it can't."""
        if self.migrate is None:
            raise Failed(f"{self.name} can't read arguments of an earlier version.")
        try:
            return self.migrate(dict(arguments))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Failed(f"{self.name} can't read these arguments: {type(error).__name__}: {error}.") from error

    def _checked(self, arguments: dict[str, Any]) -> BaseModel:
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError:
            if self.migrate is None:
                raise
        return self.arguments.model_validate(self.migrated(arguments))

    def effect_of(self, arguments: Mapping[str, Any]) -> Effect:
        """What repeating the call with these arguments would do."""
        return effect_of(self.effect, self.effects, arguments)

    @property
    def effects(self) -> dict[str, Any] | None:
        """The catalogue's form of effect_by: {argument, default, effects}."""
        if self.effect_by is None:
            return None
        name, effects = self.effect_by
        return {"argument": name, "default": self.arguments.model_fields[name].default, "effects": dict(effects)}

    def acts_outside(self, arguments: Mapping[str, Any]) -> bool:
        """Whether the call changes something beyond Perdure."""
        return self.outside and self.effect_of(arguments) != "pure"


def effect_of(effect: str, effects: Mapping[str, Any] | None, arguments: Mapping[str, Any]) -> Effect:
    """The effect of a call with these arguments; `effects` as Tool.effects gives it."""
    by_value = effects["effects"] if effects else {}
    chosen = str(arguments.get(effects["argument"], effects["default"])) if effects else ""
    found: Effect = by_value.get(chosen, effect)
    return found


def tool(  # noqa: PLR0913 (a tool declares this much, by keyword)
    *,
    effect: Effect,
    timeout: float = 60,
    retry: Retry | None = None,
    permission: Permission = "allow",
    capabilities: list[str] | None = None,
    examples: list[str] | None = None,
    instant: bool = False,
    verify: Callable[..., Any] | None = None,
    outside: bool = True,
    untrusted: bool = False,
    egress: tuple[str, ...] = (),
    effect_by: tuple[str, Mapping[str, Effect]] | None = None,
    migrate: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Callable[[Callable[..., Any]], Tool]:
    """Make a tool of the decorated function: its name, docstring and typed parameters become name, description, schema.

    effect: what repeating it after a crash would do (design: pure, idempotent, verify, unsafe).
    timeout: seconds for one attempt. examples: requests, in a user's words, that this tool answers. instant: it only
    computes, for milliseconds, takes no context and is pure. verify: for effect="verify", a function of the context and
    the same arguments that returns the output if the effect has happened and None if it has not; it is asked before an
    attempt that follows one whose end nobody knows.

    outside: False when its effect stays within Perdure. untrusted: its output is content from outside, after which what
    acts on the outside needs an approval. egress: arguments that leave even when nothing is changed (a URL): one that
    the run put together itself counts as acting outside. effect_by: (argument, its value → effect), for what some
    values of an argument do differently. migrate: makes arguments of those written for an earlier version.
    """
    _check_declared(effect, verify, instant=instant)

    def decorate(function: Callable[..., Any]) -> Tool:
        description = inspect.getdoc(function)
        if not description:
            raise TypeError(f"Tool {function.__name__} needs a docstring: it is what the planner reads.")
        return Tool(
            name=function.__name__,
            description=description,
            function=function,
            arguments=_argument_model(function),
            takes_context="context" in inspect.signature(function).parameters,
            effect=effect,
            timeout=timeout,
            retry=retry or Retry(),
            permission=permission,
            capabilities=tuple(capabilities or ()),
            examples=tuple(examples or ()),
            instant=instant,
            verify=verify,
            outside=outside,
            untrusted=untrusted,
            egress=egress,
            effect_by=effect_by,
            migrate=migrate,
        )

    return decorate


def _check_declared(effect: Effect, verify: Callable[..., Any] | None, *, instant: bool) -> None:
    if (effect == "verify") != (verify is not None):
        raise TypeError('effect="verify" and verify=function go together: the one says that the other can be asked.')
    if instant and effect != "pure":
        raise TypeError('instant=True is for effect="pure" only: such a tool is run before its step is recorded.')


def _argument_model(function: Callable[..., Any]) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "context":
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (hints.get(name, Any), default)
    return create_model(f"{function.__name__}_arguments", __config__=ConfigDict(extra="forbid"), **fields)
