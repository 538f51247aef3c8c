"""What of the JSON in a text may be shortened, and what is left out, by rules about keys and by its layout.

Owns the cuts inside strings: no escape and no word with one in it is ever torn apart. Knows neither where
JSON stands (`json_values`) nor how rules are looked up (`json_reading`) or what a layout needs (`json_layout`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from policies.json_layout import blanks, repeated_keys
from policies.json_reading import Reading, RuleBook, read
from policies.json_values import find_data
from policies.loose import UNSPACED, shortenable
from policies.protection import Span
from policies.protection.spans import subtract, union
from policies.rules import JsonLayout, JsonRule
from policies.segments import Section, with_rest_kept

_BLANK = r"\\(?:[bfnrt]|u(?:00(?:[01][\da-fA-F]|[2aA]0)|20(?:0[\daA]|2[89fF])|3000))"  # escaped white space
_INK = rf"(?!{_BLANK})\\(?:u[\da-fA-F]{{4}}|.)"  # any other escape
_LETTER = rf"[^\s\\{UNSPACED}]"
_PLAIN = rf"(?P<plain>(?:{_LETTER}++(?!{_INK})|\s++|[{UNSPACED}]++)++)"
_ESCAPED = rf"(?:{_LETTER}*+{_INK})++{_LETTER}*+|{_BLANK}"
_WORDS = re.compile(f"{_PLAIN}|{_ESCAPED}")


def json_sections(
    text: str, rules: Sequence[JsonRule], layout: JsonLayout = "as_is", kept: Sequence[Span] = ()
) -> tuple[Section, ...]:
    """Split `text` so that of its JSON only strings to which one of `rules` gives a rate may be shortened.

    In such a string, escapes and the words around them must stay, so do white space next to what may be
    shortened and stretches of a single word. All else of the JSON must stay too, and wholly what is malformed;
    rules don't reach into what is nested more than 100 levels deep. Removed pairs lie in no section, nor does
    one comma for each, nor what `layout` leaves out of values that none of `kept` (ascending, disjoint) meets.
    Text around the JSON may be shortened as the policy says. A text without JSON is one section, even if empty,
    and so is one in which a layout without rules has nothing to leave out. Linear in the length of `text`.
    """
    whole = (Section((0, len(text)), None, True),)
    data = find_data(text)
    if not data.regions:
        return whole
    book = RuleBook(rules)
    holes: list[Span] = []
    around = subtract([(0, len(text))], data.regions)
    loose = [Section(span, None, True) for span in shortenable(text, around)]
    for value in data.values:
        strings, removed = read(text, value, book) if rules else Reading([], [])
        holes += removed
        if layout != "as_is" and not _meet(value, kept):
            holes += _left_out(text, value, layout, union(removed))
        for content, rate in strings:
            loose += [Section(span, rate, True) for span in shortenable(text, _plain(text, content))]
    if not rules and not holes:
        return whole
    return with_rest_kept(text, loose, holes)


def _left_out(text: str, value: Span, layout: JsonLayout, removed: Sequence[Span]) -> Iterator[Span]:
    yield from blanks(text, value)
    if layout == "tabular":
        yield from repeated_keys(text, value, removed)


def _meet(value: Span, kept: Sequence[Span]) -> bool:
    """Whether any of `kept` has characters of `value`."""
    after = bisect_left(kept, (value[1], 0))
    return after > 0 and kept[after - 1][1] > value[0]


def _plain(text: str, content: Span) -> Iterator[Span]:
    """The stretches of a string's content that hold neither escapes nor parts of a word with an escape."""
    if text.find("\\", *content) < 0:
        yield content
        return
    for match in _WORDS.finditer(text, *content):
        if match["plain"]:
            yield match.span()
