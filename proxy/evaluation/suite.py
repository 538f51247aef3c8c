"""All methods and rankers over all data sets. Owns the order of things; knows no measures and no output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compressors import Strategy
from policies.tokens import Tokenizer
from proxy.evaluation.cases import DataSet
from proxy.evaluation.methods import Method
from proxy.evaluation.outcomes import Outcome, Retention, Survival
from proxy.evaluation.rankers import ranker
from proxy.evaluation.run import ranking, retention, survival, word_fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What is to be measured."""

    data: Sequence[DataSet]
    methods: Sequence[Method]
    rankers: Sequence[str]
    rates: Sequence[float]
    tokenizer: Tokenizer
    strategy: Strategy
    device: str
    seed: int
    match: Method | None = None
    """One of `methods`; the others may take as many tokens of each text as it takes, in place of `rates`."""

    def outcomes(self, announce: Callable[[str], None]) -> list[Outcome]:
        """All outcomes: by data set, then rate, then method. `announce` is told what runs.

        Each model is loaded once. Raises `CompressionError` if a method, model or ranker can't be had.
        """
        found: list[Outcome] = []
        targets: dict[tuple[str, float], list[int | None]] = {}
        for method in sorted(self.methods, key=lambda method: method != self.match):
            outcomes = list(self._of_method(method, targets, announce))
            if method == self.match:
                matched = [each for each in outcomes if isinstance(each, Retention)]
                targets = {(each.data, each.rate): each.taken for each in matched}
            found += outcomes
        for name in self.rankers:
            found += self._of_ranker(name, announce)
        names, rates = [each.name for each in self.data], list(self.rates)

        def order(outcome: Outcome) -> tuple[int, int]:
            rate = rates.index(outcome.rate) if isinstance(outcome, Retention | Survival) else len(rates)
            return names.index(outcome.data), rate

        return sorted(found, key=order)

    def _of_method(
        self,
        method: Method,
        targets: Mapping[tuple[str, float], Sequence[int | None]],
        announce: Callable[[str], None],
    ) -> Iterator[Outcome]:
        announce(f"loading {method.label}")
        texts = [text for data in self.data for text in data.texts]
        compressor = method.load(texts, device=self.device, seed=self.seed)
        for data in self.data:
            for rate in self.rates if data.cases else ():
                announce(f"{data.name}: {method.label} at {rate:g}")
                asked = targets.get((data.name, rate))
                yield retention(data, method, compressor, rate, self.tokenizer, self.strategy, asked)
            if data.labelled:
                announce(f"{data.name}: {method.label} by word")
                fit = word_fit(data, method, compressor, self.tokenizer, self.strategy)
                if fit is not None:
                    yield fit
            for rate in self.rates if data.messages else ():
                for protected in (False, True) if method.protects else (False,):
                    announce(f"{data.name}: {method.label} at {rate:g}")
                    yield survival(data, method, compressor, rate, self.tokenizer, protected=protected)

    def _of_ranker(self, name: str, announce: Callable[[str], None]) -> Iterator[Outcome]:
        announce(f"loading {name}")
        scores = ranker(name, device=self.device).scores
        for data in self.data:
            announce(f"{data.name}: ranking by {name}")
            outcome = ranking(data, name, scores)
            if outcome is not None:
                yield outcome
