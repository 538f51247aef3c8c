"""URLs, e-mail addresses and file paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

# Text in Chinese, Japanese or Korean goes on after an address without a space, so addresses are ASCII here.
_URL = r"[\w\-.~:/?\#\[\]@!$&*+,;=%|^\\]"
_PART = r"(?:[\w@%+~-]|\{\w{1,40}\})++"
_NAME = rf"(?:\.{{0,2}}{_PART}(?:\.{_PART})*+)"
_LINE_NUMBER = r"(?::\w++(?:[.-]\w++)*+)*+"  # or a tag, as images have
_WINDOWS = r"""\\[^\s"'<>|*?]{1,1000}(?<![.,;:!?])"""
_WORDLIKE = re.compile(
    rf"""
    (?<![\w.%+-])[\w.%+-]++(?:
        (?<=[A-Za-z\d])://(?:{_URL}|\({_URL}*+\)){{1,8000}}(?<![.,;:!?\]*])  # https://…
      | @[\w-]++(?:\.[\w-]++)++(?::[\w./~-]*[\w/])?                          # me@x.org  git@x.org:a/b.git
      | (?:/{_NAME}){{2,}}+/?{_LINE_NUMBER}                                  # a/b/c
      | /{_NAME}(?:(?<=\.\w)|(?<=\.\w\w)|(?<=\.\w\w\w)|(?<=\.\w{{4}})|/){_LINE_NUMBER}  # src/app.py:3
      | :{_WINDOWS}                                                          # C:\x
      | (?<=mailto):{_URL}++ | (?<=data):[\w/+.-]{{3,80}};base64,[\w+/=]++
    )
    """,
    re.VERBOSE | re.ASCII,
)
_ROOTED = re.compile(
    rf"""
    [~/.$](?<![\w/.\\<-].)(?:(?<=~)/|(?<=\.)\.?/|(?<=\$)\w++/|(?<=/)(?=\w\w)){_NAME}
      (?:(?:/{_NAME})++|(?![^\x00-\x7f]))/?{_LINE_NUMBER}
  | \\\\[\w.-]++{_WINDOWS} | %\w++%{_WINDOWS}                                 # \\host\x  %APPDATA%\x
  | @(?<![\w@]@)[\w-]++/[\w.-]++(?<!\.)                                      # @scope/package
  | www\.(?<![\w.]www\.){_URL}{{1,8000}}(?<![.,;:!?\]*])
    """,
    re.VERBOSE | re.ASCII,
)


def urls(text: str, start: int, end: int) -> Iterator[Span]:
    """URLs, e-mail addresses and paths in `text[start:end]`, without the sentence's punctuation."""
    for pattern in (_WORDLIKE, _ROOTED):
        yield from (match.span() for match in pattern.finditer(text, start, end))
