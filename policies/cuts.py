"""How a text is cut: by its tags, by the policy's rules for JSON and its layout, at comments, and around documents.

Owns the order: tags go first, for JSON is JSON only without them. Knows nobody's syntax.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from policies.comments import comment_sections
from policies.documents import Document
from policies.groups import Setting
from policies.json_rules import json_sections
from policies.protection import Span
from policies.rules import Documents, JsonLayout, JsonRule
from policies.segments import Section, sections


def cut(
    text: str,
    *,
    tags: bool,
    rules: Sequence[JsonRule] = (),
    layout: JsonLayout = "as_is",
    comments: float | None = None,
) -> tuple[Section, ...]:
    """Split `text` into what remains of it, in order: without tags, if they are obeyed, and removed pairs.

    What a tag or a rule wants kept must stay, and JSON that a tag keeps any part of has no other `layout`. A
    tag's rate goes before a rule's and that of `comments` in code. A text without either is one section, even
    if empty.
    """
    parts = sections(text) if tags else (Section((0, len(text)), None, True),)
    if text and (rules or layout != "as_is"):
        bare = joined(text, (part.span for part in parts))
        parts = _crossed(parts, json_sections(bare, rules, layout, tuple(_kept(parts))))
    if text and comments is not None:
        parts = _crossed(parts, comment_sections(joined(text, (part.span for part in parts)), comments))
    return parts


def _kept(parts: Sequence[Section]) -> Iterator[Span]:
    """Where those of `parts` that must stay lie in what all make when put together."""
    ends = accumulate(part.span[1] - part.span[0] for part in parts)
    for part, end in zip(parts, ends, strict=True):
        if not part.compress:
            yield end - (part.span[1] - part.span[0]), end


def _crossed(parts: Sequence[Section], cuts: tuple[Section, ...]) -> tuple[Section, ...]:
    """Where `parts` of a text meet `cuts` of what they make when put together; spans are the text's."""
    if len(parts) == 1 and parts[0].compress and parts[0].rate is None and parts[0].span[0] == 0:
        return cuts
    return tuple(_crossings(parts, cuts))


def _crossings(parts: Sequence[Section], cuts: Sequence[Section]) -> Iterator[Section]:
    index = start = 0  # of the next cut; of the part in the text put together
    for part in parts:
        shift = part.span[0] - start
        end = part.span[1] - shift
        while index < len(cuts) and cuts[index].span[0] < end:
            cut = cuts[index]
            first, last = max(cut.span[0], start), min(cut.span[1], end)
            if first < last:
                fixed = tuple(
                    (max(a, first) + shift, min(b, last) + shift)
                    for a, b in cut.fixed
                    if a < last and b > first
                )
                span = first + shift, last + shift
                yield Section(span, part.rate or cut.rate, part.compress and cut.compress, fixed)
            if cut.span[1] > end:
                break
            index += 1
        start = end


def around(parts: Sequence[Section], setting: Setting, rule: Documents) -> tuple[Section, ...]:
    """`parts` cut before the first and behind the last document that lies in each.

    What stands around documents stays, or as much of it as `rule` says: of the question its own share.
    """
    return tuple(piece for part in parts for piece in _around(part, setting, rule))


def _around(part: Section, setting: Setting, rule: Documents) -> Iterator[Section]:
    documents = [document for document in setting.found.documents if _inside(document.span, part.span)]
    if not part.compress or not documents:
        yield part
        return
    start, end = documents[0].span[0], documents[-1].span[1]
    yield from _outside((part.span[0], start), setting.found.question, rule)
    yield part._replace(span=(start, end))
    yield from _outside((end, part.span[1]), setting.found.question, rule)


def _outside(span: Span, question: Span | None, rule: Documents) -> Iterator[Section]:
    """The instruction in `span`, and the question if it stands there."""
    inner = question if question is not None and _inside(question, span) else (span[1], span[1])
    shares = (
        ((span[0], inner[0]), rule.instruction_rate),
        (inner, rule.question_rate),
        ((inner[1], span[1]), rule.instruction_rate),
    )
    for piece, rate in shares:
        if piece[0] < piece[1]:
            yield Section(piece, rate, rate < 1)


def within(span: Span, documents: Iterable[Document]) -> tuple[Document, ...]:
    """The documents that lie in `span`, counted from its start; none if they would not fill it from end to end."""
    own = [document for document in documents if _inside(document.span, span)]
    if not own or (own[0].span[0], own[-1].span[1]) != span:
        return ()
    return tuple(
        Document(
            (document.span[0] - span[0], document.span[1] - span[0]),
            tuple((start - span[0], end - span[0]) for start, end in document.heads),
        )
        for document in own
    )


def joined(text: str, spans: Iterable[Span]) -> str:
    """The characters of `text` that `spans` hold, in order."""
    return "".join(text[start:end] for start, end in spans)


def _inside(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
