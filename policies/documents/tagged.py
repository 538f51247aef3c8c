"""Documents in tags: `<document index="3"><source>…</source><document_content>…</document_content></document>`.

Every pattern stops at the character that could begin the next match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from policies.documents.document import (
    Collection,
    Document,
    collection,
    document,
    neighbours,
    substantial,
    trimmed,
)
from policies.documents.metadata import content_end, content_start
from policies.protection.spans import Span

NAMES = (
    "document", "doc", "context", "source", "passage", "chunk", "search_result", "search-result", "searchresult",
    "result", "snippet", "excerpt", "reference", "evidence", "retrieved_document", "retrieved_chunk", "web_page",
    "webpage", "file", "note", "memory",
)  # fmt: skip
"""Tags that documents usually stand in; those that HTML and feeds are made of (article, item …) are left out."""

_CHILD = re.compile(
    r"""<(?P<close>/?)(?:
      (?P<about>title|source|url|uri|link|path|file_?name|file_?path|name|id|index|document_index|author|date|published
        |page|score|rank|metadata|document_metadata|description|type|citation)
      | document_content|page_content|content|contents|text|body|passage|snippet|chunk
    )(?:\s[^<>]{0,400})?>""",
    re.VERBOSE | re.IGNORECASE,
)
_WRAPPER = re.compile(r"<(/?)[A-Za-z][\w:.-]{0,40}(?:\s[^<>]{0,400})?>")
_LONGEST_CHILD = 600  # characters of a title or the like, tags included
_MEDIAN_BODY, _TOTAL_BODY = 60, 200


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    span: Span
    content: Span


def tagged(text: str, fences: Sequence[Span]) -> Collection | None:
    """Documents in tags of the kind that holds most of the text; None if there are no two of real length."""
    families: dict[str, list[_Element]] = {}
    for element in _elements(text, NAMES, fences):
        families.setdefault(element.name.rstrip("0123456789").rstrip("_-"), []).append(element)
    runs = [neighbours(text, _documents(text, family)) for family in families.values()]
    runs = [run for run in runs if substantial(run, median_body=_MEDIAN_BODY, total_body=_TOTAL_BODY)]
    return _wrapped(text, max(runs, key=lambda run: sum(document.body for document in run), default=()))


def in_tags(text: str, names: Iterable[str], fences: Sequence[Span]) -> Collection | None:
    """Documents in tags of the given names; an element within another one is part of it."""
    return _wrapped(text, neighbours(text, _documents(text, list(_elements(text, names, fences)))))


def elements_named(text: str, name: str) -> list[Span]:
    """The contents of the elements of one name."""
    return [element.content for element in _elements(text, (name,), ())]


def _elements(text: str, names: Iterable[str], fences: Sequence[Span]) -> Iterator[_Element]:
    """Elements, outermost of their own name, in the order in which they end.

    Tags in fenced code are code, unless the fence begins within an element: chunks are cut anywhere.
    """
    pattern = re.compile(
        rf"<(?P<close>/?)(?P<name>(?:{'|'.join(map(re.escape, names))})(?:[_-]?\d{{1,4}})?)(?:\s[^<>]{{0,1000}})?>",
        re.IGNORECASE,
    )
    tags = list(pattern.finditer(text))
    closed = {tag["name"].lower() for tag in tags if tag["close"]}
    paired = {tag["name"].lower() for tag in tags if not tag["close"] and not tag[0].endswith("/>")}
    depths: dict[str, int] = {}
    first: dict[str, re.Match[str]] = {}
    at, honoured, unclosed = 0, False, 0
    for tag in tags:
        name = tag["name"].lower()
        while at < len(fences) and fences[at][1] <= tag.start():
            at, honoured = at + 1, False
        if at < len(fences) and fences[at][0] <= tag.start() and not honoured:
            honoured = unclosed > 0
            if not honoured:
                continue
        depth = depths.get(name, 0)
        if tag["close"]:
            if depth == 1:
                opener = first[name]
                yield _Element(name, (opener.start(), tag.end()), (opener.end(), tag.start()))
            depths[name], unclosed = max(depth - 1, 0), unclosed - (depth > 0)
        elif not tag[0].endswith("/>") or (
            name in closed and name not in paired
        ):  # `<Document …/> … </Document>`
            if depth == 0:
                first[name] = tag
            depths[name], unclosed = depth + 1, unclosed + 1


def _documents(text: str, elements: Sequence[_Element]) -> list[Document]:
    """The elements that lie in no other one, in order."""
    found: list[Document] = []
    for element in sorted(elements, key=lambda element: element.span):
        if found and element.span[0] < found[-1].span[1]:
            continue
        start, end = element.content
        heads = [(element.span[0], start), (end, element.span[1]), *_children(text, start, end)]
        begin = start
        for head in heads[2:]:  # titles and the like that the content begins with
            if text[begin : head[0]].strip():
                break
            begin = head[1]
        heads += [(begin, content_start(text, begin, end)), (content_end(text, begin, end), end)]
        found.append(document(element.span, heads))
    return found


def _children(text: str, start: int, end: int) -> Iterator[Span]:
    """Elements about the document, and the tags around its content."""
    opener: re.Match[str] | None = None
    for tag in _CHILD.finditer(text, start, end):
        about = (tag["about"] or "").lower()
        if opener and tag["close"] and opener["about"].lower() == about:
            if tag.end() - opener.start() <= _LONGEST_CHILD:
                yield opener.start(), tag.end()
            else:
                yield opener.span()
                yield tag.span()
            opener = None
        elif about and not tag["close"]:
            opener = tag
        else:
            yield tag.span()


def _wrapped(text: str, documents: Sequence[Document]) -> Collection | None:
    """The documents with the tags of the element around them, if there are such."""
    if not documents:
        return None
    start, end = documents[0].span[0], documents[-1].span[1]
    before, after = trimmed(text, max(0, start - 500), start)[1], trimmed(text, end, end + 500)[0]
    opening = text.rfind("<", 0, before)
    opener, closer = _WRAPPER.match(text, max(opening, 0)), _WRAPPER.match(text, after)
    if opener and opener.end() == before and not opener[1] and closer and closer[1]:
        start, end = opener.start(), closer.end()
    return collection(documents, (start, end))
