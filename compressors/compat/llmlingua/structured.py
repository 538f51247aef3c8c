"""Texts with tags that give their parts rates of their own, as `llmlingua` 0.2.2 reads them. Knows no model.

A tag is `<llmlingua, rate=0.3, compress=False>…</llmlingua>`; both attributes may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from compressors.compat.llmlingua.codec import Codec
from compressors.compat.llmlingua.contexts import Context, Run
from compressors.compat.llmlingua.prefix import JOINT
from compressors.compat.llmlingua.schedule import Schedule, run_lengths
from compressors.errors import CompressionError
from compressors.reading import TokenIds

_OPENING, _CLOSING = "<llmlingua", "</llmlingua>"
_RATE = r"(?:,\s*rate\s*=\s*(?P<rate{0}>[\d.]+))?\s*"
_COMPRESS = r"(?:,\s*compress\s*=\s*(?P<compress{0}>True|False))?\s*"
_TAGGED = re.compile(
    rf"{_OPENING}\s*{_RATE.format(1)}{_COMPRESS.format(1)}{_RATE.format(2)}{_COMPRESS.format(2)}"
    rf">(?P<text>[^<]+){_CLOSING}"
)
_SIGHT = 3
"""Tokens that are decoded together to find out what the last of them spells."""


def tagged(number: int, text: str, rate: float) -> Context:
    """The context that a text with tags stands for; `rate` is that of parts without one.

    What stands outside of tags or holds a `<` is lost, as it is in the package; a text that begins or ends
    without a tag gets one there. Raises `CompressionError` for a rate that isn't a number up to 1.
    """
    if not text.startswith(_OPENING):
        text = f"{_OPENING}>{text}"
    if not text.endswith(_CLOSING):
        text += _CLOSING
    parts = [(match["text"], _run(match, rate)) for match in _TAGGED.finditer(text)]
    plain = "".join(part for part, _ in parts)
    return Context(number, plain, ((0, len(plain)),), tuple(run for _, run in parts))


def _run(match: re.Match[str], default: float) -> Run:
    compress = (match["compress1"] or match["compress2"] or "True") == "True"
    given = match["rate1"] or match["rate2"] or "0"
    try:
        rate = float(given)
    except ValueError as error:
        raise CompressionError(f"rate={given} in a tag is no number") from error
    if rate > 1:
        raise CompressionError(f"rate={given} in a tag; allowed are rates up to 1")
    return Run(len(match["text"]), rate or (default if compress else 1.0), compress)


def tag_schedule(codec: Codec, whole: str, start: int, contexts: Sequence[Context], size: int) -> Schedule:
    """The parts of `whole`, which ends in `contexts` joined, from token `start` on, by the rates of what they spell.

    Raises `CompressionError` where only offsets tell what they spell, and the tokenizer has none.
    """
    runs = [run for context in contexts[:-1] for run in _with_joint(context)]
    if contexts:
        runs += contexts[-1].runs or ()
    lengths = _lengths(codec, whole, start, sum(run.characters for run in runs))
    return run_lengths(_token_rates(lengths, _merged(runs)), size)


def _with_joint(context: Context) -> list[Run]:
    *first, last = context.runs or (Run(0, 1.0, True),)
    return [*first, last._replace(characters=last.characters + len(JOINT))]


def _merged(runs: Sequence[Run]) -> list[Run]:
    groups = groupby(runs, key=lambda run: (run.rate, run.compress))
    return [Run(sum(run.characters for run in group), *key) for key, group in groups]


def _token_rates(lengths: Sequence[int], runs: Sequence[Run]) -> Iterator[float]:
    """The rate of each token: 1 if it ends in or after a run that stays whole, else the least it touches.

    `lengths` are the characters that each token adds.
    """
    place, seen = 0, 0
    for length in lengths:
        spelled = length
        touched = []
        while spelled and place < len(runs) and spelled >= runs[place].characters - seen:
            touched.append(runs[place])
            spelled -= runs[place].characters - seen
            place, seen = place + 1, 0
        if place < len(runs) and (spelled or not touched):
            touched.append(runs[place])
        seen += spelled
        yield (
            1.0
            if any(not run.compress for run in touched)
            else min((run.rate for run in touched), default=1.0)
        )


def _lengths(codec: Codec, whole: str, start: int, characters: int) -> list[int]:
    """How many of the last `characters` of `whole` each token from `start` on adds."""
    ids = codec.ids(whole)[start:]
    spelled = [_spelled(codec, ids, token) for token in range(len(ids))]
    if sum(spelled) <= characters:
        return spelled
    # bytes of one character are a character each when decoded alone, and the package runs out of text
    ends = codec.offsets(whole)[start:, 1] - (len(whole) - characters)  # (T,)
    reached = np.maximum.accumulate(np.maximum(ends, 0))
    lengths: list[int] = np.diff(reached, prepend=0).tolist()
    return lengths


def _spelled(codec: Codec, ids: TokenIds, token: int) -> int:
    """The number of characters that a token adds to those before it."""
    first = 0 if token < _SIGHT else token - _SIGHT + 1
    return len(codec.decode(ids[first : token + 1])) - len(codec.decode(ids[first:token]))
