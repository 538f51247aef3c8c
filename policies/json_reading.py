"""Which strings and pairs of a JSON value the rules about keys speak of.

Owns the paths of keys and the commas that go with a pair. Reads valid JSON only, without recursion; knows
neither where it stands in a text nor how strings are shortened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import NamedTuple

from policies.protection import Span
from policies.rules import JsonRule

DEEPEST = 100
"""Levels of nesting that are read; Python's own parser always gets that far."""
# A string with the colon that makes it a key, a sign, or a number or name.
_TOKEN = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")(\s*+:)?|[\[\]{},]|[^\s"\[\]{},:]++')

Path = tuple[str, ...]


class Reading(NamedTuple):
    """What the rules say of one value."""

    strings: list[tuple[Span, float]]
    """The contents of strings, without quotes, and the share of each that is to stay; ascending, disjoint."""
    holes: list[Span]
    """What goes: pairs with a comma each. In no order; some may lie in others."""


class RuleBook:
    """Looks up which rule decides about a key."""

    def __init__(self, rules: Sequence[JsonRule]) -> None:
        self._rules = rules
        self._depth = max((pattern.count(".") + 1 for rule in rules for pattern in rule.key), default=1)
        self._known: dict[Path, JsonRule | None] = {}

    def path(self, outer: Path, key: str) -> Path:
        """The path of `key` below `outer`, as far back as any pattern looks."""
        return (*outer, key)[-self._depth :]

    def rule(self, path: Path) -> JsonRule | None:
        """The first rule that fits `path`."""
        if path not in self._known:
            fitting = (rule for rule in self._rules if any(_fits(path, pattern) for pattern in rule.key))
            self._known[path] = next(fitting, None)
        return self._known[path]


def _fits(path: Path, pattern: str) -> bool:
    """Whether `pattern` matches the last keys of `path`, or the very last one, dots included."""
    globs = pattern.split(".")
    tail = path[-len(globs) :]
    return fnmatchcase(path[-1], pattern) or (len(tail) == len(globs) and all(map(fnmatchcase, tail, globs)))


def read(text: str, value: Span, book: RuleBook) -> Reading:
    """Apply `book` to the valid JSON `text[slice(*value)]`; one nested deeper than `DEEPEST` is left alone."""
    reading = Reading([], [])
    levels = [_Level((), value[0])]
    last = value[0]  # end of the token before
    for token in _TOKEN.finditer(text, *value):
        level, sign = levels[-1], text[token.start()]
        if token[2]:
            level.begin(token.start(), _name(token[1]), book)
        elif token[1]:
            if level.rule is not None and level.rule.rate is not None:
                reading.strings.append(((token.start() + 1, token.end() - 1), level.rule.rate))
        elif sign in "[{":
            if len(levels) > DEEPEST:
                return Reading([], [])
            levels.append(level.inner(token.start()))
        elif sign in "]}":
            reading.holes.extend(levels.pop().holes(last, token.start()))
        elif sign == ",":
            level.comma = token.start()
        last = token.end()
    return reading


def _name(key: str) -> str:
    return str(json.loads(key)) if "\\" in key else key[1:-1]


class _Pair(NamedTuple):
    start: int
    comma: int
    """Where the comma before it stands, if it isn't the first."""
    removed: bool


@dataclass(slots=True)
class _Level:
    """An object or array that is being read. An array's items belong to the key that the array belongs to."""

    path: Path
    start: int
    rule: JsonRule | None = None
    """Decides about the values that come next."""
    inherited: JsonRule | None = None
    """Decides about everything in it."""
    here: Path = ()
    """Path of the values that come next."""
    comma: int = 0
    """Where its latest comma stands."""
    pairs: list[_Pair] = field(default_factory=list)

    def begin(self, start: int, key: str, book: RuleBook) -> None:
        """Go on to the pair of `key`, which starts at `start`."""
        self.here = book.path(self.path, key)
        self.rule = self.inherited or book.rule(self.here)
        removed = self.rule is not None and self.rule.remove and self.inherited is None
        self.pairs.append(_Pair(start, self.comma, removed))

    def inner(self, start: int) -> _Level:
        """The object or array that starts at `start` as one of its values."""
        whole = self.rule if self.rule is not None and self.rule.rate is None else None
        return _Level(self.here, start, self.rule, whole, self.here)

    def holes(self, last: int, close: int) -> list[Span]:
        """What goes with the removed pairs; `last` ends the last pair, at `close` stands the closing bracket."""
        kept = [index for index, pair in enumerate(self.pairs) if not pair.removed]
        if len(kept) == len(self.pairs):
            return []
        if not kept:
            return [(self.start + 1, close)]
        tail = kept[-1] + 1
        found = [(pair.start, after.start) for pair, after in pairwise(self.pairs[:tail]) if pair.removed]
        if tail < len(self.pairs):
            found.append((self.pairs[tail].comma, last))
        return found
