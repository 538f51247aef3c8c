"""Arithmetic in a setting: a budget given as a change of the target. Knows no tokens, no documents."""

from __future__ import annotations

import math
import re
from typing import NoReturn

from compressors.errors import CompressionError

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_DEPTH = 20
"""Most parentheses within each other."""


def budget(text: str, target: float) -> float:
    """What `text` makes of `target`: `"+100"`, `"*1.3"`, `"*2 - (50 + 20)"`; or a number of its own, `"800"`.

    A text that starts with an operator is appended to the target, as in llmlingua's `context_budget`,
    and calculated with the usual precedence. The result is finite, but may be negative.

    Raises `CompressionError` if there is anything but numbers, `+ - * /` and parentheses, if something
    is divided by zero or if the result is too large. Whether it does doesn't depend on `target`, save
    for the last.
    """
    parser = _Parser(text)
    starts_with_operator = parser.next in ("+", "-", "*", "/")
    value = parser.sum(parser.product(target) if starts_with_operator else None)
    if parser.next:
        parser.fail()
    if not math.isfinite(value):
        raise CompressionError(f"budget {text!r} of {target:g} is too large")
    return value


class _Parser:
    """Reads an expression from left to right; each method takes one kind of part and gives its value.

    `sum = product {("+" | "-") product}`, `product = factor {("*" | "/") factor}`,
    `factor = {"+" | "-"} (number | "(" sum ")")`.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._skip(0)

    @property
    def next(self) -> str:
        """The character that is up; empty at the end."""
        return self._text[self._at : self._at + 1]

    def sum(self, value: float | None = None) -> float:
        """A sum; `value` is its first product where that has been read."""
        if value is None:
            value = self.product()
        while self.next and self.next in "+-":
            sign = self._take()
            value = value + self.product() if sign == "+" else value - self.product()
        return value

    def product(self, value: float | None = None) -> float:
        """A product; `value` is its first factor where that has been read."""
        if value is None:
            value = self._factor()
        while self.next and self.next in "*/":
            at = self._at
            if self._take() == "*":
                value *= self._factor()
                continue
            divisor = self._factor()
            if divisor == 0:
                raise CompressionError(f"budget {self._text!r}: division by zero at character {at + 1}")
            value /= divisor
        return value

    def fail(self) -> NoReturn:
        """Raises `CompressionError` about the character that is up."""
        found = f"{self.next!r} at character {self._at + 1}" if self.next else "end"
        raise CompressionError(
            f"budget {self._text!r}: unexpected {found}; allowed are numbers, + - * / and parentheses"
        )

    def _factor(self) -> float:
        sign = 1.0
        while self.next and self.next in "+-":
            sign = -sign if self._take() == "-" else sign
        if self.next == "(":
            return sign * self._parenthesis()
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            self.fail()
        self._skip(len(number[0]))
        return sign * float(number[0])

    def _parenthesis(self) -> float:
        self._depth += 1
        if self._depth > _DEPTH:
            raise CompressionError(f"budget {self._text!r}: more than {_DEPTH} parentheses within each other")
        self._take()
        value = self.sum()
        if self.next != ")":
            self.fail()
        self._take()
        self._depth -= 1
        return value

    def _take(self) -> str:
        taken = self.next
        self._skip(1)
        return taken

    def _skip(self, characters: int) -> None:
        """Go on, and past the white space that follows."""
        self._at += characters
        while self.next.isspace():
            self._at += 1
