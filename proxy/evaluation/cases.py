"""What is evaluated: a text with a question and its gold answers, one with kept and dropped words, or a chat request.

Owns the kinds of case. Knows no file formats, no methods and no measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compressors import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question whose answer stands in a text."""

    place: str
    """`file:line` of the row it comes from."""
    text: str
    question: str
    answers: tuple[str, ...]
    """Any of these is right; at least one."""
    documents: tuple[Span, ...] = ()
    """The documents in `text`; none where it is a single context."""
    gold: int | None = None
    """Which of `documents` holds the answer, from 0."""

    @property
    def passages(self) -> list[str]:
        """The documents' texts."""
        return [self.text[start:end] for start, end in self.documents]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A text whose words a reference kept (1) or dropped (0)."""

    place: str
    text: str
    question: str
    words: tuple[Span, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text that a chat request brings to the model."""

    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A chat request: what its conversation has said so far, but for the model's own answers."""

    place: str
    conversation: str
    """Its name; each of a conversation's requests holds all that was said before."""
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The cases of one file."""

    name: str
    cases: tuple[Case, ...]
    labelled: tuple[Labelled, ...]
    messages: tuple[Message, ...] = ()
    """Of the last request of each conversation; each text once, as instructions stand in all of them."""

    @property
    def texts(self) -> list[str]:
        """All that methods shorten to a rate."""
        return [case.text for case in self.cases] + [message.text for message in self.messages]


def joined(documents: Sequence[str]) -> tuple[str, tuple[Span, ...]]:
    """The documents with blank lines between them, and where each stands."""
    spans, at = [], 0
    for document in documents:
        spans.append((at, at + len(document)))
        at += len(document) + len(_BLANK_LINE)
    return _BLANK_LINE.join(documents), tuple(spans)


_BLANK_LINE = "\n\n"
