"""How a text is cut: by the tags in it and by the policy's rules for JSON, both at once.

Owns the order of the two: tags go first, for JSON is JSON only without them. Knows neither's syntax.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.config import JsonRule
from policies.json_rules import json_sections
from policies.segments import Section, sections


def cut(text: str, *, tags: bool, rules: Sequence[JsonRule]) -> tuple[Section, ...]:
    """Split `text` into what remains of it, in order: without tags, if they are obeyed, and removed pairs.

    What a tag or a rule wants kept must stay. A tag's rate goes before a rule's. A text without either is one
    section, even if empty.
    """
    parts = sections(text) if tags else (Section((0, len(text)), None, True),)
    if not rules or not text:
        return parts
    bare = "".join(text[slice(*part.span)] for part in parts)
    return tuple(_crossed(parts, json_sections(bare, rules)))


def _crossed(parts: Sequence[Section], cuts: Sequence[Section]) -> Iterator[Section]:
    """Where `parts` of a text meet `cuts` of what they make when put together; spans are the text's."""
    index = start = 0  # of the next cut; of the part in the text put together
    for part in parts:
        shift = part.span[0] - start
        end = part.span[1] - shift
        while index < len(cuts) and cuts[index].span[0] < end:
            first, last = cuts[index].span
            if max(first, start) < min(last, end):
                span = max(first, start) + shift, min(last, end) + shift
                yield Section(span, part.rate or cuts[index].rate, part.compress and cuts[index].compress)
            if last > end:
                break
            index += 1
        start = end
