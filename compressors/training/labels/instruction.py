"""What an LLM is told about a text. Owns the form of the file; knows no LLM."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from compressors.errors import CompressionError

_OWN = Path(__file__).with_name("instruction.txt")
_PLACE = "{text}"


@dataclass(frozen=True, slots=True)
class Instruction:
    """A file's wording, in which `{text}` stands for the text to shorten."""

    wording: str

    def about(self, text: str) -> str:
        """The message to send."""
        return self.wording.replace(_PLACE, text)

    @property
    def digest(self) -> str:
        """Tells wordings apart: 8 hexadecimal digits."""
        return hashlib.sha256(self.wording.encode()).hexdigest()[:8]


def read_instruction(path: Path | None = None) -> Instruction:
    """The instruction in a file, or laconic's own.

    Raises `CompressionError` unless `{text}` stands in it exactly once.
    """
    path = path or _OWN
    try:
        wording = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CompressionError(f"{path}: not text in UTF-8: {type(error).__name__}") from error
    if wording.count(_PLACE) != 1:
        raise CompressionError(
            f"{path}: {_PLACE} must stand where the text goes, once; found {wording.count(_PLACE)}"
        )
    return Instruction(wording)
