"""Documents as items of a JSON list, or as lines of JSON: search results, passages, records with a text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from policies.documents.document import Collection, Document, collection, document, substantial
from policies.documents.json_source import Value, values
from policies.protection.spans import Span, subtract

_KEYS = """text content pagecontent passage passagetext passagecontent snippet body chunk chunktext chunkcontent
    document documenttext documentcontent excerpt paragraph context rawcontent fulltext contentwithweight highlight
    summary abstract description markdown quote"""
_TEXT_KEYS = frozenset(_KEYS.split())
_MESSAGE_KEYS = frozenset(("role", "parameters", "inputSchema", "input_schema"))  # of messages and tools
_ESCAPES = re.compile(r"(?:\\(?:u[0-9A-Fa-f]{4}|[^u]))++")
_LONG = 80
"""Characters of a string that may be shortened; a shorter one is a title, a name, an id."""
_MEDIAN_BODY, _TOTAL_BODY = 80, 200


def json_list(text: str, fences: Sequence[Span]) -> Collection | None:
    """The items of the list of passages that holds most text; None if no list has two of real length.

    Passages are objects with a string under a text-like key, also within inner objects, or strings.
    """
    best: Collection | None = None
    ends = [end for _, end in fences]

    def is_code(value: Value) -> bool:
        fence = bisect_right(ends, value.start)
        return fence < len(fences) and fences[fence][0] <= value.start

    roots = [value for value in values(text) if not is_code(value)]
    for items, outer in _lists(text, roots):
        found = _passages(text, items, outer)
        if found and (best is None or found.size > best.size):
            best = found
    return best


def _lists(text: str, roots: Sequence[Value]) -> Iterator[tuple[Sequence[Value], Span]]:
    """Every array, and runs of objects that only white space parts, each with the outermost value around it."""
    run: list[Value] = []
    for root in roots:
        if run and not (root.kind == "object" and text[run[-1].end : root.start].isspace()):
            yield run, (run[0].start, run[-1].end)
            run = []
        if root.kind == "object":
            run.append(root)
        waiting = [root]
        while waiting:
            value = waiting.pop()
            if value.kind == "array":
                yield value.items, (root.start, root.end)
            waiting += value.items
    if run:
        yield run, (run[0].start, run[-1].end)


def _passages(text: str, items: Sequence[Value], outer: Span) -> Collection | None:
    if len(items) < 2 or len({item.kind for item in items}) > 1:
        return None
    texts = [list(_texts(item)) for item in items]
    if not all(texts):
        return None
    documents = [_document(text, item, strings) for item, strings in zip(items, texts, strict=True)]
    if not substantial(documents, median_body=_MEDIAN_BODY, total_body=_TOTAL_BODY):
        return None
    return collection(documents, outer)


def _texts(item: Value) -> Iterator[Value]:
    """The strings of an item that hold its text: itself, or under text-like keys of it and its inner objects."""
    waiting = [item]
    while waiting:
        value = waiting.pop()
        if value.kind == "object":
            if any(inner.key in _MESSAGE_KEYS for inner in value.items):
                return
            waiting += reversed(value.items)
        elif value.kind == "string" and (value is item or _is_text_key(value.key)):
            yield value


def _is_text_key(key: str | None) -> bool:
    return key is not None and re.sub(r"[_\- ]", "", key).lower() in _TEXT_KEYS


def _document(text: str, item: Value, strings: Sequence[Value]) -> Document:
    """An item whose heads are all but the contents of its long texts, so that it stays JSON when shortened."""
    return document((item.start, item.end), heads(text, (item.start, item.end), strings))


def heads(text: str, span: Span, strings: Sequence[Value]) -> Iterator[Span]:
    """What of `span` is not the content of the long `strings`, and the escape sequences in these."""
    long = [(value.start + 1, value.end - 1) for value in strings if value.end - value.start - 2 >= _LONG]
    yield from subtract([span], sorted(long))
    for start, end in long:
        yield from (match.span() for match in _ESCAPES.finditer(text, start, end))


def json_heads(text: str) -> list[Span] | None:
    """As `heads`, for a text that is one JSON value and nothing else; None for any other text."""
    found = next(values(text), None)
    if found is None or text[: found.start].strip() or text[found.end :].strip():
        return None
    return list(heads(text, (0, len(text)), [value for value in _all(found) if _is_text_key(value.key)]))


def _all(value: Value) -> Iterator[Value]:
    """The strings in a value, at any depth."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        waiting += inner.items
        if inner.kind == "string":
            yield inner
