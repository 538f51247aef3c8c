"""How well documents, or sentences, fit a question, without a causal language model.

Owns the rankers by words, by compression and by other models' judgement, and how scores become an order.
Knows no budgets and no prompts; cheap to import, models load on demand.
"""

from __future__ import annotations

from compressors.ranking.loading import load_ranker, needs_model
from compressors.ranking.ranker import Ranker, RankScores, combined, order

__all__ = ["RankScores", "Ranker", "combined", "load_ranker", "needs_model", "order"]
