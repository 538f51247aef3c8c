"""What a causal model is asked in one piece, and what it holds for a job in between.

Knows token ids and places. Knows no model: only its thread looks into what is held.
L: tokens of a sequence, P: of a prefix, C: size of a state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from compressors.cache import Past
from compressors.reading import TokenIds

Surprisals = npt.NDArray[np.float32]
States = torch.Tensor
"""What the model knew before each token of a sequence; `(L, C)`, on the model's device."""

NOTHING = (0, 0)
_HEAD_SHARE = 16
"""A judgement costs about one in so many of the tokens judged, beside reading them: little in large models."""


class Held:
    """What is known before some tokens: their states, or how surprising they are already."""

    __slots__ = ("__weakref__", "ids", "states", "surprisals")

    def __init__(self, ids: TokenIds, states: States | None = None) -> None:
        self.ids = ids
        self.states = states
        self.surprisals: Surprisals | None = None

    @property
    def nbytes(self) -> int:
        """Memory that it takes on the model's device."""
        return 0 if self.states is None else self.states.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """Tokens to be read after others."""

    prefix: TokenIds
    """`(P,)` int64, at least one token: BOS, an instruction, a question."""
    ids: TokenIds
    """`(L,)` int64."""
    judged: tuple[int, int] = NOTHING
    """The tokens of `ids` whose surprise is wanted at once."""
    held: tuple[int, int] = NOTHING
    """The tokens of `ids` whose surprise may be wanted later."""
    siblings: int = 1
    """Continuations of the same prefix that its job asks for, this one included."""

    def __len__(self) -> int:
        """Tokens that are read, at most."""
        return len(self.prefix) + len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A question for the surprise of tokens that were read before."""

    held: Held

    def __len__(self) -> int:
        """Tokens of reading that it is worth, at least one."""
        return 1 + len(self.held.ids) // _HEAD_SHARE


class Line:
    """One sequence of tokens that a job reads piece by piece. Its past may be forgotten, and is read again."""

    __slots__ = ("__weakref__", "ids", "past")

    def __init__(self) -> None:
        self.ids: TokenIds = np.zeros(0, np.int64)
        """What was read so far, `(L,)` int64."""
        self.past: Past | None = None

    @property
    def nbytes(self) -> int:
        """Memory that it takes on the model's device."""
        return 0 if self.past is None else self.past.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The next tokens of a line.

    May be computed again with the same result, as long as nothing was read behind it.
    """

    line: Line
    kept: int
    """Tokens of the line that stay; what was read behind them is forgotten."""
    ids: TokenIds
    """`(L,)` int64; more than `judged`, so that something stands before those."""
    judged: int
    """How many of the last tokens are to be judged."""

    def __len__(self) -> int:
        """Tokens that are read, as long as the line's past wasn't forgotten."""
        return len(self.ids)


Unit = Continuation | Judgement | Piece


@dataclass(slots=True, eq=False)
class Known:
    """What was found out for a unit."""

    surprisals: Surprisals = field(default_factory=lambda: np.zeros(0, np.float32))
    """Nats of each token that was to be judged."""
    held: Held | None = None
    """What is needed to judge the tokens that a continuation was to hold."""
