"""JSON in fewer characters: without white space, and with the keys of like objects named once.

Owns which characters of a value its layout leaves out; reads valid JSON only. Knows neither where it stands in a
text nor the rules about its keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from policies.json_reading import DEEPEST
from policies.protection import Span

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_INK = re.compile(rf'(?:[^\s"]++|{_STRING})++')
_PLAIN = rf'[^"{{}}\[\]]++|{_STRING}'
# A bracket, or a key with its colon, behind any values without either.
_SIMPLE = rf"{_PLAIN}(?!\s*+:)|\[(?:{_PLAIN})*+\]|\{{\s*+\}}"
_MARK = re.compile(rf"(?:{_SIMPLE})*+(?:({_STRING})\s*+:|[{{}}\[\]])")


def blanks(text: str, value: Span) -> Iterator[Span]:
    """The white space between the tokens of the valid JSON `text[slice(*value)]`; linear in its length."""
    at = value[0]
    for ink in _INK.finditer(text, *value):
        if at < ink.start():
            yield at, ink.start()
        at = ink.end()


def repeated_keys(text: str, value: Span, holes: Sequence[Span]) -> list[Span]:
    """The keys, with their colons, that the tabular layout leaves out of the valid JSON `text[slice(*value)]`.

    An object without keys has those of the nearest object before it in its list that names any:
    `[{"id":1,"p":{"x":2}},{3,{4}}]`. Objects and lists within the items of a list stand at places, here `p`, and
    an object without keys may have those that were named at its place, in another item or another list. A place
    where different keys were named takes none from other items and lists. An object that names keys begins the
    places within it anew.

    It is safe because values keep their number and order, and keys are left out only behind those same keys, in
    an object that could not be read as another: `{}` has none, and any other object that has its own shows a
    colon behind its first string. It is not where a program reads the text, for it is no longer JSON.

    `holes` (ascending, disjoint, whole pairs) are left out in any case. A value nested deeper than `DEEPEST`
    names all its keys. Linear in the length of the value.
    """
    root = _tree(text, value, holes)
    found: list[Span] = []
    if root is not None:
        _visit(root, _Place(), found)
    return found


@dataclass(slots=True)
class _Node:
    """An object or array: the keys of an object, and what other objects and arrays it holds."""

    is_array: bool
    keys: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    inner: list[tuple[int, _Node]] = field(default_factory=list)
    """Each with the number of its pair in an object."""


def _tree(text: str, value: Span, holes: Sequence[Span]) -> _Node | None:
    """A list of the one value, without `holes`; None if it is nested deeper than `DEEPEST`."""
    outside = _Node(True)
    open_nodes = [outside]
    hole = 0
    for mark in _MARK.finditer(text, *value):
        start = mark.start(1) if mark[1] else mark.end() - 1
        while hole < len(holes) and holes[hole][1] <= start:
            hole += 1
        if hole < len(holes) and holes[hole][0] <= start:
            continue
        node = open_nodes[-1]
        if mark[1]:
            node.keys.append(mark[1])
            node.spans.append((start, mark.end()))
        elif text[start] in "]}":
            open_nodes.pop()
        else:
            inner = _Node(text[start] == "[")
            node.inner.append((len(node.keys) - 1, inner))
            open_nodes.append(inner)
            if len(open_nodes) > DEEPEST + 1:
                return None
    return outside


@dataclass(slots=True)
class _Place:
    """Where objects and lists stand that are each other's like."""

    keys: Sequence[str] = ()
    """Those named last."""
    varied: bool = False
    """Whether different keys were named."""
    fields: Sequence[_Place] = ()
    """The places within an object of these keys."""
    items: _Place | None = None
    """The place of all that lists here hold."""

    def entered(self) -> _Place:
        """This place, seen from another list or object than before."""
        if self.varied:
            self.keys = ()
        return self


def _visit(node: _Node, place: _Place, found: list[Span]) -> None:
    """Collect the keys that go from `node`, which stands at `place`."""
    if node.is_array:
        place.items = items = (place.items or _Place()).entered()
        for _, inner in node.inner:
            _visit(inner, items, found)
        return
    if node.keys and node.keys == place.keys:
        found += node.spans
    elif node.keys:
        place.varied |= bool(place.fields)
        place.keys, place.fields = node.keys, [_Place() for _ in node.keys]
    for index, inner in node.inner:
        _visit(inner, place.fields[index].entered(), found)
