"""A compressor that may shorten anything it is allowed to, and a view of what that is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from policies.json_rules import json_sections
from policies.rules import JsonRule

_RULES = TypeAdapter(tuple[JsonRule, ...])


def json_rules(*rules: dict[str, Any]) -> tuple[JsonRule, ...]:
    """The rules of a configuration file."""
    return _RULES.validate_python(rules)


def marked(text: str, rules: Sequence[JsonRule]) -> str:
    """What remains of `text`, with ‹› around what may be shortened."""
    parts = [(text[slice(*part.span)], part.compress) for part in json_sections(text, rules)]
    return "".join(f"‹{content}›" if compress else content for content, compress in parts)


def torn(text: str, rules: Sequence[JsonRule], chance: random.Random) -> str:
    """What remains of `text` once runs of characters went from all that may be shortened."""
    kept = []
    for part in json_sections(text, rules):
        content = text[slice(*part.span)]
        if part.compress:
            cuts = sorted(chance.choices(range(len(content) + 1), k=4))
            content = content[: cuts[0]] + content[cuts[1] : cuts[2]] + content[cuts[3] :]
        kept.append(content)
    return "".join(kept)
