"""Documents parted by rules (`---`) or opened by Markdown headings, within a prompt's context."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from policies.documents.context import Block
from policies.documents.document import (
    Collection,
    Document,
    collection,
    document,
    neighbours,
    substantial,
    trimmed,
)
from policies.documents.lines import Line, within
from policies.documents.metadata import CONTENT, content_end, content_start, field_name
from policies.protection.spans import Span

_HEADING = re.compile(r"(#{1,6}) +\S")
_LONGEST_HEADING = 100  # characters of a line that dashes beneath it make a heading
_MEDIAN_BODY, _TOTAL_BODY = 80, 300


def ruled(text: str, lines: Sequence[Line], block: Block) -> Collection | None:
    """What stands between the rules of a context; those that differ from the most frequent rule belong to documents.

    Where nothing announces the context, it takes three documents, none of which begins with a label, and what
    stands before the first rule is none.
    """
    inside = within(lines, *block.span)
    rules = [line for index, line in enumerate(inside) if line.is_rule and not _underlines(inside, index)]
    if not rules:
        return None
    kind = Counter(line.text for line in rules).most_common(1)[0][0]
    bounds = [(line.start, line.end) for line in rules if line.text == kind]
    starts = [block.span[0], *(end for _, end in bounds)]
    ends = [*(start for start, _ in bounds), block.span[1]]
    parts = list(zip(starts, ends, strict=True))
    if block.announced:
        return _real(text, parts)
    labels = {line.start for line in inside if line.label is not None}
    found = _real(text, parts[1:])
    if found is None or len(found.documents) < 3 or any(one.span[0] in labels for one in found.documents):
        return None
    return found


def _underlines(lines: Sequence[Line], index: int) -> bool:
    """Whether a rule makes a heading of the line above it, which stands alone or is the name of a content."""
    if index == 0 or not lines[index - 1].text or lines[index].text[0] not in "-=":
        return False
    title = lines[index - 1].text
    if field_name(title) == CONTENT:
        return True
    alone = index == 1 or not lines[index - 2].text
    return alone and len(title) <= _LONGEST_HEADING and not title.endswith((".", "!", "?", ":", '"'))


def headed(text: str, lines: Sequence[Line], block: Block) -> Collection | None:
    """Sections under headings of the highest level that occurs twice; they end at any heading not below it."""
    inside = [line for line in within(lines, *block.span) if not line.fenced and line.label is None]
    headings = [(len(match[1]), line.start) for line in inside if (match := _HEADING.match(line.text))]
    counts = Counter(level for level, _ in headings)
    level = min((level for level, count in counts.items() if count > 1), default=0)
    bounds = [(depth, start) for depth, start in headings if depth <= level]
    ends = [*(start for _, start in bounds[1:]), block.span[1]]
    parts = [(start, end) for (depth, start), end in zip(bounds, ends, strict=False) if depth == level]
    return _real(text, parts)


def _real(text: str, parts: Sequence[Span]) -> Collection | None:
    spans = [trimmed(text, start, end) for start, end in parts]
    documents = [passage(text, start, end) for start, end in spans if start < end]
    if not documents:
        return None
    documents = list(neighbours(text, documents))
    if not substantial(documents, median_body=_MEDIAN_BODY, total_body=_TOTAL_BODY):
        return None
    return collection(documents)


def passage(text: str, start: int, end: int) -> Document:
    """The document `text[start:end]`, with the title and metadata that it begins and ends with for heads."""
    head = content_start(text, start, end)
    return document((start, end), [(start, head), (content_end(text, head, end), end)])
