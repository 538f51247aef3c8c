"""What a training step is made of: examples of several sources by their shares. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from compressors.training.classifier.examples import Example

Draw = tuple[int, Example]
"""The number of a source and an example of it."""


class Mixture:
    """Draws examples so that each source has its share of the tokens at all times.

    Within a source each example comes once before any comes again, in an order that depends on `seed`.
    """

    def __init__(self, sources: Sequence[Sequence[Example]], shares: Sequence[float], *, seed: int) -> None:
        self._sources = sources
        self._shares = np.array(shares) / sum(shares)  # (S,)
        self._seed = seed
        self._orders = [self._order(source, 0) for source in range(len(sources))]
        self.drawn = np.zeros(len(sources), np.int64)
        """Examples of each source so far; `(S,)`."""
        self.tokens = np.zeros(len(sources), np.int64)
        """Tokens of each source so far; `(S,)`."""

    def draw(self, tokens: int) -> list[Draw]:
        """The next examples, of at least so many tokens together."""
        draws = []
        total = 0
        while total < tokens:
            behind = self._shares * (self.tokens.sum() + 1) - self.tokens
            source = int(behind.argmax())
            example = self._next(source)
            draws.append((source, example))
            total += len(example.ids)
        return draws

    def _next(self, source: int) -> Example:
        examples = self._sources[source]
        round_, place = divmod(int(self.drawn[source]), len(examples))
        if place == 0 and round_:
            self._orders[source] = self._order(source, round_)
        example = examples[int(self._orders[source][place])]
        self.drawn[source] += 1
        self.tokens[source] += len(example.ids)
        return example

    def _order(self, source: int, round_: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng((self._seed, source, round_)).permutation(len(self._sources[source]))

    def state(self) -> dict[str, list[int]]:
        """What `restore` needs to go on."""
        return {"drawn": self.drawn.tolist(), "tokens": self.tokens.tolist()}

    def restore(self, state: dict[str, list[int]]) -> None:
        """Go on from a `state`."""
        self.drawn[:] = state["drawn"]
        self.tokens[:] = state["tokens"]
        self._orders = [
            self._order(source, int(drawn) // len(self._sources[source]))
            for source, drawn in enumerate(self.drawn)
        ]
