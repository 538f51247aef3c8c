"""What `llmlingua` 0.2.2 reports about a prompt. Knows counts only."""

from __future__ import annotations

from compressors.base import CompatResult

_DOLLARS = 0.06
"""What the package takes for the price of a thousand tokens."""


def report(text: str, original_tokens: int, compressed_tokens: int) -> CompatResult:
    """The package's result for a prompt of `original_tokens` that became `text`."""
    ratio = original_tokens / compressed_tokens if compressed_tokens else 1
    saving = (original_tokens - compressed_tokens) * _DOLLARS / 1000
    return CompatResult(
        compressed_prompt=text,
        compressed_prompt_list=[],
        origin_tokens=original_tokens,
        compressed_tokens=compressed_tokens,
        ratio=f"{ratio:.1f}x",
        rate=f"{1 / ratio * 100 if ratio else 0:.1f}%",
        saving=f", Saving ${saving:.1f} in GPT-4.",
        fn_labeled_original_prompt=None,
    )
