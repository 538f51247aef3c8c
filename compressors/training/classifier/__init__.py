"""Fits a token classifier to word labels: from rows to a model's folder. Knows no command line.

Cheap to import; `begin` imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from compressors.training.classifier.figures import overall
from compressors.training.classifier.plan import Plan
from compressors.training.classifier.recipe import Recipe
from compressors.training.report import Figures, Report
from compressors.training.schedule import Schedule
from compressors.training.stopping import Stop

if TYPE_CHECKING:
    from compressors.training.classifier.run import Run

__all__ = ["Figures", "Plan", "Recipe", "Report", "Schedule", "Stop", "begin", "overall"]


def begin(plan: Plan, report: Report, threads: int | None = None) -> Run:
    """The training that `plan` describes, ready to go on from what its folder holds; `threads` sets torch's.

    Raises `CompressionError` for data, a model or a device that can't be used.
    """
    import torch

    from compressors.training.classifier.run import Run

    if threads is not None:
        torch.set_num_threads(threads)
    return Run(plan, report)
