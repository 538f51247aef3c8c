"""What is found: documents and a question, as ranges of a text. Knows no shape that documents come in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from policies.protection.spans import Span, union

_FEWEST = 2  # one document can't be ranked, reordered or dropped


@dataclass(frozen=True, slots=True)
class Document:
    """A unit of a text that goes or stays as a whole."""

    span: Span
    """Everything of it: mark, title, metadata, content, closing tag; not what separates it from its neighbours."""
    heads: tuple[Span, ...]
    """Mark, title, tags, metadata: within `span`, ascending, disjoint; never shortened while the document stays."""

    @property
    def body(self) -> int:
        """Number of characters outside `heads`."""
        return self.span[1] - self.span[0] - sum(end - start for start, end in self.heads)


@dataclass(frozen=True, slots=True)
class Found:
    """What a text holds."""

    documents: tuple[Document, ...] = ()
    """Ascending, disjoint; between two neighbours lies only their separator."""
    question: Span | None = None
    """Where the question stands in this text, if it does."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents that stand together, and the range that they fill with their wrapper."""

    documents: tuple[Document, ...]
    outer: Span

    @property
    def size(self) -> int:
        """Number of characters in documents."""
        return sum(document.span[1] - document.span[0] for document in self.documents)


def trimmed(text: str, start: int, end: int) -> Span:
    """`text[start:end]` without the white space at its ends; `(end, end)` if nothing else is there."""
    part = text[start:end]
    start = end - len(part.lstrip())
    return start, max(start, end - len(part) + len(part.rstrip()))


def document(span: Span, heads: Iterable[Span]) -> Document:
    """A document whose `heads` may overlap, touch, stand in any order, and reach beyond `span`."""
    inside = ((max(start, span[0]), min(end, span[1])) for start, end in heads)
    return Document(span, tuple(union(inside)))


def collection(documents: Sequence[Document], outer: Span | None = None) -> Collection | None:
    """The documents with `outer`, by default from the first to the last; None without any."""
    if not documents:
        return None
    return Collection(tuple(documents), outer or (documents[0].span[0], documents[-1].span[1]))


def substantial(documents: Sequence[Document], *, median_body: int, total_body: int) -> bool:
    """Whether these are at least two, with bodies of at least so many characters in the middle and in all."""
    bodies = [document.body for document in documents]
    return len(bodies) >= _FEWEST and median(bodies) >= median_body and sum(bodies) >= total_body


def neighbours(text: str, documents: Sequence[Document]) -> Sequence[Document]:
    """The largest run of documents that nothing but a separator parts: no letter and no digit, and not long."""
    runs: list[list[Document]] = [list(documents[:1])]
    for left, right in pairwise(documents):
        gap = text[left.span[1] : right.span[0]]
        if len(gap) > 200 or any(map(str.isalnum, gap)):
            runs.append([])
        runs[-1].append(right)
    return max(runs, key=lambda run: sum(document.body for document in run))
