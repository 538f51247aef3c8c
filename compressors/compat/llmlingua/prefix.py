"""The question that `llmlingua` 0.2.2 puts before the contexts while it judges tokens. Knows no model."""

from __future__ import annotations

import numpy as np

from compressors.compat.llmlingua.codec import Codec
from compressors.compat.llmlingua.parameters import Parameters

JOINT = "\n\n"
_HEAD = 100
"""Tokens that a prefix which is too long keeps of its beginning."""
_SHOWN = 100
"""Characters of the first context that the prefix is tokenized with."""


def hidden_prefix(codec: Codec, settings: Parameters, window: int) -> str:
    """The question and, if wanted, the instruction; shortened so that two segments fit the `window` beside."""
    text = settings.question
    if settings.add_instruction:
        text += JOINT + settings.instruction
    segments = 2 * settings.iterative_size
    if codec.length(text + JOINT) + segments <= window:
        return text
    ids = codec.ids(text)
    tail = len(ids) - window + 2 + _HEAD + segments
    return codec.decode(np.concatenate((ids[:_HEAD], ids[tail:])))


def prefix_tokens(codec: Codec, prefix: str, first: str) -> int:
    """How many tokens of the joined text belong to the `prefix` and its joint; at least 1.

    Where they can't be told apart the package fails; here the boundary is where decoding comes closest.
    """
    whole = prefix + JOINT
    ids = codec.ids(whole + first[:_SHOWN])
    lowest = max(codec.count(whole) - 3, 1)
    for end in range(lowest, len(ids)):
        if codec.decode(ids[:end]) == whole:
            return end
    return max(1, min(codec.count(whole), len(ids)))
