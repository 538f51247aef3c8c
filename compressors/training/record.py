"""What a training leaves behind for its model's card: the file `training.json`.

Owns the file's form. Knows no model, no tensors and no texts.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from compressors.errors import CompressionError

FILE = "training.json"
Setting = bool | int | float | str | list[int] | list[str] | None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """One source of what was learned."""

    name: str
    """What its figures are called by."""
    path: str
    """As it was given."""
    sha256: str
    """Of the file; see `digest`."""
    share: float = Field(ge=0, le=1)
    """Of the training tokens."""
    rows: int
    """Rows or documents, those held out included."""
    held_out_rows: int
    tokens: int
    """Of the part that is not held out."""
    words: int | None = None
    label_rate: float | None = None
    """Mean label of a word, where words have labels."""


class Record(_Part):
    """A training, up to its last checkpoint."""

    task: Literal["classifier", "causal"]
    command: str
    """The line that, given again, repeats it."""
    start: str
    """The model that it began with, as it was given."""
    parameters: int
    data: list[Data]
    settings: dict[str, Setting]
    """Everything else that decides what is learned; by name."""
    seed: int
    steps: int
    tokens: int
    """Seen, over and over if need be."""
    minutes: float
    """Of training; pauses and validations don't count."""
    precision: str
    """float32 or bfloat16."""
    environment: dict[str, object]
    """See `compressors.environment`."""
    figures: dict[str, dict[str, float]]
    """Of the weights that are exported, on held-out rows: source → measure → value."""
    before: Record | None = None
    """The training that made the model it began with."""

    def save(self, folder: Path) -> None:
        """Write it into the training's folder, whole or not at all."""
        part = folder / f"{FILE}.part"
        part.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        part.replace(folder / FILE)


def load(folder: Path) -> Record:
    """The record in a training's folder; raises `CompressionError` if there is none or it is none."""
    path = folder / FILE
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise CompressionError(f"{folder} is no training's folder: it has no {FILE}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CompressionError(f"{path}: {where}: {first['msg']}") from error


def before(start: str) -> Record | None:
    """The record of the training whose folder holds the model `start`, if there is one."""
    folder = Path(start).expanduser().resolve().parent
    return load(folder) if (folder / FILE).exists() and Path(start).is_dir() else None


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
