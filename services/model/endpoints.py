"""Where the model is, and what this process has learnt that it can't do. Read from the settings at every call."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

import openai

from services import settings
from services.errors import Failed

Format = Literal["json_schema", "json_object", "text"]
FORMATS: tuple[Format, ...] = ("json_schema", "json_object", "text")
CONNECT_SECONDS = 10.0
_NO_KEY = "none"  # The SDK insists on a key; servers that need none ignore it.


@dataclass
class Endpoint:
    """One model at one address. `host` is what errors may name; key and full URL stay inside.

    formats: the response formats to try, best first. counts_streams: whether it tells the usage of a stream.
    """

    client: openai.OpenAI = field(repr=False)
    host: str
    model: str
    secrets: tuple[str, ...] = field(repr=False)
    formats: tuple[Format, ...] = FORMATS
    counts_streams: bool = True

    @property
    def output_limit(self) -> str:
        """The parameter that limits how many tokens are written: OpenAI's own, or what all others know."""
        return "max_completion_tokens" if self.host == "api.openai.com" else "max_tokens"

    def settle_on(self, chosen: Format) -> None:
        """Remember that the better formats than this one are refused here."""
        if chosen in self.formats:  # Another thread may have given up on it meanwhile.
            self.formats = self.formats[self.formats.index(chosen) :]


def current(model: str | None = None) -> Endpoint:
    """The endpoint that the settings name, for that model or theirs. Raises Failed when none is set."""
    now = settings.current()
    if not now.model_configured:
        raise Failed("No model is configured: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server that needs no key.")
    key = now.openai_api_key.get_secret_value() if now.openai_api_key else _NO_KEY
    return _endpoint(now.openai_base_url, key, model or now.model)


def fallbacks() -> list[Endpoint]:
    """The endpoints of PERDURE_FALLBACK_MODELS: `model` where the first one is, or `model@base-url` elsewhere.

    Elsewhere gets PERDURE_FALLBACK_API_KEY, or none: the key of one endpoint is never shown to another.
    """
    now, found = settings.current(), []
    for named in now.fallback_models:
        model, separator, url = named.partition("@")
        if not separator:
            found.append(current(model))
            continue
        key = now.fallback_api_key.get_secret_value() if now.fallback_api_key else _NO_KEY
        found.append(_endpoint(url, key, model))
    return found


@lru_cache(maxsize=16)
def _endpoint(base_url: str | None, key: str, model: str) -> Endpoint:
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    address = urlsplit(str(client.base_url))
    secrets = tuple(secret for secret in (key, address.password) if secret and secret != _NO_KEY)
    return Endpoint(client, address.netloc.rpartition("@")[2], model, secrets)
