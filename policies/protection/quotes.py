"""Quoted strings and inline code: short, on one line, with both ends. Apostrophes are not quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

# Each alternative begins with its mark, so that the search skips from mark to mark.
_QUOTE = re.compile(
    r"""
    "(?<!\w")(?=\S)[^"\n]{1,200}(?<=\S)"(?!\w)
  | '(?<!\w')(?=[^\s'])(?:[^'\n]|'(?=\w)){1,80}(?<=\S)'(?!\w)
  | “[^“”\n]{1,200}[”“] | „[^„“”\n]{1,200}[“”] | ‚[^‚‘’\n]{1,200}[‘’]
  | ‘(?<!\w‘)(?:[^‘’\n]|’(?=\w)){1,200}’(?!\w)
  | «[^«»\n]{1,200}» | »[^«»\n]{1,200}« | ‹[^‹›\n]{1,200}› | ›[^‹›\n]{1,200}‹
  | 「[^「」\n]{1,200}」 | 『[^『』\n]{1,200}』 | 《[^《》\n]{1,200}》
  | 〈[^〈〉\n]{1,200}〉 | 【[^【】\n]{1,200}】 | 〔[^〔〕\n]{1,200}〕
    """,
    re.VERBOSE,
)
_INLINE_CODE = re.compile(r"`(?<!``)(?:[^`\n]{1,200}`|`(?:[^`\n]|`(?!`)){1,200}``|``[^`\n]{1,1000}```)(?!`)")


def quotes(text: str, start: int, end: int) -> Iterator[Span]:
    """Quotations of at most 200 characters, with their marks, in `text[start:end]`."""
    return (match.span() for match in _QUOTE.finditer(text, start, end))


def inline_code(text: str, start: int, end: int) -> Iterator[Span]:
    """Code between backticks on one line, in `text[start:end]`."""
    return (match.span() for match in _INLINE_CODE.finditer(text, start, end))
