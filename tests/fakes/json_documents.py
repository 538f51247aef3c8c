"""JSON of every shape, spelled in every way, and what a strict reader makes of it."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import strategies as st


def parsed(document: str) -> Any:
    """A document with objects as tuples of pairs and numbers as they were written."""
    return json.loads(
        document, object_pairs_hook=tuple, parse_int=lambda n: f"#{n}", parse_float=lambda n: f"#{n}"
    )


KEYS = ["d", "id", "meta", "n.d", "ключ", "d\n", '"', "x"]
CHARACTERS = [*"ab \n\t\"\\/é😀今<>,:{}[]'\u2028\x7f", "the ", "old ", "word"]
_NUMBERS = ["0", "-0.0", "1.10", "1e400", "12345678901234567890", "1E-7", "0.1000", "9" * 5000]
_LEAVES = st.one_of(
    st.lists(st.sampled_from(CHARACTERS), max_size=12).map("".join),
    st.text(max_size=8),
    st.sampled_from(_NUMBERS).map(lambda number: ("number", number)),
    st.sampled_from([True, False, None]),
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.lists(st.tuples(st.sampled_from(KEYS), inner), max_size=5)
    return st.lists(inner, max_size=4) | pairs.map(lambda pairs: {"pairs": pairs})


DOCUMENTS = _containers(st.recursive(_LEAVES, _containers, max_leaves=20))


def written(value: Any, chance: random.Random) -> str:
    """`value` as JSON, with white space and escapes by chance."""

    def blank() -> str:
        return chance.choice(["", "", " ", "\n  ", "\t"])

    def string(content: str) -> str:
        style = chance.randrange(3)
        if style == 2:
            return '"' + "".join(
                json.dumps(c)[1:-1] if chance.random() < 0.5 or c in '"\\' or c < " " else c for c in content
            ).replace("/", chance.choice(["/", r"\/"])) + '"'  # fmt: skip
        return json.dumps(content, ensure_ascii=style == 1)

    match value:
        case str():
            return string(value)
        case ("number", number):
            return str(number)
        case list():
            inner = ",".join(blank() + written(item, chance) + blank() for item in value)
            return f"[{inner or blank()}]"
        case dict():
            pairs = [
                blank() + string(key) + blank() + ":" + blank() + written(item, chance) + blank()
                for key, item in value["pairs"]
            ]
            return "{" + (",".join(pairs) or blank()) + "}"
        case _:
            return json.dumps(value)
