"""Labels from what could be asked: which words of a text are likely answers, and questions that ask for them.

A spaCy pipeline finds names, numbers and noun phrases; nothing else of a text needs to be understood. Knows no
LLM, no tokens of a model and no training.
"""

from __future__ import annotations

from compressors.training.answers.cloze import Cloze
from compressors.training.answers.passages import passages
from compressors.training.answers.pipeline import load_pipeline
from compressors.training.answers.rarity import Rarity
from compressors.training.answers.rows import Rows
from compressors.training.answers.synonyms import Synonyms

__all__ = ["Cloze", "Rarity", "Rows", "Synonyms", "load_pipeline", "passages"]
