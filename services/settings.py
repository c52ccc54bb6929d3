"""The environment, read once. The only module that looks at it; refuses nonsense by the variable's name.

With neither DATABASE_URL nor REDIS_URL set, the servers that `perdure up` embeds are used; their addresses are in
`<PERDURE_HOME>/stack.json` while it runs.
"""

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.errors import Misconfigured

STACK_FILE = "stack.json"
REDIS_SCHEMES = ("redis", "rediss")
AMQP_SCHEMES = ("amqp", "amqps", "pyamqp")


class Settings(BaseSettings):
    """Every setting of every process. The environment variable is the alias, or `PERDURE_` + the field's name."""

    model_config = SettingsConfigDict(
        env_prefix="PERDURE_",
        case_sensitive=False,
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
    )

    # Where things are
    home: Path = Path(".perdure")
    port: int = Field(8000, alias="PORT", ge=1, le=65535)
    flower_port: int = Field(5555, alias="FLOWER_PORT", ge=1, le=65535)
    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    redis_url: SecretStr | None = Field(None, alias="REDIS_URL")
    broker_url: SecretStr | None = Field(None, alias="BROKER_URL")
    embedded: bool = False
    redis_ca_cert: str | None = Field(None, alias="REDIS_CA_CERT")
    database_pool: int = Field(8, alias="DB_POOL_SIZE", ge=2, le=100)
    database_max_connections: int | None = Field(None, alias="DB_MAX_CONNECTIONS", ge=1)
    processes: Annotated[dict[str, int], NoDecode] = {}

    # The brain
    openai_api_key: SecretStr | None = Field(None, alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, alias="OPENAI_BASE_URL")
    model: str = "gpt-5-mini"
    embedding_model: str | None = None
    model_timeout: float = Field(120, gt=0)
    cheap_model: str | None = None
    fallback_models: Annotated[tuple[str, ...], NoDecode] = ()
    fallback_api_key: SecretStr | None = None
    breaker_failures: int = Field(5, ge=1)
    breaker_seconds: float = Field(15, gt=0)
    max_output_tokens: int = Field(2_048, ge=64)
    prompt_tools: int = Field(16, ge=1)
    context_tokens: int | None = Field(None, ge=2_048)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = None
    prices: Path | None = None

    # The door
    auth: Literal["required", "off"] | None = None
    api_key_pepper: SecretStr = Field(SecretStr("perdure"), alias="API_KEY_PEPPER")
    admin_password: SecretStr | None = Field(None, alias="ADMIN_PASSWORD")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    requests_per_minute: int = Field(1_200, ge=1)
    max_body_bytes: int = Field(1_048_576, ge=1_024)
    max_streams: int = Field(200, ge=1)
    bind: str | None = None
    web_concurrency: int = Field(2, alias="WEB_CONCURRENCY", ge=1, le=64)

    # The command line, as a client of a running stack
    url: str | None = None
    api_key: SecretStr | None = None

    # The hands
    allow_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    tools: Annotated[tuple[str, ...], NoDecode] = ()
    max_steps: int = Field(500, ge=1)
    max_revisions: int = Field(2, ge=0)
    step_timeout: float = Field(60, gt=0)
    step_attempts: int = Field(3, ge=1)
    max_hung_tools: int = Field(200, ge=1)
    deliveries: int = Field(32, ge=1, le=1_000)
    secret_key: SecretStr | None = Field(None, alias="SECRET_KEY")
    public_url: str | None = None
    mcp_list_seconds: float = Field(60, gt=0)
    external_seconds: float = Field(2, gt=0)
    approval_seconds: float = Field(7 * 86_400, gt=0)
    max_delegation_depth: int = Field(4, ge=0)
    max_team: int = Field(100, ge=1)
    max_tree: int = Field(1_000, ge=1)

    # The engine
    heartbeat_seconds: float = Field(2, gt=0)
    lease_seconds: float = Field(8, gt=0)
    sweep_seconds: float = Field(1, gt=0)
    strand_seconds: float = Field(30, gt=0)
    strand_threads: int = Field(100, ge=1, le=1000)
    drain_seconds: float = Field(20, gt=0, le=25)  # a dyno gets 30 s between SIGTERM and SIGKILL

    # Traces
    traces: Literal["off", "otlp"] = "off"
    trace_content: bool = False

    # Only tests set this: where a process kills itself (services/failpoints.py)
    failpoint: str | None = None

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"

    @field_validator("allow_hosts", "tools", "fallback_models", "cors_origins", mode="before")
    @classmethod
    def _split_on_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^/?#*]+", origin):
                raise ValueError(f"{origin!r} is no origin; write https://app.example, without a path")
        return value

    @field_validator("database_url", mode="before")
    @classmethod
    def _name_the_driver(cls, value: object) -> object:
        return _encrypted(_with_driver(value)) if isinstance(value, str) else value

    @field_validator("redis_url", "broker_url", mode="before")
    @classmethod
    def _know_the_scheme(cls, value: object, info: ValidationInfo) -> object:
        schemes = REDIS_SCHEMES if info.field_name == "redis_url" else REDIS_SCHEMES + AMQP_SCHEMES
        if isinstance(value, str) and value.partition("://")[0] not in schemes:
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    @field_validator("processes", mode="before")
    @classmethod
    def _count_processes(cls, value: object) -> object:
        """`web=1,execution=3` as Heroku's `ps:scale` says it."""
        if not isinstance(value, str):
            return value
        parts = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        if not all(name and count.isdigit() for name, _, count in parts):
            raise ValueError("must be like web=1,execution=3")
        return {name: int(count) for name, _, count in parts}

    @property
    def call_connections(self) -> int:
        """How many of a process's database connections are for calls of functions; the others are for sessions."""
        return max(self.database_pool * 3 // 4, 1)

    @property
    def auth_required(self) -> bool:
        """Keys are asked for unless switched off; on the embedded servers they are off unless switched on."""
        return self.auth == "required" or (self.auth is None and not self.embedded)

    @property
    def listen_on(self) -> str:
        """The address that the gateway binds: this machine alone as long as it asks for no key (but for a dyno)."""
        return self.bind or ("0.0.0.0" if self.auth_required or on_heroku() else "127.0.0.1")

    @property
    def model_configured(self) -> bool:
        """Whether a model endpoint is set; if not, the offline brain plans and answers."""
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of Postgres. Raises Misconfigured when neither set nor embedded and running."""
        return _reveal(self.database_url, "DATABASE_URL")

    @property
    def redis(self) -> str:
        """The URL of the Redis-protocol server. Raises Misconfigured when neither set nor embedded and running."""
        return _reveal(self.redis_url, "REDIS_URL")

    @property
    def broker(self) -> str:
        """The URL of Celery's broker: BROKER_URL, else the Redis server."""
        return self.broker_url.get_secret_value() if self.broker_url else self.redis


def _with_driver(url: str) -> str:
    """Heroku says `postgres://`; SQLAlchemy wants the driver named."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must start with postgres:// or postgresql://")
    return f"postgresql+psycopg://{rest}"


def _encrypted(url: str) -> str:
    """A dyno's Postgres is across a network: TLS, whatever the URL forgot to say. Its certificate is self-signed."""
    parts = urlsplit(url)
    if not on_heroku() or "sslmode=" in parts.query or parts.hostname in (None, "localhost", "127.0.0.1", "::1"):
        return url
    return parts._replace(query="&".join(filter(None, [parts.query, "sslmode=require"]))).geturl()


def _reveal(url: SecretStr | None, name: str) -> str:
    if url is None:
        raise Misconfigured(
            f"{name} is not set and no embedded server runs: start one with `perdure up`, or set {name}."
        )
    return url.get_secret_value()


@lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process. Raises Misconfigured naming each faulty variable."""
    try:
        settings = Settings()
    except ValidationError as error:
        faults = "; ".join(f"{_variable(fault['loc'])} {fault['msg']}" for fault in error.errors())
        raise Misconfigured(f"The environment can't be used: {faults}.") from error
    return _with_embedded_servers(settings)


def _with_embedded_servers(settings: Settings) -> Settings:
    """Fill in the addresses of the running embedded servers where none is set."""
    stack = settings.home / STACK_FILE
    if (settings.database_url and settings.redis_url) or not stack.exists():
        return settings
    addresses = json.loads(stack.read_text())
    return settings.model_copy(
        update={
            "database_url": settings.database_url or SecretStr(_with_driver(addresses["database_url"])),
            "redis_url": settings.redis_url or SecretStr(addresses["redis_url"]),
            "embedded": settings.database_url is None,
        }
    )


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "?"
    return name if name.isupper() else f"PERDURE_{name.upper()}"


def on_heroku() -> bool:
    """Whether this process runs in a dyno, whose disk is lost at every restart."""
    return "DYNO" in os.environ
