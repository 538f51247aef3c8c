"""Program text in a text, with the language that it is certainly written in.

A fence names its language; bare code has one if it shows the signs of a single one. Knows no comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from policies.comments.syntax import language
from policies.protection.code import code
from policies.protection.spans import Span

_FENCE = re.compile(
    r"[ \t>]{0,40}(?:[-*+] {1,4}|\d{1,3}[.)] {1,4})?(?P<fence>`{3,}+|~{3,}+)[ \t]*+(?P<name>[\w+#-]*+)[^\n]*+\n?"
)
_END = re.compile(r"\n[ \t>]*+[`~]{3,}[ \t]*+\Z")
_SIGNS = {
    "python": r"[ \t]*(?:async )?def \w+\(.*\)(?: ?->[^:\n]+)?:|class \w+(?:\([^)\n]*\))?:|from [\w.]+ import [\w(*]",
    "javascript": r"(?:export )?(?:default )?(?:async )?function\b.*\{$|(?:const|let|var) .*(?:= require\(|=> ?\{$)"
    r"|import .* from ['\"]",
    "go": r"package \w+$|func (?:\(\w+ [*\w]+\) )?\w+\(.*\{$",
    "c": r"[ \t]*#[ \t]*include[ \t]*[<\"]",
    "java": r"(?:public |protected |abstract |final )+(?:class|interface|enum) \w|import (?:static )?[\w.*]+;$",
    "rust": r"(?:pub )?fn \w+[(<].*\{$|use \w+::.*;$|impl\b.*\{$",
    "sql": r"CREATE (?:OR REPLACE )?(?:TABLE|VIEW|FUNCTION|INDEX)\b|INSERT INTO \w|SELECT .*|WITH \w+ AS \(",
}  # fmt: skip
_SHOWN = {name: re.compile(f"^(?:{signs})", re.MULTILINE) for name, signs in _SIGNS.items()}
_CHANGES = re.compile(r"^(?:diff |@@ |\+\+\+ |--- \S)", re.MULTILINE)
_SHEBANG = re.compile(r"#!\S*[ /](python|node|bash|sh)\b")
_LONGEST = 200_000
"""Characters of a program that is read; a longer one is left alone."""


class Program(NamedTuple):
    """A program in a text."""

    region: Span
    """All of it, with the fence around it."""
    source: Span
    language: str


def programs(text: str) -> Iterator[Program]:
    """The programs in `text` whose language is certain, ascending and disjoint; linear in its length."""
    end = 0
    for start, stop in sorted(code(text), key=lambda span: (span[0], -span[1])):
        if start < end:
            continue
        end = stop
        inner, name = _source(text, (start, stop))
        if name is not None and inner[1] - inner[0] <= _LONGEST:
            yield Program((start, stop), inner, name)


def _source(text: str, region: Span) -> tuple[Span, str | None]:
    """What of a region is program text, and its language."""
    if fence := _FENCE.match(text, *region):
        closing = _END.search(text, max(fence.end() - 1, region[1] - 200), region[1])
        return (fence.end(), max(closing.start() if closing else region[1], fence.end())), language(
            fence["name"]
        )
    content = text[slice(*region)]
    if shebang := _SHEBANG.match(content):
        return region, language(shebang[1])
    shown = [name for name, signs in _SHOWN.items() if signs.search(content)]
    return region, shown[0] if len(shown) == 1 and not _CHANGES.search(content) else None
