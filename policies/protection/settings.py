"""Configuration by lines of keys and values: TOML, INI, properties, environment files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_LINE = re.compile(r"[^\n]+")
_SECTION = re.compile(r"\s*\[{1,2}[\w.\s\"'/:*@-]{1,80}\]{1,2}\s*(?:[#;].*)?$")
_PAIR = re.compile(
    r"\s{0,8}(?:export\s)?[\w.\"'/$-]{1,80}(?:\[\w*\])?\s?=(?!=)|\s*[A-Za-z][\w.-]{0,60} {0,20}=\s"
)
_NAMED = re.compile(r"\s*[A-Za-z][\w.-]{0,60}\s?:\s+\S{1,60}$")
_COMMENT = re.compile(r"\s*[#;]")
_REST = re.compile(r"\s+[\"'\[{]|\s*[\]})]+,?$")
_MOST_BREAKS = 2  # between two lines of a configuration
_FEWEST_PAIRS = 3  # where no section says that it is a configuration


def settings(text: str) -> Iterator[Span]:
    """Sections with their pairs, and pairs without a section if there are three in a row."""
    start = end = pairs = 0
    section = False
    for line in _LINE.finditer(text):
        near = start < end and text.count("\n", end, line.start()) <= _MOST_BREAKS
        is_section = _SECTION.match(line[0]) is not None
        is_pair = _PAIR.match(line[0]) is not None or (section and _NAMED.match(line[0]) is not None)
        if near and (is_section or is_pair or _COMMENT.match(line[0]) or (pairs and _REST.match(line[0]))):
            end = line.end()
        else:
            if _is_configuration(pairs, section=section):
                yield start, end
            start = end = pairs = 0
            section = False
            if not (is_section or is_pair or _COMMENT.match(line[0])):
                continue
            start, end = line.span()
        pairs += is_pair
        section |= is_section
    if _is_configuration(pairs, section=section):
        yield start, end


def _is_configuration(pairs: int, *, section: bool) -> bool:
    return pairs >= (1 if section else _FEWEST_PAIRS)
