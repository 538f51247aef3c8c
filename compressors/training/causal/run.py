"""Carries a training from its files to a model, with validations and checkpoints. Knows no tensors.

Everything it learns on the way goes to a `Report`; nothing is printed here.
"""

from __future__ import annotations

import time
from typing import Any

from compressors.checkpoint import choose_device
from compressors.errors import CompressionError
from compressors.provenance import environment
from compressors.training.causal.alignment import Alignment
from compressors.training.causal.loop import Training
from compressors.training.causal.material import Material, overall
from compressors.training.causal.pretraining import Pretraining
from compressors.training.causal.recipe import Plan, Texts
from compressors.training.causal.start import Start, learn_frequencies, load_start
from compressors.training.folder import Folder
from compressors.training.precision import choose_precision
from compressors.training.record import Record, before
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
        start = load_start(plan.start, fresh=plan.fresh, seed=plan.recipe.seed)
        self._material = self._load(start)
        self._identity = plan.identity([data.sha256 for data in self._material.data])
        device = choose_device(plan.device)
        self._precision = choose_precision(plan.precision, device)
        model = start.model.to(device)
        self._training = Training(
            model,
            self._material.batches,
            self._material.loss(model),
            plan.recipe,
            precision=self._precision,
        )
        if self._folder.checkpoint.exists():
            self._restore()
        self._folder.save_form(model, start.tokenizer)

    def _load(self, start: Start) -> Material:
        plan = self._plan
        if not isinstance(plan.reading, Texts):
            return Alignment(plan.reading, start, seed=plan.recipe.seed, preparing=self._report.preparing)
        found = Pretraining(
            plan.reading,
            start,
            seed=plan.recipe.seed,
            cache=plan.out / "tokens",
            preparing=self._report.preparing,
        )
        if start.is_headless:
            learn_frequencies(start.model, found.counts)
        return found

    @property
    def done(self) -> bool:
        """Whether the training is over, or has brought nothing for too long."""
        patience = self._plan.patience
        return self._training.schedule.done or (patience is not None and self._best["since"] >= patience)

    def carry_on(self, stop: Stop) -> Record:
        """Train until done or stopped; gives what there is to know about it."""
        saved = time.monotonic()
        if not self._best["figures"]:  # how well it does untrained
            self._validate()
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
        figures = self._material.figures(self._training.model)
        self._training.model.train()
        best, measure = self._best, self._material.measure
        is_best = not best["figures"] or overall(figures, measure) < overall(best["figures"], measure)
        best["since"] = 0 if is_best else best["since"] + 1
        if is_best:
            best["figures"] = figures
            self._folder.save_weights(self._training.model)
        schedule = self._training.schedule
        self._folder.log(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
                "steps": schedule.steps,
                "tokens": self._training.tokens,
                "minutes": round(schedule.elapsed_s / 60.0, 2),
                "progress": round(schedule.progress, 4),
                "best": is_best,
                "overall": overall(figures, measure),
                "figures": figures,
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
                f"{self._plan.out} holds a training with other data, start, lengths or seed; "
                "give that one's, or another folder"
            )
        self._best = state["best"]

    def _record(self) -> Record:
        plan, training = self._plan, self._training
        return Record(
            task="causal",
            command=plan.command,
            start=plan.start,
            parameters=sum(weight.numel() for weight in training.model.parameters()),
            data=list(self._material.data),
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
