"""A reader of JSON whose like objects name their keys once, written from the layout's description alone."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'[ \t\r\n]*("(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^ \t\r\n\[\]{}:,"]+)[ \t\r\n]*', re.DOTALL)


def read_tabular(text: str) -> Any:
    """The value of `text`: objects as tuples of pairs, numbers as they were written behind `#`."""
    reader = _Reader(_TOKEN.findall(text))
    value = reader.value(_Place())
    assert reader.at == len(reader.tokens)
    return value


@dataclass
class _Place:
    keys: list[str] = field(default_factory=list)
    fields: defaultdict[int, _Place] = field(default_factory=lambda: defaultdict(_Place))

    def items(self) -> _Place:
        return self.fields[-1]


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def value(self, place: _Place) -> Any:
        token = self.next()
        if token == "[":
            return [self.value(place.items()) for _ in self._parts("]")]
        if token == "{":
            return self._object(place)
        if token[0] in '"tfn':
            return json.loads(token)
        return f"#{token}"

    def _parts(self, close: str) -> Any:
        """Once for each part up to the bracket `close`, past the commas."""
        if self.tokens[self.at] == close:
            self.at += 1
            return
        while True:
            yield
            if (sign := self.next()) == close:
                return
            assert sign == ","

    def _object(self, place: _Place) -> Any:
        if self.tokens[self.at][0] == '"' and self.tokens[self.at + 1] == ":":
            items = place.fields.pop(-1, None)
            place.fields.clear()
            if items is not None:
                place.fields[-1] = items
            place.keys = []
            pairs = [self._pair(place) for _ in self._parts("}")]
            return tuple(pairs)
        values = [self.value(place.fields[number]) for number, _ in enumerate(self._parts("}"))]
        return tuple(zip(place.keys, values, strict=True)) if values else ()

    def _pair(self, place: _Place) -> tuple[str, Any]:
        key = json.loads(self.next())
        assert self.next() == ":"
        place.keys.append(key)
        return key, self.value(place.fields[len(place.keys) - 1])
