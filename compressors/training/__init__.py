"""Training of the models that shorten. Nothing here is needed to run laconic; cheap to import."""

from __future__ import annotations

from compressors.training.record import Record
from compressors.training.report import Figures, Report
from compressors.training.schedule import Schedule
from compressors.training.stopping import Stop

__all__ = ["Figures", "Record", "Report", "Schedule", "Stop"]
