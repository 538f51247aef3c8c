"""Carries a training to a model, with validations and checkpoints. Knows no tensors and no kind of training.

Everything it learns on the way goes to a `Report`; nothing is printed here.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Literal, TypeVar

from compressors.errors import CompressionError
from compressors.provenance import environment
from compressors.training.folder import Folder
from compressors.training.loop import Training
from compressors.training.plan import Plan
from compressors.training.precision import Precision
from compressors.training.record import Data, Record, before
from compressors.training.report import Figures, Report
from compressors.training.stopping import Stop

_SAVED_S = 300.0
"""Most seconds between checkpoints."""

P = TypeVar("P", bound=Plan)
T = TypeVar("T", bound=Training)


class Run(ABC, Generic[P, T]):
    """One training; what is in its folder goes on. Whoever makes one loads data and model, then calls `_begin`."""

    task: ClassVar[Literal["classifier", "causal"]]
    fixed: ClassVar[str]
    """What may not change when a training goes on, in words."""

    def __init__(self, plan: P, report: Report) -> None:
        self._plan = plan
        self._report = report
        self._folder = Folder(plan.out)
        self._best: dict[str, Any] = {"figures": {}, "since": 0, "validated": 0}
        self._training: T
        self._precision: Precision
        self._identity: dict[str, object]

    def _begin(self, training: T, precision: Precision, identity: dict[str, object], tokenizer: Any) -> None:
        """Go on with what the folder holds, or begin. Raises `CompressionError` if it holds another training."""
        self._training, self._precision, self._identity = training, precision, identity
        if self._folder.checkpoint.exists():
            self._restore()
        self._folder.save_form(training.model, tokenizer)

    @abstractmethod
    def _figures(self, model: Any) -> Figures:
        """How well the model does on what is held out."""

    @abstractmethod
    def _overall(self, figures: Figures) -> float:
        """What decides which weights are best."""

    @abstractmethod
    def _is_better(self, overall: float, than: float) -> bool:
        """Whether one is better than the other."""

    @abstractmethod
    def _data(self) -> list[Data]:
        """What is learned from, for the record."""

    def _aside(self) -> dict[str, object]:
        """What else the log is to hold of a validation."""
        return {}

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
        best = self._best
        with self._training.evaluated() as model:
            figures = self._figures(model)
            overall = self._overall(figures)
            is_best = not best["figures"] or self._is_better(overall, self._overall(best["figures"]))
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
                "overall": overall,
                "figures": figures,
                **self._aside(),
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
                f"{self._plan.out} holds a training with other {self.fixed}; give that one's, or another folder"
            )
        self._best = state["best"]

    def _record(self) -> Record:
        plan, training = self._plan, self._training
        return Record(
            task=self.task,
            command=plan.command,
            start=plan.start,
            parameters=sum(weight.numel() for weight in training.model.parameters()),
            data=self._data(),
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
