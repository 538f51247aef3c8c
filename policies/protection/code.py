"""Program text: fenced, in HTML elements, in formulas, and bare in the prose.

Bare code is told by its lines (`runs.py`). Lists, transcripts of meetings and Markdown headings are not code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.runs import bare_code
from policies.protection.spans import Span

_FENCE = re.compile(
    r"^[ \t>]{0,40}(?:[-*+] {1,4}|\d{1,3}[.)] {1,4})?(`{3,}+|~{3,}+)([^`^\n]*+)$", re.MULTILINE
)
_ELEMENT = re.compile(r"<(/?)(script|style|pre|code|svg|math)\b[^<>]{0,1000}>", re.IGNORECASE)
_FORMULA = re.compile(
    r"\$\$[^$]{1,2000}\$\$|\\\[(?:[^\\]|\\(?![\[\]])){1,2000}\\\]|\\\((?:[^\\\n]|\\(?![()])){1,500}\\\)"
)


def code(text: str) -> Iterator[Span]:
    """Code, diffs, stack traces, shell sessions and formulas, whole lines where they aren't marked up."""
    yield from _fenced(text)
    yield from _elements(text)
    yield from (match.span() for match in _FORMULA.finditer(text))
    yield from bare_code(text)


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
