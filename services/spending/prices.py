"""What a model's tokens cost: prices.json, and before it the file that PERDURE_PRICES names."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson

from services import settings
from services.errors import Misconfigured

_MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens. cached: of input tokens that the endpoint had in its cache."""

    input: float
    cached: float
    output: float

    def of(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """What so many tokens cost; the cached ones are part of the input."""
        fresh = input_tokens - cached_tokens
        return (fresh * self.input + cached_tokens * self.cached + output_tokens * self.output) / _MILLION


def of_model(model: str) -> Price | None:
    """The price of a model, known by its name or by that with a date after it; None when nobody said."""
    known = _known()
    fitting = [name for name in known if model == name or model.startswith(f"{name}-20")]
    return known[max(fitting, key=len)] if fitting else None


@lru_cache(maxsize=1)
def _known() -> dict[str, Price]:
    own = settings.current().prices
    found = _read(Path(__file__).parent / "prices.json")
    return found | _read(own) if own else found


def _read(path: Path) -> dict[str, Price]:
    try:
        models = orjson.loads(path.read_bytes())["models"]
        return {
            name: Price(row["input"], row.get("cached", row["input"]), row["output"]) for name, row in models.items()
        }
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Misconfigured(
            f"PERDURE_PRICES names {path}, which can't be used: {type(error).__name__}: {error}."
        ) from error
