"""Begins a causal model's training: from files to what `compressors.training.run` carries on."""

from __future__ import annotations

from typing import Any

from compressors.checkpoint import choose_device
from compressors.training import run
from compressors.training.causal.alignment import Alignment
from compressors.training.causal.loop import Training
from compressors.training.causal.material import Material, overall
from compressors.training.causal.pretraining import Pretraining
from compressors.training.causal.recipe import Plan, Texts
from compressors.training.causal.start import Start, learn_frequencies, load_start
from compressors.training.precision import choose_precision
from compressors.training.record import Data, Record
from compressors.training.report import Figures, Report
from compressors.training.stopping import Stop


class Run(run.Run[Plan, Training]):
    """One training; what is in its folder goes on."""

    task = "causal"
    fixed = "data, start, lengths or seed"

    def __init__(self, plan: Plan, report: Report) -> None:
        """Load everything. Raises `CompressionError` for data or a model that can't be used."""
        super().__init__(plan, report)
        report.preparing("the model")
        start = load_start(plan.start, fresh=plan.fresh, seed=plan.recipe.seed)
        self._material = self._load(start)
        device = choose_device(plan.device)
        precision = choose_precision(plan.precision, device)
        model = start.model.to(device)
        training = Training(
            model, self._material.batches, self._material.loss(model), plan.recipe, precision=precision
        )
        identity = plan.identity([data.sha256 for data in self._material.data])
        self._begin(training, precision, identity, start.tokenizer)

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

    def carry_on(self, stop: Stop) -> Record:
        """Train until done or stopped, after a look at how well it does untrained."""
        if not self._best["figures"]:
            self._validate()
        return super().carry_on(stop)

    def _figures(self, model: Any) -> Figures:
        return self._material.figures(model)

    def _overall(self, figures: Figures) -> float:
        return overall(figures, self._material.measure)

    def _is_better(self, overall: float, than: float) -> bool:
        return overall < than

    def _data(self) -> list[Data]:
        return list(self._material.data)
