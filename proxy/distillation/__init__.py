"""Has an upstream LLM shorten texts: calls at a pace, up to a sum of money. Knows no labels and no files."""

from __future__ import annotations

from proxy.distillation.cost import Tariff, Usage
from proxy.distillation.distillation import Chunk, Distillation, Result, Summary
from proxy.distillation.pace import Pace
from proxy.distillation.upstream import Reply, Upstream

__all__ = ["Chunk", "Distillation", "Pace", "Reply", "Result", "Summary", "Tariff", "Upstream", "Usage"]
