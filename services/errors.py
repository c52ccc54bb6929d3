"""Every error that Perdure raises itself. The class owns its title, its HTTP status and whether trying again helps.

PerdureError
├── BadInput               400  the caller sent something that can't be used; names field and remedy
│   └── PlanRefused        422  a plan breaks the plan rules
├── NotAuthenticated       401
├── NotAllowed             403
├── NotFound               404
├── Conflict               409  the thing is not in a state that allows this
├── Gone                   410  it was there, and its time is over
├── IdempotencyMismatch    422  same key, other body
├── TooLarge               413
├── TooMany                429  the caller asks too often; says when it may again
├── Unavailable            503  a part we need (database, broker, model) does not answer; retryable
├── Misconfigured               the settings make no sense; raised at start
└── ToolError                   what a tool raises on purpose
    ├── Retryable               may work on the next attempt; carries retry_after seconds
    ├── Failed                  will not work however often it is tried; the sentence is for the model and the user
    │   ├── NotPermitted        the policy denies the call
    │   ├── Rejected            a person refused the call
    │   ├── Unanswered          nobody decided or answered in time
    │   └── BudgetExceeded      a budget is used up
    └── Cancelled               the run was cancelled while the tool worked
"""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One faulty field. `pointer` is an RFC 6901 JSON pointer in URI fragment form (`#/plan/steps/2/tool`)."""

    pointer: str
    detail: str

    def to_wire(self) -> dict[str, str]:
        return asdict(self)


class PerdureError(Exception):
    """Something went wrong in a way we know; the message is one sentence for the person who can mend it."""

    title = "Something went wrong"
    status = 500

    def __init__(self, detail: str, *, errors: list[FieldError] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []

    def to_problem(self) -> dict[str, Any]:
        """The RFC 9457 body of this error."""
        problem: dict[str, Any] = {
            "type": f"urn:perdure:problem:{_kebab(type(self).__name__)}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            problem["errors"] = [error.to_wire() for error in self.errors]
        return problem


class BadInput(PerdureError):
    """The caller sent something that can't be used."""

    title = "The request can't be used as it is"
    status = 400


class PlanRefused(BadInput):
    """A plan breaks the plan rules; `errors` names each step and field."""

    title = "The plan breaks the plan rules"
    status = 422


class NotAuthenticated(PerdureError):
    """No API key, or one that is not known."""

    title = "A valid API key is needed"
    status = 401


class NotAllowed(PerdureError):
    """The key is known but may not do this."""

    title = "This key may not do that"
    status = 403


class NotFound(PerdureError):
    """No such thing for this tenant."""

    title = "Not found"
    status = 404


class Conflict(PerdureError):
    """The thing is not in a state that allows this."""

    title = "Not possible in the present state"
    status = 409


class Gone(PerdureError):
    """It was there, and its time is over."""

    title = "No longer possible"
    status = 410


class IdempotencyMismatch(PerdureError):
    """The same Idempotency-Key came with another body."""

    title = "This Idempotency-Key was used with another request"
    status = 422


class TooLarge(PerdureError):
    """The body is larger than we take."""

    title = "The request body is too large"
    status = 413


class TooMany(PerdureError):
    """The caller asks too often. retry_after: seconds until it may again."""

    title = "Too many requests"
    status = 429

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(PerdureError):
    """A part we need does not answer. Trying again later helps."""

    title = "A part of the system does not answer"
    status = 503


class Misconfigured(PerdureError):
    """The settings make no sense; the sentence names the setting."""

    title = "The settings can't work"


class ToolError(PerdureError):
    """What a tool raises on purpose. The sentence goes to the model and the user, so it holds no secret."""

    title = "A tool failed"

    @property
    def kind(self) -> str:
        """What sort of error, for programs: `address_refused`, `failed`, …"""
        return _kebab(type(self).__name__).replace("-", "_")


class Retryable(ToolError):
    """May work on the next attempt.

    `retry_after`: seconds that the other side asked us to wait, or None to use the step's own backoff.
    """

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Failed(ToolError):
    """Will not work however often it is tried."""


class NotPermitted(Failed):
    """The policy denies the call."""


class Rejected(Failed):
    """A person refused the call."""


class Unanswered(Failed):
    """Nobody decided or answered in time."""


class BudgetExceeded(Failed):
    """A budget is used up; on_exceed is what it says is to be done then: stop, degrade or ask."""

    def __init__(self, detail: str, *, on_exceed: str) -> None:
        super().__init__(detail)
        self.on_exceed = on_exceed


class Cancelled(ToolError):
    """The run was cancelled while the tool worked."""


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
