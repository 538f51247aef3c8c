"""What packing changes in a causal model: how well it predicts texts, or answers to prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from compressors.checkpoint import Checkpoint
from compressors.reading import Reader
from compressors.training import lines
from compressors.training.causal import alignment, pretraining
from compressors.training.causal.bits import Sample
from compressors.training.causal.texts import Split, load_split
from compressors.training.report import Figures

_TOKENS = 16_384
"""Most tokens of each text file."""

Files = Sequence[tuple[Path, bool]]
"""Files, and whether a training held some of them out: then only that part is looked at."""


class TextFigures:
    """The texts of some files, to look at with one model and another."""

    def __init__(
        self, files: Files, checkpoint: Checkpoint, cache: Path, preparing: Callable[[str], None]
    ) -> None:
        """`cache` is a folder for their tokens. Raises `CompressionError` for files that can't be used."""
        self._first = Reader(checkpoint.tokenizer, checkpoint.window).start
        self._length = checkpoint.window - len(self._first)
        self._samples = {}
        for path, is_split in files:
            preparing(path.name)
            split = load_split(path, cache, checkpoint.tokenizer)
            if not is_split:
                split = Split(split.training, split.training, split.documents)
            self._samples[pretraining.name_of(path)] = Sample.of(split, checkpoint.tokenizer, _TOKENS)

    def figures(self, checkpoint: Checkpoint) -> Figures:
        """See `Sample.figures`."""
        return {
            name: sample.figures(checkpoint.model, start=self._first, length=self._length)
            for name, sample in self._samples.items()
        }


class AnswerFigures:
    """The pairs of some files, to look at with one model and another."""

    def __init__(self, files: Files, checkpoint: Checkpoint, preparing: Callable[[str], None]) -> None:
        """Raises `CompressionError` for files that can't be used."""
        self._first = Reader(checkpoint.tokenizer, checkpoint.window).start
        self._windows = {}
        for path, is_split in files:
            preparing(path.name)
            length = checkpoint.window - len(self._first)
            source = alignment.load(path, checkpoint.tokenizer, self._first, length)
            some = source.held_out if is_split else [*source.held_out, *source.training]
            self._windows[lines.name_of(path)] = some

    def figures(self, checkpoint: Checkpoint) -> Figures:
        """See `alignment.fit`."""
        return {
            name: alignment.fit(checkpoint.model, self._first, some) for name, some in self._windows.items()
        }
