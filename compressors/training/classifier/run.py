"""Carries a training from its files to a model, with validations and checkpoints. Knows no tensors.

Everything it learns on the way goes to a `Report`; nothing is printed here.
"""

from __future__ import annotations

import time
from typing import Any

from compressors.checkpoint import choose_device
from compressors.errors import CompressionError
from compressors.provenance import environment
from compressors.questions import Questions
from compressors.reading import Reader
from compressors.training.classifier.examples import Examples
from compressors.training.classifier.figures import overall
from compressors.training.classifier.loop import Training
from compressors.training.classifier.mixture import Mixture
from compressors.training.classifier.plan import Plan
from compressors.training.classifier.sources import Source, load
from compressors.training.classifier.start import load_start
from compressors.training.classifier.validation import Validation
from compressors.training.folder import Folder
from compressors.training.precision import choose_precision
from compressors.training.record import Data, Record, before
from compressors.training.report import Report
from compressors.training.stopping import Stop

_SAVED_S = 300.0
"""Most seconds between checkpoints."""


class Run:
    """One training; what is in its folder goes on."""

    def __init__(self, plan: Plan, report: Report) -> None:
        """Load everything. Raises `CompressionError` for data or a model that can't be used."""
        self._plan = plan
        self._report = report
        self._folder = Folder(plan.out)
        self._best: dict[str, Any] = {"figures": {}, "since": 0, "validated": 0}
        report.preparing("the model")
        device = choose_device(plan.device)
        start = load_start(
            plan.start,
            fresh=plan.fresh,
            layers=plan.layers,
            dropout=plan.dropout,
            seed=plan.recipe.seed,
        )
        reader = Reader(start.tokenizer, min(start.window, plan.length or start.window))
        questions = Questions(reader)
        examples = Examples(reader, questions)
        self._sources: list[Source] = []
        for path, _ in plan.data:
            report.preparing(path.name)
            self._sources.append(load(path, examples))
        self._identity = plan.identity(self._sources)
        self._pad_id: int = start.tokenizer.pad_token_id or 0
        self._precision = choose_precision(plan.precision, device)
        self._training = Training(
            start.model.to(device),
            Mixture(
                [source.training for source in self._sources],
                plan.shares(self._sources),
                seed=plan.recipe.seed,
            ),
            [source.label_rate for source in self._sources],
            plan.recipe,
            pad_id=self._pad_id,
            precision=self._precision,
        )
        self._validation = Validation(
            {source.name: source.held_out for source in self._sources}, plan.held_out_words
        )
        if any(source.questions for source in self._sources):
            declared = getattr(start.model.config, "laconic", None) or {}
            start.model.config.laconic = {**declared, "question": {"tokens": questions.tokens}}
        if self._folder.checkpoint.exists():
            self._restore()
        self._folder.save_form(start.model, start.tokenizer)

    @property
    def done(self) -> bool:
        """Whether the training is over, or has brought nothing for too long."""
        patience = self._plan.patience
        return self._training.schedule.done or (patience is not None and self._best["since"] >= patience)

    def carry_on(self, stop: Stop) -> Record:
        """Train until done or stopped; gives what there is to know about it."""
        saved = time.monotonic()
        while not self.done and not stop:
            loss = self._training.step()
            self._report.step(self._training.schedule, self._training.tokens, loss)
            is_due = self._is_due()
            if is_due:
                self._validate()
            if is_due or stop or time.monotonic() - saved > _SAVED_S:
                self._save()
                saved = time.monotonic()
        return self._record()

    def _is_due(self) -> bool:
        schedule = self._training.schedule
        position = schedule.steps if self._plan.recipe.steps is not None else schedule.elapsed_s / 60.0
        number = int(position / self._plan.interval + 1e-9)
        is_due = schedule.done or number > self._best["validated"]
        self._best["validated"] = number
        return is_due

    def _validate(self) -> None:
        with self._training.averaged() as model:
            figures = self._validation.figures(model, self._pad_id)
            best = self._best
            is_best = not best["figures"] or overall(figures) > overall(best["figures"])
            best["since"] = 0 if is_best else best["since"] + 1
            if is_best:
                best["figures"] = figures
                self._folder.save_weights(model)
        schedule = self._training.schedule
        self._folder.log(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
                "steps": schedule.steps,
                "tokens": self._training.tokens,
                "minutes": round(schedule.elapsed_s / 60.0, 2),
                "progress": round(schedule.progress, 4),
                "best": is_best,
                "overall": overall(figures),
                "figures": figures,
                "offsets": self._training.offsets,
            }
        )
        self._report.validated(figures, is_best=is_best)

    def _save(self) -> None:
        self._training.save(self._folder.checkpoint, identity=self._identity, best=self._best)
        self._record().save(self._plan.out)

    def _restore(self) -> None:
        state = self._training.restore(self._folder.checkpoint)
        if state["identity"] != self._identity:
            raise CompressionError(
                f"{self._plan.out} holds a training with other data, start, layers, length or seed; "
                "give that one's, or another folder"
            )
        self._best = state["best"]

    def _record(self) -> Record:
        plan, training = self._plan, self._training
        shares = plan.shares(self._sources)
        return Record(
            task="classifier",
            command=plan.command,
            start=plan.start,
            parameters=sum(weight.numel() for weight in training.model.parameters()),
            data=[_data(source, share) for source, share in zip(self._sources, shares, strict=True)],
            settings=plan.settings(),
            seed=plan.recipe.seed,
            steps=training.schedule.steps,
            tokens=training.tokens,
            minutes=training.schedule.elapsed_s / 60.0,
            precision=self._precision,
            environment=environment(),
            figures=self._best["figures"],
            before=before(plan.start),
        )


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
