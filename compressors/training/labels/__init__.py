"""From texts and their shortened forms to labelled words that a classifier learns. Knows no LLM and no model."""

from __future__ import annotations

from compressors.training.labels.alignment import WINDOW
from compressors.training.labels.annotation import MEASURES, Annotation, annotate
from compressors.training.labels.chunks import chunks
from compressors.training.labels.filtering import Filtered, filter_samples
from compressors.training.labels.forms import Forms
from compressors.training.labels.instruction import Instruction, read_instruction
from compressors.training.labels.plot import plot
from compressors.training.labels.texts import Document, documents

__all__ = [
    "MEASURES",
    "WINDOW",
    "Annotation",
    "Document",
    "Filtered",
    "Forms",
    "Instruction",
    "annotate",
    "chunks",
    "documents",
    "filter_samples",
    "plot",
    "read_instruction",
]
