"""Reads documents from files of several kinds. Owns which field or message holds a text; knows no tokens."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressors.errors import CompressionError
from compressors.training import lines

_END = "<|endoftext|>"
_GROUPS = ("document", "conversation", "meeting", "id")
"""Fields that say what a row belongs to."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where it comes from."""

    text: str
    source: str
    document: str
    """Names what must not be split between training and held-out data."""


def documents(path: Path) -> Iterator[Document]:
    """The texts in a file, by its ending.

    - `.txt`, `.md`: one text; `.txt.xz`: texts between lines that hold only `<|endoftext|>`.
    - `.jsonl`, `.jsonl.gz`: rows with `text`, `words`, `messages` or `request`, the latter two being chat requests
      as `laconic serve --capture` writes them. Each message's text comes once, though every turn repeats it.

    Raises `CompressionError` for other files, bad rows and redacted captures.
    """
    name = path.name
    for ending, read in _READERS.items():
        if name.endswith(ending):
            for text, source, document in read(path):
                if text.strip():
                    yield Document(text, source or name.removesuffix(ending), document)
            return
    raise CompressionError(f"{path}: expected a file that ends in {', '.join(_READERS)}")


_Found = Iterator[tuple[str, str, str]]


def _whole(path: Path) -> _Found:
    try:
        yield path.read_text(encoding="utf-8"), "", str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise CompressionError(f"{path}: not text in UTF-8: {type(error).__name__}") from error


def _divided(path: Path) -> _Found:
    number, held = 1, ""
    try:
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                if line.strip() == _END:
                    yield held, "", f"{path.name}:{number}"
                    number, held = number + 1, ""
                else:
                    held += line
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise CompressionError(f"{path}: not xz text in UTF-8: {type(error).__name__}") from error
    yield held, "", f"{path.name}:{number}"


def _rows(path: Path) -> _Found:
    seen: set[str] = set()
    for place, row in lines.read(path):
        group = next(
            (str(row[field]) for field in _GROUPS if field in row), place.removeprefix(f"{path.parent}/")
        )
        for text in _texts(row, place):
            if text not in seen:
                seen.add(text)
                yield text, str(row.get("source", "")), group


def _texts(row: lines.Row, place: str) -> Iterator[str]:
    if row.get("redacted"):
        raise CompressionError(
            f"{place}: a redacted capture holds made-up words, which teach nothing; "
            "capture without --capture-redact"
        )
    request = row.get("request", row)
    if "text" in row:
        yield lines.text_of(row, "text", place)
    elif isinstance(row.get("words"), list):
        yield " ".join(map(str, row["words"]))
    elif isinstance(request, dict) and isinstance(request.get("messages"), list):
        for message in request["messages"]:
            yield from _contents(message)
    else:
        raise CompressionError(f"{place}: expected a field text, words, messages or request with messages")


def _contents(message: Any) -> Iterator[str]:
    content = message.get("content") if isinstance(message, dict) else None
    for part in content if isinstance(content, list) else [{"text": content}]:
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            yield text


_READERS: dict[str, Callable[[Path], _Found]] = {
    ".txt": _whole,
    ".md": _whole,
    ".txt.xz": _divided,
    ".jsonl": _rows,
    ".jsonl.gz": _rows,
}
