"""Comments and strings of several lines: what is prose in them belongs to the code around."""

from __future__ import annotations

import re

_COMMENT = re.compile(
    r"\s*(?:(/\*)|(\{-)|(--\[=*\[)|(<!--)|(<#)|(%\{$)|(#=)|(=begin\b)|(=(?:head[1-4]|pod|over|item)\b)|(\(\*))"
)
_CLOSERS = ("*/", "-}", "]", "-->", "#>", "%}", "=#", "=end", "=cut", "*)")  # in the order of the groups
_HEREDOC = re.compile(r"<<[-~]?\s?[\"']?([A-Z_]{2,40})\b")
_QUOTES = ('"""', "'''", "`")
_LONGEST = 4000  # characters


def end_of_comment(text: str, start: int, end: int) -> int:
    """Where the comment or string ends that the line `text[start:end]` begins; `end` if it begins none.

    One that isn't closed within 4,000 characters is none.
    """
    line = text[start : min(end, start + _LONGEST)]
    at, closer = end, ""
    if comment := _COMMENT.match(line):
        closer = _CLOSERS[(comment.lastindex or 1) - 1]
        at = start + comment.end()
    elif heredoc := _HEREDOC.search(line):
        closer = f"\n{heredoc[1]}"
    elif "```" not in line:
        closer = next((quote for quote in _QUOTES if line.count(quote) % 2), "")
    found = text.find(closer, at, at + _LONGEST) if closer else -1
    return max(found + len(closer), end)
