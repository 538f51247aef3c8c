"""Carries out an export: weights, what packing loses, the card. Knows no numbers and no wording."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import compressors
from compressors.checkpoint import Checkpoint, load_checkpoint
from compressors.errors import CompressionError
from compressors.training.export import packing
from compressors.training.export.card import card, unlicensed
from compressors.training.export.order import Comparison, Order
from compressors.training.export.surprise import AnswerFigures, TextFigures
from compressors.training.export.words import WordFigures, change
from compressors.training.record import Record, digest, load
from compressors.training.report import Figures

_METHODS = {"classifier": "llmlingua2", "causal": "llmlingua"}


def carry_out(order: Order, preparing: Callable[[str], None]) -> Comparison:
    """Write the model's folder. Raises `CompressionError` for what can't be used, before anything is written."""
    record = load(order.training)
    _check_target(order)
    preparing("the model")
    source = order.training / "model"
    exact = load_checkpoint(str(source), record.task, folder=source, device="cpu", dtype="float32")
    measured = _Measured(order, record, exact, preparing)
    preparing("weights")
    weights = _write(order, exact)
    again = load_checkpoint(str(order.to), record.task, folder=order.to, device="cpu", dtype="float32")
    preparing("what packing changes")
    before, after, moved = measured.compare(exact, again)
    found = Comparison(
        before=before,
        after=after,
        change=moved,
        fingerprint=compressors.fingerprint(_METHODS[record.task], str(order.to.absolute())),
        unlicensed=unlicensed(record, order),
    )
    text = card(record, order, found, model=exact.model, weights=weights)
    (order.to / "README.md").write_text(text, encoding="utf-8")
    return found


def _check_target(order: Order) -> None:
    if order.to.resolve() in (order.training.resolve(), (order.training / "model").resolve()):
        raise CompressionError(f"{order.to} holds the training; name another folder")
    if order.to.exists() and any(order.to.iterdir()) and not (order.to / "config.json").exists():
        raise CompressionError(f"{order.to} holds something that is no model; name another folder")


def _write(order: Order, checkpoint: Checkpoint) -> Path:
    """Write the model and its tokenizer; gives the file of the weights."""
    model, tokenizer, folder = checkpoint.model, checkpoint.tokenizer, order.to
    folder.mkdir(parents=True, exist_ok=True)
    if order.scripts:
        declared = getattr(model.config, "laconic", None) or {}
        literacy = {"scripts": list(order.scripts), "fragmented_share": order.fragmented_share}
        model.config.laconic = {**declared, **literacy}
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    special = json.dumps(tokenizer.special_tokens_map)
    (folder / "special_tokens_map.json").write_text(
        special + "\n", encoding="utf-8"
    )  # older transformers read it
    return packing.save(model, folder, order.weights)


class _Measured:
    """What is looked at before and after, whatever kind of model it is."""

    def __init__(
        self, order: Order, record: Record, exact: Checkpoint, preparing: Callable[[str], None]
    ) -> None:
        files = [(path, False) for path in order.check] or [(path, True) for path in _held_out(record)]
        self._words: WordFigures | None = None
        self._surprise: TextFigures | AnswerFigures | None = None
        if record.task == "classifier":
            self._words = WordFigures(files, exact, preparing)
        elif any("nats_per_token" in figures for figures in record.figures.values()):
            self._surprise = AnswerFigures(files, exact, preparing)
        else:
            self._surprise = TextFigures(files, exact, order.training / "tokens", preparing)

    def compare(self, exact: Checkpoint, again: Checkpoint) -> tuple[Figures, Figures, Figures]:
        """Figures before and after, and how far probabilities have moved."""
        if self._words is not None:
            before, after = self._words.scores(exact), self._words.scores(again)
            return self._words.figures(before), self._words.figures(after), change(before, after)
        assert self._surprise is not None
        return self._surprise.figures(exact), self._surprise.figures(again), {}


def _held_out(record: Record) -> list[Path]:
    """The files of the training, unchanged."""
    files = [Path(data.path) for data in record.data]
    for path, data in zip(files, record.data, strict=True):
        if not path.exists() or digest(path) != data.sha256:
            raise CompressionError(
                f"{path} isn't what the training has read, so what it held out is not known; "
                "name files to measure on with --check"
            )
    return files
