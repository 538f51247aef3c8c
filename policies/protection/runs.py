"""Runs of adjacent lines that are code together. Knows no languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.code_lines import Look, look_at
from policies.protection.comments import end_of_comment
from policies.protection.spans import Span

_LINE = re.compile(r"[^\n]+")
_HEAD = 250  # characters of a line that are looked at
_MOST_BLANK = 2  # blank lines within a run
_MOST_LOOSE = 3  # lines in a row that are code because of those around them
_LONGEST_ANSWER = 60  # lines that a program prints between two prompts
_NO_CODE = frozenset((Look.PROSE, Look.LOOSE, Look.GAP))
_ALONE = frozenset((Look.PACKED, Look.PROMPT))


class _Run:
    """Adjacent lines that may be code, the first of which is by itself."""

    def __init__(self, span: Span, look: Look) -> None:
        self.start, self.end = span
        self.tail = self.end
        self.lines = self.strong = self.waiting = 0
        self.diff = self.session = self.parted = False
        self._add(self.end, look)

    def take(self, span: Span, look: Look, *, blanks: int) -> bool:
        """Add a line that follows after `blanks` empty ones; false if it begins something else."""
        if blanks > _MOST_BLANK or look is Look.GAP:
            return False
        if look in _NO_CODE:
            return self._wait(span[1], look, after_blank=blanks > 0)
        if self.waiting and self.parted and blanks and not self.session:
            return False  # what waits stands by itself, between empty lines
        self._add(span[1], look)
        return True

    def _add(self, end: int, look: Look) -> None:
        self.end = self.tail = end
        self.lines += 2 if look in _ALONE else 1
        self.strong += look is not Look.HINT
        self.diff |= look is Look.DIFF
        self.session |= look is Look.PROMPT
        self.waiting = 0

    def _wait(self, end: int, look: Look, *, after_blank: bool) -> bool:
        """Keep a line that is no code by itself, but may be some because of the lines after it."""
        if self.waiting == 0:
            self.parted = after_blank
        self.waiting += 1
        loose = look is Look.LOOSE and self.waiting <= _MOST_LOOSE
        if loose and self.session and not after_blank:
            self.tail = end  # the answer to the last prompt
        return loose or (self.session and self.waiting <= _LONGEST_ANSWER)

    @property
    def is_code(self) -> bool:
        """Whether it has two lines or a packed one, and one line in eight can hardly be anything but code."""
        return self.lines > 1 and 8 * self.strong >= self.lines and self.strong > 0


def bare_code(text: str) -> Iterator[Span]:
    """Runs of lines none of which is prose, but for comments and what programs print in a terminal."""
    run: _Run | None = None
    comment = last = 0
    for line in _LINE.finditer(text):
        start, end = line.span()
        look = look_at(text[start : min(end, start + _HEAD)], in_diff=run is not None and run.diff)
        if look is Look.BLANK:
            continue
        if start < comment and look in _NO_CODE:
            look = Look.HINT
        elif start >= comment and look not in _NO_CODE:
            comment = end_of_comment(text, start, end)
        if run and not run.take((start, end), look, blanks=text.count("\n", last, start) - 1):
            if run.is_code:
                yield run.start, run.tail
            run = None
        if run is None and look not in _NO_CODE:
            run = _Run((start, end), look)
        last = end
    if run and run.is_code:
        yield run.start, run.tail
