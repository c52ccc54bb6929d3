"""What went wrong at the model's endpoint, in one sentence that names the setting to check and holds no secret."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import openai

from services.errors import Failed, Retryable, ToolError
from services.model.endpoints import Endpoint
from services.network import retry_after

_LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][\w*.-]{4,}", re.IGNORECASE)


class RequestRefused(Failed):
    """The endpoint does not take this request (400, 422): perhaps for an option that it lacks."""


class Outage(Retryable):
    """The endpoint is away, fails, is too slow or too busy: another one may serve.

    counts: against it (a limited rate does not). again: whether trying again soon may help.
    """

    def __init__(
        self, detail: str, *, retry_after: float | None = None, counts: bool = True, again: bool = True
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.counts = counts
        self.again = again


@contextmanager
def explained(endpoint: Endpoint) -> Iterator[None]:
    """Turn the SDK's errors into ours. The cause is dropped on purpose: its text may quote the key."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _of_status(error, endpoint) from None
    except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError):
        raise Outage(f"The model at {endpoint.host} did not answer in time (PERDURE_MODEL_TIMEOUT).") from None
    except (openai.APIConnectionError, httpx2.TransportError):
        raise Outage(
            f"The model at {endpoint.host} can't be reached or broke off; check OPENAI_BASE_URL if this stays."
        ) from None
    except (openai.APIResponseValidationError, ValueError):
        raise Outage(
            f"The model at {endpoint.host} sent something that is not OpenAI's format; check OPENAI_BASE_URL."
        ) from None
    except openai.OpenAIError as error:
        raise Outage(f"The model at {endpoint.host} reported: {told(str(error), endpoint)}") from None


def _of_status(error: openai.APIStatusError, endpoint: Endpoint) -> ToolError:
    status, where = error.status_code, f"The model at {endpoint.host}"
    if error.code == "insufficient_quota":
        return Failed(f"{where} says that the quota of this key is used up; check the account of OPENAI_API_KEY.")
    if status == 429:
        return Outage(f"{where} limits the rate of requests.", retry_after=_wait(error), counts=False)
    if status >= 500 or status in {408, 409, 425}:
        return Outage(f"{where} fails at the moment (status {status}).", retry_after=_wait(error))
    if status == 401:
        return Failed(f"{where} does not accept the key; check OPENAI_API_KEY.")
    if status == 403:
        return Failed(f"{where} does not let this key use {endpoint.model}; check OPENAI_API_KEY and PERDURE_MODEL.")
    if status == 404:
        return Failed(
            f"{where} knows no {endpoint.model}, or there is no model at this address; check PERDURE_MODEL, "
            "PERDURE_EMBEDDING_MODEL and OPENAI_BASE_URL (which usually ends in /v1)."
        )
    if status in {400, 422}:
        return RequestRefused(f"{where} refused the request, check PERDURE_MODEL: {told(error.message, endpoint)}")
    return Failed(f"{where} refused the request (status {status}); check OPENAI_BASE_URL.")


def _wait(error: openai.APIStatusError) -> float | None:
    return retry_after.seconds(error.response.headers)


def told(message: str, endpoint: Endpoint) -> str:
    """What the endpoint said, short and without anything that is or looks like a key."""
    for secret in endpoint.secrets:
        message = message.replace(secret, "[key]")
    return _LOOKS_LIKE_A_KEY.sub("[key]", message)[:300]
