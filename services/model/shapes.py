"""What goes to a model and what comes back."""

from dataclasses import dataclass
from typing import Literal, TypedDict


class Message(TypedDict):
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Usage:
    """Tokens as the endpoint counted them; zeros when it does not say. cached_tokens are part of prompt_tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )

    def to_wire(self) -> dict[str, int]:
        return {
            "promptTokens": self.prompt_tokens,
            "completionTokens": self.completion_tokens,
            "cachedTokens": self.cached_tokens,
        }


@dataclass(frozen=True)
class Completion:
    """What the model wrote. model: as the endpoint names it, which may be more exact than the setting."""

    text: str
    usage: Usage
    model: str
