"""What a compressor's speed is held against: the machine's own, a model's arithmetic, and the llmlingua package."""

from __future__ import annotations

from compressors.measuring.arithmetic import Arithmetic, arithmetic, usual_dtype, usual_method
from compressors.measuring.hardware import MatmulRate, forget_peak, grown_bytes, matmul_rate, peak_bytes
from compressors.measuring.package import package

__all__ = [
    "Arithmetic",
    "MatmulRate",
    "arithmetic",
    "forget_peak",
    "grown_bytes",
    "matmul_rate",
    "package",
    "peak_bytes",
    "usual_dtype",
    "usual_method",
]
