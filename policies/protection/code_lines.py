"""How much a single line looks like program text.

Knows nothing of the lines around it, except whether they are a diff's. What lines of which language look like
stands in `languages`.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from policies.protection.languages import ANY, DIFF, EDIT, PROMPT


class Look(Enum):
    """What a line may be."""

    BLANK = auto()
    GAP = auto()  # a digit, which is also what stands where a value was cut out: a run ends there
    PROSE = auto()
    LOOSE = auto()  # no sentence; code between lines of code
    HINT = auto()  # code if its neighbours are
    CODE = auto()
    PACKED = auto()  # code without line breaks, which needs no neighbour
    DIFF = auto()  # code that makes lines after it with + and - a diff's
    PROMPT = auto()  # code after which a program speaks, which needs no neighbour


_LISTING = r"(?:\s*+\d{1,6}(?:[:|→]|\t))?+\s*+"  # the line number of an editor's view
_DIFF = re.compile(DIFF, re.VERBOSE)
_EDIT = re.compile(EDIT)
_PROMPT = re.compile(rf"(?:{PROMPT})", re.VERBOSE)
_CODE = re.compile(rf"{_LISTING}(?:{ANY})", re.VERBOSE)
_STATEMENT = re.compile(
    r"[^=(){}\[\]<>]*+[=(){}\[\]<>].*[)\]\"'\w}];|.*(?:=>|->|[)\w\"'])\s?\{|.*=>\s?\(|\s*[{(]+"
)
_OPERATOR = re.compile(r"\w\s?(?:::|:=|==|!=|&&|\|\||\|>|<-|=>|->)\s?[\w$\"'({\[]")
_SYMBOL = re.compile(r"[{}();=<>|&!+]")
_BULLET = re.compile(r"\s*(?:[-*+•‣◦–](?!\s\{)|\(?\w{1,3}[.)])\s")
_HINT = re.compile(
    rf"{_LISTING}(?:[)\]}},;(\[{{|]+$|//|/\*|\*\s|#'?\s?\w|#'?$|--+\s|%+\s|;+\s|[\"']{{3}}|\[\[?[\w.\s\"-]+\]\]?$)"
    r"|\s*\d{1,6}[:|→]"
)
_INDENTED = re.compile(r"  +\S|\t+\S")
_SENTENCE = re.compile(
    r".*[^\W\d_]{2}[\"')\]”’*_]*[.?!:,…]\W*$|.*(?:\b[^\W\d_]+[,;:]?\s){5}|.*[。！？、，\u3040-\u9fff\uac00-\ud7a3]"
)
_WIDE = re.compile(r"\s{4,}")
_LONGEST_LOOSE = 100  # characters


def look_at(line: str, *, in_diff: bool) -> Look:
    """What `line`, without its line break, looks like; `in_diff` if a diff's header precedes it."""
    line = line.rstrip()
    if not line or (len(line) == 1 and line.isdigit()):
        return Look.GAP if line else Look.BLANK
    if _DIFF.match(line) or _EDIT.match(line):
        return Look.DIFF
    if in_diff and line[0] in "+-<>\\ ":
        return Look.CODE if line[0] != " " else Look.HINT
    line = _WIDE.sub("   ", line)  # so that no shape tries many ways to share it out
    if len(line) >= 200 and 10 * len(_SYMBOL.findall(line)) > len(line):
        return Look.PACKED
    if _BULLET.match(line):
        return Look.PROSE
    return _look_at_statement(line)


def _look_at_statement(line: str) -> Look:
    if _PROMPT.match(line):
        return Look.PROMPT
    if _CODE.match(line) or (line[-1] in ";{(" and _STATEMENT.fullmatch(line)):
        return Look.CODE
    sentence = _SENTENCE.match(line) is not None
    if not sentence and _OPERATOR.search(line):
        return Look.CODE
    if _HINT.match(line):
        return Look.HINT
    if _INDENTED.match(line):
        return Look.LOOSE if sentence else Look.HINT
    return Look.PROSE if sentence or len(line) > _LONGEST_LOOSE else Look.LOOSE
