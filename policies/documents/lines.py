"""A text as lines, with what is fenced code and what is a rule. Knows no
documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from policies.documents.labels import Label, label
from policies.protection.spans import Span

_FENCE = re.compile(r"(?:[-*+>] ?|\d{1,3}[.)] )?(`{3,}+|~{3,}+)([^`]*+)$")
_RULE_MARKS = frozenset("-*_=#")
_RULE = re.compile(r"([-*_=#])(?: ?\1){2,}+$")
_LONGEST_RULE = 200


class Line(NamedTuple):
    """A line without the white space at its ends; blank lines begin and end at their own end."""

    start: int
    end: int
    text: str
    fenced: bool
    """Part of a fenced block of code, fences included."""
    label: Label | None
    """What its first words announce; None in code."""
    content: int
    """Offset at which the text behind its label begins, `end` if there is none."""

    @property
    def is_rule(self) -> bool:
        """Nothing but one of `- * _ = #`, three times or more."""
        text = self.text
        return text[:1] in _RULE_MARKS and not self.fenced and _RULE.match(text, 0, _LONGEST_RULE) is not None


def read(text: str) -> list[Line]:
    """All lines of `text`; never empty."""
    found: list[tuple[int, int, str]] = []
    at = 0
    for whole in text.split("\n"):
        content = whole.strip()
        start = at + len(whole) - len(whole.lstrip())
        found.append((start, start + len(content), content))
        at += len(whole) + 1
    fenced = [False] * len(found)
    for first, last in _fences([content for _, _, content in found]):
        fenced[first : last + 1] = [True] * (last + 1 - first)
    return [_line(*line, fenced=fence) for line, fence in zip(found, fenced, strict=True)]


def _line(start: int, end: int, text: str, *, fenced: bool) -> Line:
    found = None if fenced else label(text)
    return Line(start, end, text, fenced, found and found[0], start + found[1] if found else start)


def _fences(lines: Sequence[str]) -> list[tuple[int, int]]:
    """First and last line of each fenced block; a fence that is never closed, as in a cut chunk, is none."""
    blocks: list[tuple[int, int]] = []
    first, fence = 0, ""
    for index, line in enumerate(lines):
        match = _FENCE.match(line)
        if match is None:
            continue
        if not fence:
            first, fence = index, match[1]
        elif line.startswith(fence) and not match[2].strip():
            blocks.append((first, index))
            fence = ""
    return blocks


def fences(lines: Sequence[Line]) -> list[Span]:
    """The fenced blocks of code."""
    spans: list[Span] = []
    inside = False
    for line in lines:
        if line.fenced and inside:
            spans[-1] = (spans[-1][0], line.end)
        elif line.fenced:
            spans.append((line.start, line.end))
        inside = line.fenced
    return spans


def within(lines: Sequence[Line], start: int, end: int) -> list[Line]:
    """The lines in `[start, end)`; of the line that holds `start`, what stands behind it."""
    found = [line for line in lines if start <= line.end and line.start < end]
    if found and found[0].start < start:
        rest = found[0].text[start - found[0].start :].lstrip()
        found[0] = Line(found[0].end - len(rest), found[0].end, rest, found[0].fenced, None, found[0].end)
    return found
