"""Names that mean nothing once altered: program identifiers, codes, hashes, handles, citations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_WORD = re.compile(
    r"""
    (?<!\w)[A-Z]*+[a-z]*+(?:
        (?<=[a-z])[A-Z]\w*+(?:\.\w++)*+                     # camelCase  PascalCase
      | _\w*+(?:[.:-]++\w++)*+                              # snake_case  CONSTANT_CASE  __init__
      | (?:(?<=[A-Za-z])\d|\d++[A-Za-z_])\w*+(?:(?:-|\.(?=[A-Za-z_]))\w++)*+    # HAT069  4f3a9c…
      | (?<=[A-Za-z]{2})(?:(?:\.|::|->)[A-Za-z_]\w++)++     # dotted.names  std::vector  setup.py
      | (?<=[A-Za-z])(?:-[A-Za-z]++)?-(?=[A-Za-z]*+\d)\w++(?:-\w++|\.\d\w*+)*+  # ABC-1234
      | (?<=[a-fA-F]{8})-[\da-fA-F]{4}-[\da-fA-F-]{22,27}   # a UUID that begins without a digit
      | (?<=[A-Za-z])(?:\+\+|\#)(?!\w)                      # C++  C#
      | (?<=[A-Za-z]{2})(?=\(\))                            # call()
      | (?<=[a-f]{8})(?<!\w[a-f]{8})[a-f]*+(?!\w)          # a hash of letters alone
    )(?:\(\)(?:\.\w++(?:\(\))?)*+)?
    """,
    re.VERBOSE | re.ASCII,
)
_MARKED = re.compile(
    r"""
    -(?<![\w-]-)-?[A-Za-z][\w-]*+(?:=[^\s"'<>()]{1,200})?       # --flag=value
  | [@\#](?<![\w&/].)[A-Za-z]\w++ | \.(?<![\w./]\.)[A-Za-z]\w{2,}+(?:\.\w++)*+  # @handle  #topic  .env
  | \$\{?[A-Za-z_]\w*+\}?(?:(?:->|\.)[A-Za-z]\w*+)*+           # $HOME  ${HOME}  $x->y
  | \[(?:\^\w{1,20}|@[\w:-]{1,60}|\d{1,4}(?:\s?[,–-]\s?\d{1,4}){0,20})\]  # [3]  [1, 2]  [^1]  [@key]
    """,
    re.VERBOSE | re.ASCII,
)


def identifiers(text: str, start: int, end: int) -> Iterator[Span]:
    """Identifiers, codes, hashes, command line flags, handles and citation marks in `text[start:end]`."""
    for pattern in (_WORD, _MARKED):
        yield from (match.span() for match in pattern.finditer(text, start, end))
