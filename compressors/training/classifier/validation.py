"""How well a classifier ranks the words of held-out rows. Knows no training.

The measures are those of `laconic eval`: each text is a ranking of its own, and texts count the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compressors.encoder import Probabilities, encoder
from compressors.training.classifier.examples import NO_WORD, Example
from compressors.training.classifier.figures import AVERAGE_PRECISION, F1
from compressors.training.report import Figures
from compressors.word_fit import average_precision, f1_at_reference_rate

Scores = npt.NDArray[np.float64]
"""How likely each word of an example stays; `(W,)`."""
_BATCH_TOKENS = {"cpu": 1024, "cuda": 16384}


class Validation:
    """Held-out examples of each source, at most `words` words of it, of those whose reference is neither all nor none.

    A soft label's reference keeps the words with the highest labels, as many as the labels add up to.
    """

    def __init__(self, sources: Mapping[str, Sequence[Example]], words: int) -> None:
        self._examples = {name: _some(examples, words) for name, examples in sources.items()}

    @torch.no_grad()
    def figures(self, model: Any, pad_id: int) -> Figures:
        """`f1` and `average_precision` of each source that has examples, in [0, 1]; leaves the model evaluating."""
        runs = encoder(model, pad_id, _BATCH_TOKENS.get(model.device.type, 1024))
        figures: Figures = {}
        for name, examples in self._examples.items():
            if examples:
                rows = runs.keep_probabilities([example.ids for example in examples])
                figures[name] = fit(examples, list(map(word_scores, examples, rows)))
        return figures


def _some(examples: Sequence[Example], words: int) -> list[Example]:
    some = []
    total = 0
    for example in examples:
        if 0 < reference(example).sum() < len(example.labels) and total < words:
            some.append(example)
            total += len(example.labels)
    return some


def reference(example: Example) -> npt.NDArray[np.int64]:
    """Which words the reference keeps, 1 or 0; `(W,)` int64."""
    kept = round(float(example.labels.sum(dtype=np.float64)))
    marks = np.zeros(len(example.labels), np.int64)
    marks[np.argsort(-example.labels, kind="stable")[:kept]] = 1
    return marks


def word_scores(example: Example, probabilities: Probabilities) -> Scores:
    """The mean of each word's tokens, from that of each token, `(L,)`; `(W,)` float64."""
    belongs = example.words != NO_WORD
    scores = np.zeros(len(example.labels))
    np.add.at(scores, example.words[belongs], (probabilities * example.weights)[belongs])
    return scores


def fit(examples: Sequence[Example], scores: Sequence[Scores]) -> dict[str, float]:
    """`f1` and `average_precision` of some examples, given the scores of each one's words."""
    pairs = [
        (some.tolist(), reference(example).tolist()) for example, some in zip(examples, scores, strict=True)
    ]
    return {
        F1: float(np.mean([f1_at_reference_rate(*pair) for pair in pairs])),
        AVERAGE_PRECISION: float(np.mean([average_precision(*pair) for pair in pairs])),
    }
