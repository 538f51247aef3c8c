"""Which words of an answer are prose, told as the answer arrives: not code, data, markup or addresses.

Knows Markdown's fences and ticks, JSON's brackets, tags, table rows. In doubt, a word isn't prose.
"""

from __future__ import annotations

import re

_EVENT = re.compile(
    r"(?P<line>\n)|(?P<ticks>`+|~{3,})|(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>>)|(?P<data>[|\t])"
    r"|(?P<glue>[/\\@_=#])|(?P<space> +)"
)
_PLAIN = frozenset((" ", ", ", ". "))
_JSON = re.compile(r'\s*(?:\{|\[\s*(?:["{\[]|\Z))')
_TAG = re.compile(r"</?\Z|<!--\s*\Z")
_INDENTED = re.compile(r"\n {4,}\Z")
_FENCE_ENDS = re.compile(r"[ \r\t]*\n")
_CODE_ELEMENTS = frozenset(("code", "math", "pre", "script", "style", "svg"))
_CLOSES = {"]": "[", "}": "{"}


class Prose:
    """Follows one answer, word by word."""

    def __init__(self) -> None:
        self._begun = False
        self._json = False  # the answer as a whole
        self._fence = ""  # the ticks or tildes that opened a block of code
        self._info = False  # on the line that opened it
        self._ticks = ""  # those that opened inline code
        self._brackets = ""  # open ones
        self._tag = False
        self._element = ""
        self._line_start = True
        self._data = self._data_before = False  # on this line, on the line before
        self._glued = False  # to a path, an address, a name with underscores

    def admits(self, mark: str, word: str) -> bool:
        """Whether the next `word` is prose; `mark` is what stands between it and the one before."""
        if mark not in _PLAIN or not self._begun:
            self._pass(mark, word)
        else:
            self._glued = False
        self._line_start = self._line_start and word.isdigit()  # as in "1. ```"
        return not (
            self._json
            or self._fence
            or self._ticks
            or self._brackets
            or self._tag
            or self._element
            or self._data
            or self._data_before
            or self._glued
        )

    def _pass(self, mark: str, word: str) -> None:
        if not self._begun:
            self._begun = True
            self._json = _JSON.match(mark) is not None
        for event in _EVENT.finditer(mark):
            if self._fence or event.lastgroup == "ticks":
                self._pass_fence(mark, event)
            elif event.lastgroup == "line":
                self._pass_line()
            elif not self._ticks:
                self._step(event)
        if self._fence or self._ticks:
            return
        if (tag := _TAG.search(mark)) and word[0].isalpha():
            self._open_tag(tag[0], word.casefold())
        if _INDENTED.search(mark) or (mark in (",", ";") and not word[0].isdigit()):
            self._data = True

    def _pass_fence(self, mark: str, event: re.Match[str]) -> None:
        """Go on within a block of code, or by the ticks that begin or end code."""
        ticks = event[0]
        if self._fence:
            if event.lastgroup == "line":
                self._line_start, self._info = True, False
            elif event.lastgroup == "ticks" and self._info:
                self._fence, self._info = "", False  # it was inline code
            elif ticks.startswith(self._fence) and self._line_start and _FENCE_ENDS.match(mark, event.end()):
                self._fence = ""
        elif self._ticks:
            self._ticks = "" if ticks == self._ticks else self._ticks
        elif len(ticks) >= 3 and self._line_start:
            self._fence, self._info = ticks, True
        elif ticks[0] == "`":
            self._ticks = ticks

    def _pass_line(self) -> None:
        if self._line_start:  # a blank line, or one of nothing but marks
            self._ticks = ""
        self._line_start = True
        self._data_before, self._data = self._data, False
        self._glued = False

    def _step(self, event: re.Match[str]) -> None:
        kind, text = event.lastgroup, event[0]
        if kind == "open":
            self._brackets += text
        elif kind == "close" and self._brackets.endswith(_CLOSES[text]):
            self._brackets = self._brackets[:-1]
        elif kind == "end":
            self._tag = False
        elif kind == "data":
            self._data = True
        elif kind in ("glue", "space"):
            self._glued = kind == "glue"

    def _open_tag(self, tag: str, name: str) -> None:
        self._tag = True
        if tag == "<" and name in _CODE_ELEMENTS:
            self._element = self._element or name
        elif tag == "</" and name == self._element:
            self._element = ""
