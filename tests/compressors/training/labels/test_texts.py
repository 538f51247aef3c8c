"""Documents of files."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from compressors import CompressionError
from compressors.training.labels import Document, documents, read_instruction


def _jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_plain_file_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "minutes.md"
    path.write_text("# Minutes\n\nNobody came.\n")
    assert list(documents(path)) == [Document("# Minutes\n\nNobody came.", "minutes", "minutes.md:1")]


def test_a_divided_file_is_many(tmp_path: Path) -> None:
    path = tmp_path / "novels.txt.xz"
    path.write_bytes(lzma.compress(b"One.\n<|endoftext|>\nTwo.\nTwo.\n<|endoftext|>\n"))
    assert list(documents(path)) == [
        Document("One.", "novels", "novels.txt.xz:1"),
        Document("Two.\nTwo.", "novels", "novels.txt.xz:2"),
    ]


def test_rows_say_where_they_come_from(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl.gz"
    rows = [
        {"text": "A.", "source": "mine", "document": 7},
        {"words": ["B", "."], "meeting": "m"},
        {"text": "C."},
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert list(documents(path)) == [
        Document("A.", "mine", "7"),
        Document("B .", "own", "m"),
        Document("C.", "own", "own.jsonl.gz:3"),
    ]


def test_each_message_of_a_conversation_comes_once(tmp_path: Path) -> None:
    first = {"role": "user", "content": "Hello there."}
    parts = [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {"url": "https://x"}}]
    path = _jsonl(
        tmp_path / "capture.jsonl",
        {"conversation": "c1", "request": {"messages": [first]}},
        {
            "conversation": "c1",
            "request": {
                "messages": [
                    first,
                    {"role": "assistant", "content": None},
                    {"role": "user", "content": parts},
                ]
            },
        },
        {"messages": [{"role": "user", "content": "Bye."}]},
    )
    assert [(found.text, found.document) for found in documents(path)] == [
        ("Hello there.", "c1"),
        ("Look.", "c1"),
        ("Bye.", "capture.jsonl:3"),
    ]


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.pdf", lambda path: path.write_text("x"), "expected a file that ends in .txt, .md, .txt.xz"),
        ("a.txt", lambda path: path.write_bytes(b"\xff"), "not text in UTF-8"),
        ("a.txt.xz", lambda path: path.write_bytes(b"no"), "not text in UTF-8"),
        ("a.jsonl.gz", lambda path: path.write_bytes(b"no"), "not JSON lines in UTF-8, plain or gzip"),
        (
            "a.jsonl",
            lambda path: path.write_text("{}\n{"),
            "expected a field text, words, messages or request",
        ),
        ("a.jsonl", lambda path: path.write_text('\n{"text": "a"'), r"a.jsonl:2: not JSON"),
        (
            "a.jsonl",
            lambda path: path.write_text('{"text": 5}'),
            r"a.jsonl:1: text: expected a text, found int",
        ),
        ("a.jsonl", lambda path: path.write_text('{"redacted": true, "request": {}}'), "redacted capture"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, write: Callable[[Path], object], message: str
) -> None:
    write(tmp_path / name)
    with pytest.raises(CompressionError, match=message):
        list(documents(tmp_path / name))


def test_an_instruction_has_one_place_for_the_text(tmp_path: Path) -> None:
    assert "nobody came" in read_instruction().about("nobody came")
    path = tmp_path / "own.txt"
    path.write_text("Shorten this: {text}\n")
    assert read_instruction(path).about("{text} x") == "Shorten this: {text} x"
    assert read_instruction(path).digest != read_instruction().digest
    path.write_text("Shorten this.")
    with pytest.raises(CompressionError, match=r"{text} must stand where the text goes, once; found 0"):
        read_instruction(path)
