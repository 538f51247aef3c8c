"""The parity mode: the decisions and the text of the `llmlingua` package, version 0.2.2.

Owns nothing but the two families' names: `llmlingua2` (a token classifier) and `llmlingua` (a causal
language model, with or without a question).
"""

from __future__ import annotations

from compressors.compat.llmlingua import LLMLinguaCompat
from compressors.compat.llmlingua2 import PLACEHOLDERS, LLMLingua2Compat

__all__ = ["PLACEHOLDERS", "LLMLingua2Compat", "LLMLinguaCompat"]
