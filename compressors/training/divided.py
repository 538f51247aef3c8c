"""Files of texts: plain, in xz or in gzip, a line `<|endoftext|>` between two. Knows no rows and no tokens."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO

from compressors.errors import CompressionError

_END = "<|endoftext|>"
_OPENED: dict[str, Callable[..., IO[str]]] = {
    ".txt": open,
    ".md": open,
    ".txt.xz": lzma.open,
    ".txt.gz": gzip.open,
}
ENDINGS = tuple(_OPENED)
"""Of the names of such files."""


def read(path: Path) -> Iterator[str]:
    """The texts of a file, without white space around them; empty ones are skipped.

    Raises `CompressionError` for a file that can't be read, or whose name doesn't end in one of `ENDINGS`.
    """
    opened = next((opened for ending, opened in _OPENED.items() if path.name.endswith(ending)), None)
    if opened is None:
        raise CompressionError(f"{path}: expected a file that ends in {', '.join(ENDINGS)}")
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            parts = groupby(file, key=lambda line: line.strip() == _END)
            yield from filter(None, ("".join(lines).strip() for ends, lines in parts if not ends))
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError) as error:
        raise CompressionError(f"{path}: not text in UTF-8: {type(error).__name__}") from error
