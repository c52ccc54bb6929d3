"""What every embedder gives back: vectors, and the space they live in."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Embedded:
    """space: `<model>:<dimensions>`; only vectors of one space are ever compared. vectors: (texts, dimensions), unit
    length, float32.
    """

    space: str
    vectors: NDArray[np.float32]

    def as_text(self) -> list[str]:
        """Each vector as pgvector reads it: `[0.1,0.2,…]`."""
        return [f"[{','.join(f'{number:.6g}' for number in vector)}]" for vector in self.vectors.tolist()]


class Embedder(Protocol):
    """Turns texts into vectors. Raises Unavailable when it can't."""

    def embed(self, texts: list[str]) -> Embedded: ...
