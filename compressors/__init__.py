"""Ways to shorten a text. Knows no HTTP, no stores, no policies; cheap to import, models load on demand."""

from __future__ import annotations

from compressors.base import (
    CompatResult,
    Compressed,
    Compressor,
    Job,
    PromptCompressor,
    Span,
    Tokenizer,
    Word,
)
from compressors.errors import CompressionError, ModelError
from compressors.identity import fingerprint, require_questions
from compressors.loading import devices, has_accelerator, load
from compressors.provenance import environment
from compressors.render import render
from compressors.strategy import Strategy
from compressors.word_fit import average_precision, f1_at_reference_rate

__all__ = [
    "CompatResult",
    "Compressed",
    "CompressionError",
    "Compressor",
    "Job",
    "ModelError",
    "PromptCompressor",
    "Span",
    "Strategy",
    "Tokenizer",
    "Word",
    "average_precision",
    "devices",
    "environment",
    "f1_at_reference_rate",
    "fingerprint",
    "has_accelerator",
    "load",
    "render",
    "require_questions",
]
