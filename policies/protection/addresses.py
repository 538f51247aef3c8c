"""URLs, e-mail addresses and file paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

# Text in Chinese, Japanese or Korean goes on after an address without a space, so addresses are ASCII here.
_URL = r"[\w\-.~:/?\#\[\]@!$&*+,;=%|^\\]"
_NAME = r"(?:\.{0,2}[\w@%+~-]++(?:\.[\w@%+~-]++)*+)"
_LINE_NUMBER = r"(?::\d++)*+"
_WORDLIKE = re.compile(
    rf"""
    (?<![\w.%+-])[\w.%+-]++(?:
        (?<=[A-Za-z\d])://(?:{_URL}|\({_URL}*+\)){{1,8000}}(?<![.,;:!?\]*])  # https://…
      | @[\w-]++(?:\.[\w-]++)++                                              # an e-mail address
      | (?:/{_NAME}){{2,}}+/?{_LINE_NUMBER}                                  # a/b/c
      | /{_NAME}(?:(?<=\.\w)|(?<=\.\w\w)|(?<=\.\w\w\w)|(?<=\.\w{{4}})|/){_LINE_NUMBER}  # src/app.py:3
      | :\\[^\s"'<>|*?]++                                                    # C:\x
      | (?<=mailto):{_URL}++ | (?<=data):[\w/+.-]{{3,80}};base64,[\w+/=]++
    )
    """,
    re.VERBOSE | re.ASCII,
)
_ROOTED = re.compile(
    rf"""
    [~/.$](?<![\w/.\\<-].)(?:(?<=~)/|(?<=\.)\.?/|(?<=\$)\w++/|(?<=/)(?=\w\w)){_NAME}(?:/{_NAME})*+(?![^\x00-\x7f])/?{_LINE_NUMBER}
  | \\\\[\w.-]++\\[^\s"'<>|*?]++                                             # \\host\x
  | www\.(?<![\w.]www\.){_URL}{{1,8000}}(?<![.,;:!?\]*])
    """,
    re.VERBOSE | re.ASCII,
)


def urls(text: str, start: int, end: int) -> Iterator[Span]:
    """URLs, e-mail addresses and paths in `text[start:end]`, without the sentence's punctuation."""
    for pattern in (_WORDLIKE, _ROOTED):
        yield from (match.span() for match in pattern.finditer(text, start, end))
