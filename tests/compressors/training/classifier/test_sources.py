"""Files of rows, and what of them is held out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compressors.errors import CompressionError
from compressors.training.classifier.examples import Examples
from compressors.training.classifier.sources import load

Write = Callable[..., Path]


def _row(number: int, **fields: Any) -> dict[str, Any]:
    return {"text": f"Anna {number}", "words": ["Anna", str(number)], "labels": [1, 0], **fields}


def test_one_document_in_forty_is_held_out_whole(examples: Examples, write: Write) -> None:
    rows = [_row(i, document=f"d{i % 400}", labels=[(i % 400) / 400, 0]) for i in range(800)]
    source = load(write("a", *rows), examples)
    held_out = [float(example.labels[0]) for example in source.held_out]
    training = {float(example.labels[0]) for example in source.training}
    assert len(held_out) == source.held_out_rows == 20
    assert len(set(held_out)) == 10
    assert training.isdisjoint(held_out)
    assert source.words == 2 * (800 - 20)


def test_a_document_is_held_out_of_every_file(examples: Examples, write: Write) -> None:
    one = load(write("a", *(_row(i, document=f"d{i}", labels=[i / 80, 0]) for i in range(80))), examples)
    two = load(write("b", *(_row(i, document=f"d{i}", labels=[i / 80, 1]) for i in range(80))), examples)
    assert [example.labels[0] for example in one.held_out] == [example.labels[0] for example in two.held_out]


def test_equal_texts_stay_together(examples: Examples, write: Write) -> None:
    source = load(write("a", *(_row(i // 2) for i in range(40))), examples)
    ids = [[tuple(example.ids) for example in part] for part in (source.training, source.held_out)]
    assert set(ids[0]).isdisjoint(ids[1]) or len(set(ids[0] + ids[1])) == 1


def test_a_small_source_has_held_out_rows_too(examples: Examples, write: Write) -> None:
    assert load(write("a", *(_row(i, document=str(i)) for i in range(12))), examples).held_out_rows == 3
    assert load(write("b", *(_row(i, document=str(i)) for i in range(2))), examples).held_out_rows == 1


def test_one_document_can_not_be_split(examples: Examples, write: Write) -> None:
    with pytest.raises(CompressionError, match=r"a\.jsonl: .* at least two documents"):
        load(write("a", *(_row(i, document="same") for i in range(9))), examples)
