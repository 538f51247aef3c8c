"""The markup by which a text says what of it to shorten, and how far.

Owns `<laconic:keep>…</laconic:keep>` and the llmlingua package's `<llmlingua, rate=0.3, compress=False>…
</llmlingua>`. Knows no policy: what a rate means is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from policies.protection import Span
from policies.protection.spans import subtract, union

_TAG = re.compile(
    r"""<(?:
        (?P<open>laconic:keep|llmlingua(?P<attributes>(?:\s*+,\s*+(?:rate|compress)\s*+=\s*+[^\s,<>]*+)*+))
      | /(?P<close>laconic:keep|llmlingua)
    )\s*+>""",
    re.VERBOSE | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"(rate|compress)\s*+=\s*+([^\s,<>]*+)", re.IGNORECASE)
_KEEP = "laconic:keep"


class Section(NamedTuple):
    """A stretch of a text all of which is treated alike, such as what lies between two tags."""

    span: Span
    """Its characters in the text."""
    rate: float | None
    """Share of its tokens to keep, in (0, 1]; None leaves it to the policy."""
    compress: bool
    """Whether anything may be dropped from it."""
    fixed: tuple[Span, ...] = ()
    """What of it must stay though the rest may go, in the text's characters; ascending and disjoint."""


def with_rest_kept(text: str, loose: Sequence[Section], holes: Iterable[Span] = ()) -> tuple[Section, ...]:
    """The sections `loose`, disjoint, and all else of `text` but `holes` in sections that must stay; in order."""
    ordered = sorted(loose, key=lambda section: section.span)
    rest = subtract(subtract([(0, len(text))], [section.span for section in ordered]), union(holes))
    kept = [Section(span, None, False) for span in rest]
    return tuple(sorted(ordered + kept, key=lambda section: section.span))


def sections(text: str) -> tuple[Section, ...]:
    """Split `text` at its tags: what remains once they are stripped, in order, none of it empty.

    The innermost rate holds; whatever lies inside `<laconic:keep>` or `compress=False` is not compressed. A rate
    that is no number in (0, 1] counts as none. Tags without a partner and tags with other attributes are plain
    text. A text without tags is one section, even if empty.
    """
    found: list[Section] = []
    stack = [Section((0, 0), None, True)]
    at = 0
    for tag in _paired(text):
        if at < tag.start():
            found.append(stack[-1]._replace(span=(at, tag.start())))
        at = tag.end()
        if tag["close"]:
            stack.pop()
        else:
            stack.append(_inner(tag, stack[-1]))
    if at < len(text) or not text:
        found.append(stack[-1]._replace(span=(at, len(text))))
    return tuple(found)


def stripped(text: str) -> str:
    """`text` without its tags."""
    return "".join(text[slice(*section.span)] for section in sections(text))


def _paired(text: str) -> Iterator[re.Match[str]]:
    """The tags that have a partner, properly nested: an unclosed one within a closed one is plain text."""
    tags = list(_TAG.finditer(text))
    paired = [False] * len(tags)
    waiting: list[int] = []
    names = {_KEEP: 0, "llmlingua": 0}  # how many of each name wait, so that a lone end tag costs nothing
    for index, tag in enumerate(tags):
        if not tag["close"]:
            waiting.append(index)
            names[_name(tag)] += 1
            continue
        if not names[_name(tag)]:
            continue
        while True:
            opener = waiting.pop()
            names[_name(tags[opener])] -= 1
            if _name(tags[opener]) == _name(tag):
                break
        paired[opener] = paired[index] = True
    return (tag for tag, has_partner in zip(tags, paired, strict=True) if has_partner)


def _name(tag: re.Match[str]) -> str:
    name = (tag["close"] or tag["open"]).lower()
    return _KEEP if name == _KEEP else "llmlingua"


def _inner(tag: re.Match[str], outer: Section) -> Section:
    """What holds inside `tag`, which stands in `outer`; the span is not yet known."""
    if _name(tag) == _KEEP:
        return outer._replace(compress=False)
    attributes = {name.lower(): value for name, value in _ATTRIBUTE.findall(tag["attributes"])}
    compress = outer.compress and attributes.get("compress", "").lower() != "false"
    return Section((0, 0), _rate(attributes.get("rate")) or outer.rate, compress)


def _rate(value: str | None) -> float | None:
    try:
        rate = float(value or "")
    except ValueError:
        return None
    return rate if 0 < rate <= 1 else None
