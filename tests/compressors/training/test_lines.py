"""Files of rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from compressors import CompressionError
from compressors.training.lines import Growing, name_of, read, write


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


def test_a_row_without_the_end_of_its_line_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"number": 1}\n{"number": 2}')
    with Growing(path) as file:
        file.add({"number": 3})
    assert [row["number"] for _, row in read(path)] == [1, 2, 3]


def test_a_file_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Anna,\nall is well")
    with pytest.raises(CompressionError, match=r"letter\.txt holds no rows"), Growing(path):
        pass
    assert path.read_text() == "Dear Anna,\nall is well"


def test_halves_of_characters_become_question_marks(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a\\ud83d b\\ud83d\\ude00"}\n')
    assert [row for _, row in read(path)] == [{"text": "a? b\U0001f600"}]
    with Growing(path) as file:
        file.add({"text": "\udc00"})
    write(tmp_path / "other.jsonl", [{"text": "\udc00"}])
    assert [row["text"] for _, row in read(path)][1:] == ["?"]
    assert [row["text"] for _, row in read(tmp_path / "other.jsonl")] == ["?"]


def test_rows_are_called_as_their_file() -> None:
    assert [name_of(Path(name)) for name in ("x/a.jsonl.gz", "a.jsonl", "a.b")] == ["a", "a", "a.b"]


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
