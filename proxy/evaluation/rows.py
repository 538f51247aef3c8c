"""From a row of JSON to a case, whichever of the known shapes the row has.

Owns the shapes and what is said about a row that fits none. Knows no files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from compressors import Span
from proxy.dialects import chat
from proxy.errors import MalformedJsonError
from proxy.evaluation.cases import Case, Labelled, Message, Request, joined

_NUMBERED = re.compile(r"^Document \[\d+\]\(Title: ", re.MULTILINE)
_QUESTION = "\n\nQuestion:"

Row = Case | Labelled | Request


class RowError(Exception):
    """A row that can't be used; the message names the file, the line, the field and what is allowed."""


class _Row:
    """A row's fields by name and type. Errors name types, never values: rows may be private."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self.values = values
        self.place = place

    def error(self, field: str, allowed: str, found: object) -> RowError:
        shown = "an empty one" if found in ("", []) else type(found).__name__
        return RowError(f"{self.place}: {field}: expected {allowed}, found {shown}")

    def text(self, field: str) -> str:
        value = self.values.get(field)
        if not isinstance(value, str) or not value.strip():
            raise self.error(field, "a text", value)
        return value

    def items(self, field: str) -> list[Any]:
        value = self.values.get(field)
        if not isinstance(value, list) or not value:
            raise self.error(field, "a list", value)
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        for number, value in enumerate(self.items(field)):
            if not isinstance(value, str) or not value.strip():
                raise self.error(f"{field}.{number}", "a text", value)
        return tuple(self.items(field))

    def index(self, field: str, count: int, first: int = 0) -> int:
        """The field as an index from 0, of `count` that are numbered from `first`."""
        value = self.values.get(field)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(field, "a number", value)
        if not first <= value < first + count:
            raise RowError(f"{self.place}: {field}: {value} isn't in {first}..{first + count - 1}")
        return value - first


def case_of(values: object, place: str) -> Row:
    """The case that a row describes; raises `RowError` at `place` if it has none of the known shapes."""
    if not isinstance(values, dict):
        raise RowError(f"{place}: expected a JSON object, found {type(values).__name__}")
    for fields, parse in _SHAPES.items():
        if values.keys() >= set(fields):
            return parse(_Row(values, place))
    shapes = "; ".join(", ".join(fields) for fields in _SHAPES)
    raise RowError(
        f"{place}: fields {', '.join(sorted(values)) or 'none'} fit no known row; allowed: {shapes}"
    )


def _case(row: _Row, text: str, documents: tuple[Span, ...] = (), gold: int | None = None) -> Case:
    return Case(
        place=row.place,
        text=text,
        question=row.text("question"),
        answers=row.texts("answers"),
        documents=documents,
        gold=gold,
    )


def _in_documents(row: _Row) -> Case:
    documents = [_document(row, number, item) for number, item in enumerate(row.items("documents"))]
    gold = row.index("gold", len(documents)) if row.values.get("gold") is not None else None
    return _case(row, *joined(documents), gold)


def _document(row: _Row, number: int, item: object) -> str:
    field = f"documents.{number}"
    if isinstance(item, str):
        if not item.strip():
            raise row.error(field, "a text", item)
        return item
    if isinstance(item, dict):
        parts = _Row({f"{field}.{name}": value for name, value in item.items()}, row.place)
        text = parts.text(f"{field}.text")
        return f"{parts.text(f'{field}.title')}\n{text}" if item.get("title") else text
    raise row.error(field, "a text, or an object with title and text", item)


def _in_context(row: _Row) -> Case:
    return _case(row, row.text("context"))


def _in_passage(row: _Row) -> Case:
    return _case(row, f"{row.text('title')}\n{row.text('text')}")


def _in_request(row: _Row) -> Case:
    """A chat request whose user message holds numbered documents and then the question."""
    request = row.values["request"]
    messages = request.get("messages") if isinstance(request, dict) else None
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str) and _NUMBERED.search(content):
            documents = _numbered(content)
            return _case(row, *joined(documents), row.index("gold_index", len(documents), first=1))
    raise RowError(
        f"{row.place}: request.messages: expected documents that begin with `Document [1](Title: `"
    )


def _numbered(content: str) -> list[str]:
    starts = [match.start() for match in _NUMBERED.finditer(content)]
    end = content.rfind(_QUESTION, starts[-1])
    ends = [*starts[1:], len(content) if end < 0 else end]
    return [content[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def _in_pairs(row: _Row) -> Case:
    """Key-value retrieval: each pair is a document, the question is the key."""
    pairs, key, value = row.items("ordered_kv_records"), row.text("key"), row.text("value")
    for number, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise row.error(f"ordered_kv_records.{number}", "a pair of texts", pair)
    keys = [pair[0] for pair in pairs]
    if key not in keys:
        raise RowError(f"{row.place}: key: it isn't among ordered_kv_records")
    text, documents = joined([f'"{name}": "{content}"' for name, content in pairs])
    gold = keys.index(key)
    return Case(
        place=row.place, text=text, question=key, answers=(value,), documents=documents, gold=gold
    )  # fmt: skip


def _labelled(row: _Row) -> Labelled:
    words, labels = row.texts("words"), row.items("labels")
    if len(labels) != len(words) or not all(label in (0, 1) for label in labels):
        raise RowError(f"{row.place}: labels: expected a 0 or a 1 for each of the {len(words)} words")
    text = row.text("text") if "text" in row.values else " ".join(words)
    spans, at = [], 0
    for number, word in enumerate(words):
        start = text.find(word, at)
        if start < 0:
            raise RowError(f"{row.place}: words.{number}: it doesn't follow the words before it in text")
        at = start + len(word)
        spans.append((start, at))
    question = row.text("question") if "question" in row.values else ""
    return Labelled(
        place=row.place, text=text, question=question, words=tuple(spans), labels=tuple(map(int, labels))
    )


def _requested(row: _Row) -> Request:
    """A recorded chat request, as a capture writes it; without a name of its conversation it is one of its own."""
    try:
        body = chat.parse(json.dumps(row.values["request"]).encode())
    except MalformedJsonError as error:
        raise RowError(f"{row.place}: request: {error}") from error
    return Request(
        place=row.place,
        conversation=str(row.values.get("conversation", row.place)),
        messages=tuple(
            Message(place=row.place, text=slot.text)
            for slot in body.slots
            if slot.role != "assistant" and slot.text.strip()
        ),
    )


_SHAPES: dict[tuple[str, ...], Callable[[_Row], Row]] = {
    ("words", "labels"): _labelled,
    ("question", "answers", "documents"): _in_documents,
    ("question", "answers", "context"): _in_context,
    ("question", "answers", "request", "gold_index"): _in_request,
    ("question", "answers", "title", "text"): _in_passage,
    ("ordered_kv_records", "key", "value"): _in_pairs,
    ("request",): _requested,
}
"""Which fields make which kind of row; the first that fits decides."""
