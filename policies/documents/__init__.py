"""Documents and the question in the messages of a chat request.

Owns what the shapes of retrieved passages look like, and where a prompt asks its question. Knows neither how
documents are ranked, dropped or shortened, nor what a request is: texts and roles in, ranges out. One recogniser
per shape, linear in the text's length whatever it holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.documents import question
from policies.documents.context import block
from policies.documents.document import Collection, Document, Found, document
from policies.documents.json_lists import json_heads, json_list
from policies.documents.lines import Line, fences, read
from policies.documents.metadata import content_start
from policies.documents.numbered import numbered
from policies.documents.paragraphs import paragraphs
from policies.documents.pattern import matched, matches
from policies.documents.sections import headed, ruled
from policies.documents.tagged import elements_named, in_tags, tagged
from policies.protection.spans import Span
from policies.rules import Documents

__all__ = ["Document", "Found", "find", "find_in_group"]

_TOOLS = frozenset(("tool", "function"))
_ANSWERING = _TOOLS | {"assistant"}
_SHORTEST_RESULT = 200  # characters of a tool's result, but for its heads, that is a document


def find(text: str, rule: Documents) -> Found:
    """The documents in `text` and the question, as in a request whose only user text this is.

    Linear in the length of the text, but for regular expressions of the rule.
    """
    return find_in_group((text,), ("user",), rule)[0]


def find_in_group(texts: Sequence[str], roles: Sequence[str], rule: Documents) -> list[Found]:
    """What each of the texts of one arrival group holds; `roles` are those of their messages.

    Where no result of a tool holds documents itself, each long one is a document as a whole, if there are two.
    A question by its tag or by a regex stands in any text but a tool's; one that is only labelled stands in a
    user's text with documents (or in another one where no user speaks), and bare prose with documents is a
    question only in the last user's text. The assistant's texts hold nothing and change nothing.
    """
    lines = [read(text) for text in texts]
    held = [
        None if role == "assistant" else _collection(text, own, rule)
        for text, own, role in zip(texts, lines, roles, strict=True)
    ]
    if rule.split.shape == "auto":
        held = _with_results(texts, roles, held)
    users = [index for index, role in enumerate(roles) if role == "user"]
    asking = users or [index for index, role in enumerate(roles) if role not in _ANSWERING]
    found = []
    for index, (text, documents) in enumerate(zip(texts, held, strict=True)):
        asked = None if roles[index] in _ANSWERING else _asked_by_rule(text, rule, documents)
        if asked is None and documents is not None and index in asking:
            asked = question.labelled(text, lines[index], documents.outer)
            if asked is None and index in users[-1:]:
                asked = question.prose(text, lines[index], documents.outer)
        found.append(Found(documents.documents if documents else (), asked))
    return found


def _with_results(
    texts: Sequence[str], roles: Sequence[str], held: Sequence[Collection | None]
) -> list[Collection | None]:
    """`held`, with the results of tools as documents if there are several and none holds documents."""
    results = [index for index, role in enumerate(roles) if role in _TOOLS]
    wholes = {
        index: _whole(texts[index]) for index in results if held[index] is None and texts[index].strip()
    }
    long = {index for index, whole in wholes.items() if whole.documents[0].body >= _SHORTEST_RESULT}
    if any(held[index] for index in results) or len(long) < 2:
        return list(held)
    return [wholes[index] if index in long else own for index, own in enumerate(held)]


def _collection(text: str, lines: Sequence[Line], rule: Documents) -> Collection | None:
    """The documents of one text by the rule's way to split."""
    split = rule.split
    if split.regex is not None:
        return matched(text, split.regex)
    if split.tags is not None:
        return in_tags(text, split.tags, fences(lines))
    if split.shape == "json_list":
        return json_list(text, fences(lines))
    if split.shape == "paragraphs":
        found = block(lines)
        return paragraphs(text, lines, found.span if found else (0, len(text)))
    return _recognised(text, lines)


def _recognised(text: str, lines: Sequence[Line]) -> Collection | None:
    """The documents by what they look like: of those with marks of their own the most, else parts of a context."""
    code = fences(lines)
    marked = [found for found in (tagged(text, code), numbered(text, lines), json_list(text, code)) if found]
    if marked:
        return max(marked, key=lambda found: found.size)
    context = block(lines)
    if context is None:
        return None
    found = ruled(text, lines, context)
    if found is None and context.announced:
        found = headed(text, lines, context) or paragraphs(text, lines, context.span)
    return found


def _whole(text: str) -> Collection:
    """A tool's result as one document."""
    heads = json_heads(text)
    span = (0, len(text))
    if heads is None:
        heads = [(0, content_start(text, 0, len(text)))]
    return Collection((document(span, heads),), span)


def _asked_by_rule(text: str, rule: Documents, documents: Collection | None) -> Span | None:
    if rule.question is None:
        return None
    if rule.question.tag is not None:
        spans = elements_named(text, rule.question.tag)
    else:
        spans = matches(text, rule.question.regex or "")
    return question.last_outside(
        text, spans, [found.span for found in documents.documents] if documents else []
    )
