"""Begins a classifier's training: from files to what `compressors.training.run` carries on."""

from __future__ import annotations

from typing import Any

from compressors.checkpoint import choose_device
from compressors.questions import Questions
from compressors.reading import Reader
from compressors.training import run
from compressors.training.classifier.examples import Examples
from compressors.training.classifier.figures import overall
from compressors.training.classifier.loop import Training
from compressors.training.classifier.mixture import Mixture
from compressors.training.classifier.plan import Plan
from compressors.training.classifier.sources import Source, load
from compressors.training.classifier.start import load_start
from compressors.training.classifier.teachers import Teachers
from compressors.training.classifier.validation import Validation
from compressors.training.precision import choose_precision
from compressors.training.record import Data
from compressors.training.report import Figures, Report


class Run(run.Run[Plan, Training]):
    """One training; what is in its folder goes on."""

    task = "classifier"
    fixed = "data, start, teachers, layers, length or seed"

    def __init__(self, plan: Plan, report: Report) -> None:
        """Load everything. Raises `CompressionError` for data or a model that can't be used."""
        super().__init__(plan, report)
        report.preparing("the model")
        device = choose_device(plan.device)
        start = load_start(
            plan.start,
            fresh=plan.fresh,
            layers=plan.layers,
            dropout=plan.dropout,
            seed=plan.recipe.seed,
        )
        window = min(start.window, plan.length or start.window)
        reader = Reader(start.tokenizer, window)
        questions = Questions(reader)
        self._sources = self._load(Examples(reader, questions))
        self._pad_id: int = start.tokenizer.pad_token_id or 0
        self._validation = Validation(
            {source.name: source.held_out for source in self._sources}, plan.held_out_words
        )
        if any(source.questions for source in self._sources):
            declared = getattr(start.model.config, "laconic", None) or {}
            start.model.config.laconic = {**declared, "question": {"tokens": questions.tokens}}
        teachers = None
        if plan.teachers:
            teachers = Teachers(
                plan.teachers,
                tokenizer=start.tokenizer,
                window=window,
                questions=any(source.questions for source in self._sources),
                device=device,
            )
        precision = choose_precision(plan.precision, device)
        training = Training(
            start.model.to(device),
            Mixture(
                [source.training for source in self._sources],
                plan.shares(self._sources),
                seed=plan.recipe.seed,
            ),
            [source.label_rate for source in self._sources],
            plan.recipe,
            pad_id=self._pad_id,
            teachers=teachers,
            precision=precision,
        )
        self._begin(training, precision, plan.identity(self._sources), start.tokenizer)

    def _load(self, examples: Examples) -> list[Source]:
        found = []
        for path, _ in self._plan.data:
            self._report.preparing(path.name)
            found.append(load(path, examples))
        return found

    def _figures(self, model: Any) -> Figures:
        return self._validation.figures(model, self._pad_id)

    def _overall(self, figures: Figures) -> float:
        return overall(figures)

    def _is_better(self, overall: float, than: float) -> bool:
        return overall > than

    def _aside(self) -> dict[str, object]:
        return {"offsets": self._training.offsets}

    def _data(self) -> list[Data]:
        shares = self._plan.shares(self._sources)
        return [_data(source, share) for source, share in zip(self._sources, shares, strict=True)]


def _data(source: Source, share: float) -> Data:
    return Data(
        name=source.name,
        path=str(source.path),
        sha256=source.sha256,
        share=share,
        rows=source.rows,
        held_out_rows=source.held_out_rows,
        tokens=source.tokens,
        words=source.words,
        label_rate=source.label_rate,
    )
