"""Program text: fenced, in HTML elements, in formulas, and bare in the prose.

Bare code is told by its lines: a run of lines is code if enough of them can hardly be anything else. Lists,
transcripts and Markdown headings are not code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.code_lines import Look, look_at
from policies.protection.spans import Span

_FENCE = re.compile(
    r"^[ \t>]{0,40}(?:[-*+] {1,4}|\d{1,3}[.)] {1,4})?(`{3,}+|~{3,}+)([^`\n]*+)$", re.MULTILINE
)
_ELEMENT = re.compile(r"<(/?)(script|style|pre|code|svg|math)\b[^<>]{0,1000}>", re.IGNORECASE)
_FORMULA = re.compile(
    r"\$\$[^$]{1,2000}\$\$|\\\[(?:[^\\]|\\(?![\[\]])){1,2000}\\\]|\\\((?:[^\\\n]|\\(?![()])){1,500}\\\)"
)
_LINE = re.compile(r"[^\n]+")
_HEAD = 250  # characters of a line that are looked at
_MOST_BLANK = 2  # blank lines within a run


def code(text: str) -> Iterator[Span]:
    """Code, diffs, stack traces, shell sessions and formulas, whole lines where they aren't marked up."""
    yield from _fenced(text)
    yield from _elements(text)
    yield from (match.span() for match in _FORMULA.finditer(text))
    yield from _bare(text)


def _fenced(text: str) -> Iterator[Span]:
    """Fenced blocks by CommonMark's rule: closed by a bare fence at least as long, or by the text's end."""
    start, fence = 0, ""
    for match in _FENCE.finditer(text):
        if not fence:
            start, fence = match.start(), match[1]
        elif match[1].startswith(fence) and not match[2].strip():
            yield start, match.end()
            fence = ""
    if fence:
        yield start, len(text)


def _elements(text: str) -> Iterator[Span]:
    """Elements whose content is code; an element that isn't closed is none."""
    start, name = 0, ""
    for match in _ELEMENT.finditer(text):
        if not match[1] and not name:
            start, name = match.start(), match[2].lower()
        elif match[1] and match[2].lower() == name:
            yield start, match.end()
            name = ""


class _Run:
    """Adjacent lines that may be code."""

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.lines = self.strong = 0
        self.diff = False

    def add(self, end: int, look: Look) -> None:
        self.end = end
        self.lines += 2 if look is Look.PACKED else 1
        self.strong += look is not Look.HINT
        self.diff |= look is Look.DIFF

    @property
    def is_code(self) -> bool:
        return self.lines > 1 and 8 * self.strong >= self.lines and self.strong > 0


def _bare(text: str) -> Iterator[Span]:
    """Runs of two lines or more, or a packed one, none of which is prose and one in eight certainly code."""
    run: _Run | None = None
    for line in _LINE.finditer(text):
        start, end = line.span()
        look = look_at(text[start : min(end, start + _HEAD)], in_diff=run is not None and run.diff)
        if look is Look.BLANK:
            continue
        if run and (look is Look.PROSE or text.count("\n", run.end, start) > _MOST_BLANK + 1):
            if run.is_code:
                yield run.start, run.end
            run = None
        if look is not Look.PROSE:
            run = run or _Run(start)
            run.add(end, look)
    if run and run.is_code:
        yield run.start, run.end
