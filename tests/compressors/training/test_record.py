"""The file that a training leaves for its model's card."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import compressors
from compressors.errors import CompressionError
from compressors.training.record import FILE, Data, Record, before, digest, load


def record(**changes: Any) -> Record:
    data = Data(
        name="a",
        path="a.jsonl",
        sha256="0" * 64,
        share=1.0,
        rows=40,
        held_out_rows=1,
        tokens=900,
        words=700,
        label_rate=0.4,
    )
    fields: dict[str, Any] = {
        "task": "classifier",
        "command": "laconic train fit --data a.jsonl --start encoder --out folder",
        "start": "encoder",
        "parameters": 12,
        "data": [data],
        "settings": {"rate": 1e-4, "layers": [0, 2], "offsets": True},
        "seed": 1,
        "steps": 10,
        "tokens": 1000,
        "minutes": 0.5,
        "precision": "float32",
        "environment": compressors.environment(),
        "figures": {"a": {"f1": 0.8, "average_precision": 0.7}},
    }
    return Record(**{**fields, **changes})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = record(before=record(start="another"))
    written.save(tmp_path)
    assert load(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_what_is_no_record_is_refused_by_the_field(tmp_path: Path) -> None:
    with pytest.raises(CompressionError, match="is no training's folder"):
        load(tmp_path)
    fields = record().model_dump()
    fields["data"][0]["share"] = 2
    (tmp_path / FILE).write_text(json.dumps(fields))
    with pytest.raises(CompressionError, match=r"training\.json: data\.0\.share: .*less than or equal to 1"):
        load(tmp_path)


def test_a_start_that_was_trained_here_brings_its_record(tmp_path: Path) -> None:
    (tmp_path / "first" / "model").mkdir(parents=True)
    written = record()
    written.save(tmp_path / "first")
    assert before(str(tmp_path / "first" / "model")) == written
    assert before(str(tmp_path / "first")) is None
    assert before("bert-base-uncased") is None


def test_a_digest_is_of_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    assert digest(tmp_path / "a") == hashlib.sha256(b"text").hexdigest()
