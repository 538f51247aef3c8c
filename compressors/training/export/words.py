"""What packing changes in a classifier: probabilities, decisions, and how well words are ranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from compressors.checkpoint import Checkpoint
from compressors.encoder import encoder
from compressors.errors import CompressionError
from compressors.questions import TOKENS, Questions
from compressors.reading import Reader
from compressors.training import holding_out, lines
from compressors.training.classifier.examples import Example, Examples
from compressors.training.classifier.sources import group_of
from compressors.training.classifier.validation import Scores, fit, reference, word_scores
from compressors.training.report import Figures
from compressors.training.rows import Row, read

_WORDS = 20_000
"""Most words of each source."""
_RATE = 0.5


class WordFigures:
    """The rows of some files, to look at with one model and another."""

    def __init__(
        self, files: Sequence[tuple[Path, bool]], checkpoint: Checkpoint, preparing: Callable[[str], None]
    ) -> None:
        """Files, and whether a training held some of their rows out: then only those are looked at.

        Raises `CompressionError` for files that can't be used.
        """
        self._pad_id: int = checkpoint.tokenizer.pad_token_id or 0
        reader = Reader(checkpoint.tokenizer, checkpoint.window)
        examples = Examples(reader, Questions(reader, checkpoint.question_tokens or TOKENS))
        self._examples: dict[str, list[Example]] = {}
        for path, is_split in files:
            preparing(path.name)
            found = [each for some in examples.of(_rows(path, is_split)) for each in some]
            measurable = [each for each in found if 0 < reference(each).sum() < len(each.labels)]
            self._examples[lines.name_of(path)] = measurable
            if not measurable:
                raise CompressionError(
                    f"{path} has no row to measure on: one of which some words are kept, not all"
                )

    def scores(self, checkpoint: Checkpoint) -> dict[str, list[Scores]]:
        """How likely each word of each row stays, by source."""
        runs = encoder(checkpoint.model, self._pad_id, 1024 if checkpoint.device.type == "cpu" else 16384)
        return {
            name: [
                word_scores(example, row)
                for example, row in zip(
                    examples, runs.keep_probabilities([example.ids for example in examples]), strict=True
                )
            ]
            for name, examples in self._examples.items()
        }

    def figures(self, scores: dict[str, list[Scores]]) -> Figures:
        """F1 at the reference's rate and average precision of each source."""
        return {name: fit(examples, scores[name]) for name, examples in self._examples.items()}


def change(before: dict[str, list[Scores]], after: dict[str, list[Scores]]) -> Figures:
    """Of each source the largest and the mean difference of a word's probability, and the share of words that change
    sides when the likelier half of each text is kept."""
    found: Figures = {}
    for name, scores in before.items():
        differences = np.abs(np.concatenate(scores) - np.concatenate(after[name]))
        flips = [_kept(one) != _kept(other) for one, other in zip(scores, after[name], strict=True)]
        found[name] = {
            "largest_difference": float(differences.max()),
            "mean_difference": float(differences.mean()),
            "flipped": float(np.concatenate(flips).mean()),
        }
    return found


def _kept(scores: Scores) -> npt.NDArray[np.bool_]:
    """The likelier half of a text's words, the earlier ones among equals."""
    kept = np.zeros(len(scores), np.bool_)
    kept[np.argsort(-scores, kind="stable")[: round(_RATE * len(scores))]] = True
    return kept


def _rows(path: Path, is_split: bool) -> list[Row]:
    rows = list(read(path))
    if is_split:
        held_out = holding_out.choose({group_of(row) for row in rows})
        rows = [row for row in rows if group_of(row) in held_out]
    some, words = [], 0
    for row in rows:
        if words < _WORDS:
            some.append(row)
            words += len(row.labels)
    return some
