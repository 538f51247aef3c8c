"""Finished classifiers that another one learns from. Knows no data, no files of rows and no steps.

B: sequences, L: tokens of the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from compressors.checkpoint import load_checkpoint
from compressors.errors import CompressionError
from compressors.identity import folder_of, require_questions
from compressors.training.classifier.objective import Batch, log_odds


class Teachers:
    """Classifiers whose mean log odds are taken for the truth (Hinton et al. 2015, distillation)."""

    def __init__(
        self, names: Sequence[str], *, tokenizer: Any, window: int, questions: bool, device: torch.device
    ) -> None:
        """`names` as `load` takes them; `tokenizer` and `window` are those of who learns, from `questions` or not.

        Raises `CompressionError` for one that can't be loaded or that can't read the same.
        """
        self._models = []
        for name in names:
            if questions:
                require_questions(name)
            folder = folder_of("llmlingua2", name)
            loaded = load_checkpoint(name, "classifier", folder=folder, device=str(device), dtype="float32")
            if loaded.window < window or _form(loaded.tokenizer) != _form(tokenizer):
                raise CompressionError(
                    f"{name!r} can't teach a model that reads other tokens, or more of them"
                )
            self._models.append(loaded.model)

    @torch.no_grad()
    def odds(self, batch: Batch) -> torch.Tensor:
        """The log odds of keeping each token; `(B, L)` float32."""
        return torch.stack([log_odds(model, batch) for model in self._models]).mean(dim=0)


def _form(tokenizer: Any) -> str:
    form: str = tokenizer.backend_tokenizer.to_str()
    return form
