"""Files of rows as sources of examples: what is trained on and what is held out. Knows no model and no steps."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compressors.errors import CompressionError
from compressors.training import holding_out, lines
from compressors.training.classifier.examples import Example, Examples
from compressors.training.record import digest
from compressors.training.rows import Row, read


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of one file."""

    name: str
    path: Path
    sha256: str
    rows: int
    held_out_rows: int
    questions: bool
    """Whether some rows have one."""
    training: Sequence[Example]
    held_out: Sequence[Example]

    @property
    def tokens(self) -> int:
        """To train on."""
        return sum(len(example.ids) for example in self.training)

    @property
    def words(self) -> int:
        """To train on."""
        return sum(len(example.labels) for example in self.training)

    @property
    def label_rate(self) -> float:
        """The mean label of a word to train on."""
        return float(np.concatenate([example.labels for example in self.training]).mean(dtype=np.float64))


def load(path: Path, examples: Examples) -> Source:
    """The source in `path`; raises `CompressionError` for a bad row or if there are less than two documents."""
    rows = list(read(path))
    groups = [group_of(row) for row in rows]
    held_out = holding_out.choose(set(groups))
    parts: tuple[list[Example], list[Example]] = ([], [])
    for some, group in zip(examples.of(rows), groups, strict=True):
        parts[group in held_out].extend(some)
    if not all(parts):
        raise CompressionError(
            f"{path}: some rows have to be held out, so rows of at least two documents are needed"
        )
    return Source(
        name=lines.name_of(path),
        path=path,
        sha256=digest(path),
        rows=len(rows),
        held_out_rows=sum(group in held_out for group in groups),
        questions=any(row.question for row in rows),
        training=parts[0],
        held_out=parts[1],
    )


def group_of(row: Row) -> str:
    """What is held out together, as a digest that is the same everywhere."""
    return hashlib.sha256((row.text if row.document is None else row.document).encode()).hexdigest()
