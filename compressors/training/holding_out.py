"""Which documents a training leaves aside to see how well it does. Knows their names, and what rows call them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

ONE_IN = 40
"""Of so many documents, one is held out."""
_FEWEST = 8
"""Documents held out of a small source, but never more than a quarter of it."""
_NAMES = ("document", "conversation", "meeting", "id")
"""Fields that say what a row is a part of; the first that is there does."""
_ASKED = re.compile(r"-s\d+$")


def document_of(row: Mapping[str, Any]) -> str | None:
    """What a row is a part of; None where it doesn't say.

    An `id` like `Bdb001-s0`, that of a question about a meeting, stands for the meeting.
    """
    for name in _NAMES:
        if row.get(name) is not None:
            found = str(row[name])
            return _ASKED.sub("", found) if name == "id" else found
    return None


def choose(groups: Iterable[str]) -> frozenset[str]:
    """Those with the lowest digests of `groups`, so that a document is mostly held out of every file that has it."""
    ordered = sorted(groups)
    count = max(len(ordered) // ONE_IN, min(_FEWEST, len(ordered) // 4), 1)
    return frozenset(ordered[:count])
