"""Documents by the operator's own regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.documents.document import Collection, Document, collection, document
from policies.protection.spans import Span


def matched(text: str, pattern: str) -> Collection | None:
    """What `pattern` matches, or its group `document` or else its first; `^` and `$` match at lines.

    A group `title` is a head. Where it stands outside the document, the whole match is the document and all of
    it but the group a head, so that no title is left behind.
    """
    return collection(list(_documents(text, re.compile(pattern, re.MULTILINE))))


def _documents(text: str, pattern: re.Pattern[str]) -> Iterator[Document]:
    for match in pattern.finditer(text):
        span = _wanted(match, "document")
        title = match.span("title") if "title" in pattern.groupindex else (-1, -1)
        if title[0] < title[1] and not span[0] <= title[0] <= title[1] <= span[1]:
            yield document(match.span(), [(match.start(), span[0]), (span[1], match.end())])
        elif span[0] < span[1]:
            yield document(span, [title] if title[0] < title[1] else [])


def matches(text: str, pattern: str) -> list[Span]:
    """What `pattern` matches, or its group `question` or else its first; ascending, not empty."""
    found = [_wanted(match, "question") for match in re.finditer(pattern, text, re.MULTILINE)]
    return [span for span in found if span[0] < span[1]]


def _wanted(match: re.Match[str], name: str) -> Span:
    """The group `name`, else the first group that isn't called otherwise, else the whole match."""
    names = match.re.groupindex
    if name in names:
        return match.span(name)
    others = set(names.values())
    first = next((number for number in range(1, match.re.groups + 1) if number not in others), 0)
    return match.span(first)
