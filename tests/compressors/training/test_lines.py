"""Files of rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from compressors import CompressionError
from compressors.training.lines import Growing, read, write


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    rows = [{"text": "naïve\u2028"}, {"text": "b"}]
    write(tmp_path / name, rows)
    assert [row for _, row in read(tmp_path / name)] == rows
    assert [place for place, _ in read(tmp_path / name)] == [f"{tmp_path / name}:{line}" for line in (1, 2)]


def test_a_file_grows_after_an_interruption(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with Growing(path) as file:
        file.add({"number": 1})
        assert [row for _, row in read(path)] == [{"number": 1}]
    with path.open("a") as torn:
        torn.write('{"numb')
    with Growing(path) as file:
        assert [row for _, row in file.rows()] == [{"number": 1}]
        file.add({"number": 2})
    assert [row["number"] for _, row in read(path)] == [1, 2]


def test_a_failure_leaves_no_file_half_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write(path, [{"number": 1}])
    with pytest.raises(TypeError):
        write(path, [{"number": 2}, {"number": object()}])
    assert [row["number"] for _, row in read(path)] == [1]


def test_gzip_can_not_grow(tmp_path: Path) -> None:
    with pytest.raises(CompressionError, match="leave out"):
        Growing(tmp_path / "rows.jsonl.gz")


@pytest.mark.parametrize(
    ("line", "found"), [("[1]", "found list"), ("[" * 100_000, "nested too deeply"), ("{", "not JSON")]
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, found: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(line)
    with pytest.raises(CompressionError, match=f"rows.jsonl:1: .*{found}"):
        list(read(path))
