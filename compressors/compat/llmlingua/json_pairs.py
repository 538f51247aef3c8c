"""JSON objects as texts with tags and back, by rules for each key, as `llmlingua` 0.2.2 has them.

Knows no model. Rules are `{key: {"rate": 0.5, "compress": True, "value_type": "str", "pair_remove": False}}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from compressors.errors import CompressionError

_WHOLE, _END = "<llmlingua, compress=False>", "</llmlingua>"
_TYPES = {
    "string": ("str", "string"),
    "integer": ("int", "integer"),
    "number": ("float", "number"),
    "boolean": ("bool", "boolean"),
    "sequence": ("list", "List", "tuple"),
    "mapping": ("dict", "dictionary"),
}
_BOOLEANS: dict[Any, str] = {
    **dict.fromkeys(("True", "true", "TRUE", True), "true"),
    **dict.fromkeys(("False", "false", "FALSE", False), "false"),
}


def tagged_pairs(
    data: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], list[int]]:
    """A text with tags for each brace and pair of `data`, and the places of those that stay in any case.

    Raises `CompressionError` if the rules are for other keys, lack a field or don't fit a value.
    """
    if set(data) != set(rules):
        odd = ", ".join(sorted(map(str, set(data) ^ set(rules))))
        raise CompressionError(f"the rules have to be for the keys of the data; these differ: {odd}")
    texts = [f"{_WHOLE}{{{_END}"]
    forced = [0]
    last = len(data) - 1
    for number, (key, value) in enumerate(data.items()):
        try:
            rule = rules[key]
            if not rule["pair_remove"]:
                forced.append(number + 1)
            rate = rule["rate"] if rule["compress"] else 1
            pair = _pair(key, value, rule["value_type"], rate)
        except KeyError as error:
            raise CompressionError(f"the rule for key {number} lacks {error}") from error
        texts.append(pair + (_END if number == last else f", {_END}"))
    return [*texts, f"{_WHOLE}}}{_END}"], [*forced, len(data) + 1]


def parsed(text: str, data: Mapping[str, Any]) -> Any:
    """The object that a compressed `text` spells; `data` where it is no JSON any more, and the package fails.

    Repeated commas become one, inside values too, as in the package.
    """
    try:
        return json.loads(re.sub(r"(?:,\s*)+", ",", text))
    except json.JSONDecodeError:
        return dict(data)


def _pair(key: str, value: Any, kind: str, rate: float) -> str:
    """A key and its value, tagged and without the end tag."""
    if rate == 1:
        return _WHOLE + json.dumps({key: value})[1:-1]
    name = next((name for name, spellings in _TYPES.items() if kind in spellings), None)
    if name is None:
        allowed = ", ".join(spelling for spellings in _TYPES.values() for spelling in spellings)
        raise CompressionError(f"value_type can't be {kind!r}; allowed: {allowed}")
    try:
        return f"{_WHOLE}{json.dumps({key: 0})[1:-2]}{_value(name, value, rate)}"
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CompressionError(f"a value is no {kind}: {type(error).__name__}") from error


def _value(name: str, value: Any, rate: float) -> str:
    if name in ("integer", "number"):
        return _open(str(int(value) if name == "integer" else float(value)), rate)
    if name == "boolean":
        return f'"{_open(_BOOLEANS[value], rate)}"'
    if name == "string":
        return f'"{_open(json.dumps(str(value))[1:-1], rate)}"'
    items = map(str, value) if name == "sequence" else (f"{key}: {item}" for key, item in value.items())
    return _items(items, rate)


def _items(items: Iterable[str], rate: float) -> str:
    """A list of strings; the package spells tuples with parentheses, which no JSON has."""
    return '["' + '", "'.join(_open(item, rate) for item in items) + '"]'


def _open(text: str, rate: float) -> str:
    """`text` at a rate of its own within what stays whole."""
    return f"{_END}<llmlingua, rate={rate}>{text}{_END}{_WHOLE}"
