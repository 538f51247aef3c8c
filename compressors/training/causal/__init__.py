"""Training of causal language models: on text, and on answers to prompts. Knows no command line.

Cheap to import; `begin` imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from compressors.training.causal.recipe import Pairs, Plan, Recipe, Texts
from compressors.training.report import Report

if TYPE_CHECKING:
    from compressors.training.causal.run import Run

__all__ = ["Pairs", "Plan", "Recipe", "Texts", "begin"]


def begin(plan: Plan, report: Report, threads: int | None = None) -> Run:
    """The training that `plan` describes, ready to go on from what its folder holds; `threads` sets torch's.

    Raises `CompressionError` for data, a model or a device that can't be used.
    """
    import torch

    from compressors.training.causal.run import Run

    if threads is not None:
        torch.set_num_threads(threads)
    return Run(plan, report)
