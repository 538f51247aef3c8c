"""YAML by the shape of its lines: keys that are names, deeper ones below keys without a value.

Transcripts have keys too, but those repeat; outlines have keys of several words. Nothing is parsed, because
documents are often cut off or hold template markers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_LINE = re.compile(r"[^\n]*+\n?")
_KEY = re.compile(r"""( *+)((?:- +)*+)(["']?)([A-Za-z_$.~/\d<{][\w.$/@~<{}-]{0,80})\3:(?:[ \t]+(.*))?$""")
_ITEM = re.compile(r" *- +\S")
_MARK = re.compile(r"(?:---|\.\.\.)\s*$|\s*#|%YAML|\{\{.*\}\}$")
_SCALAR = re.compile(r"[|>][-+\d]{0,2}\s*(?:#.*)?$|[&!]\S+\s*$")
_PLAIN = re.compile(
    r"""-?\d[\d._]*\w{0,2}$|true$|false$|null$|~$|["'\[{&*!|>]|[\w./:@-]*[./:_@-][\w./:@-]*$"""
)
_FEWEST_KEYS = 3


class _Document:
    """Adjacent lines that may be YAML."""

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.names: set[tuple[int, str]] = set()
        self.keys = self.plain = self.wordy = self.named = 0
        self.deep = self.repeats = False
        self.indent = -1
        """Of the last key."""
        self.open = False
        """Whether the last key has no value, so that deeper ones may follow."""
        self.scalar = False
        """Whether the last key's value is the deeper lines after it."""

    def take(self, line: str) -> bool:
        """Add a line; false if it is none of the document's."""
        depth = len(line) - len(line.lstrip(" "))
        if self.scalar and depth > self.indent:
            return True
        if key := _KEY.match(line):
            self._add(key)
            return True
        if _MARK.match(line) or (self.keys and depth > self.indent and (self.open or self.deep)):
            return True
        return bool(self.keys and depth >= self.indent and (self.open or self.deep) and _ITEM.match(line))

    def _add(self, key: re.Match[str]) -> None:
        indent, value = len(key[1]) + len(key[2]), (key[5] or "").strip()
        if self.keys and ((indent > self.indent and self.open) or (key[2] and key[4][0].islower())):
            self.deep = True
        if indent <= self.indent and not key[2]:
            self.repeats |= (indent, key[4]) in self.names and not self.deep
        self.names.add((indent, key[4]))
        self.keys += 1
        self.named += key[4][0].islower()
        self.plain += not value or _PLAIN.match(value) is not None
        self.wordy += value.count(" ") > 3
        self.scalar = _SCALAR.match(value) is not None
        self.open = not value or self.scalar or value.startswith("#")
        self.indent = indent

    @property
    def is_yaml(self) -> bool:
        """Whether its keys are nested, or names of short values no two of which are alike."""
        if self.keys < _FEWEST_KEYS or self.repeats or (2 * self.named < self.keys and not self.deep):
            return False
        return (self.deep and 4 * self.wordy <= 3 * self.keys) or (
            self.named == self.keys and 2 * self.plain >= self.keys and 4 * self.wordy <= self.keys
        )


def yaml_like(text: str) -> Iterator[Span]:
    """Runs of lines that look like YAML, with at most one empty line between two."""
    document: _Document | None = None
    blanks = 0
    for match in _LINE.finditer(text):
        line = match[0].rstrip()
        if not line:
            blanks += 1
            continue
        if document and (blanks > 1 or not document.take(line[:400])):
            if document.is_yaml:
                yield document.start, document.end
            document = None
        if document is None:
            fresh = _Document(match.start())
            document = fresh if fresh.take(line[:400]) else None
        if document:
            document.end = match.start() + len(line)
        blanks = 0
    if document and document.is_yaml:
        yield document.start, document.end
