"""A prompt on its way through `llmlingua` 0.2.2: its parameters, contexts, budgets and result.

Owns which contexts go, how much of the others, and what the package reports. Knows words and counts,
but no model and no tokenizer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from compressors.base import CompatResult
from compressors.compat.llmlingua2.chunks import Chunk
from compressors.compat.llmlingua2.words import Merger, PackageWord

_PLAIN_WORDS = re.compile(r'\b\w+\b|[<>=/!@#$%^&*()?":{}|\\`~;_+-]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The package's parameters under the package's names; -1 stands for "not given"."""

    rate: float = 0.5
    target_token: float = -1
    use_context_level_filter: bool = True
    use_token_level_filter: bool = True
    target_context: int = -1
    context_level_rate: float = 1.0
    context_level_target_token: float = -1
    force_context_ids: Sequence[int] | None = None
    return_word_label: bool = False
    word_sep: str = "\t\t|\t\t"
    label_sep: str = " "
    token_to_word: Literal["mean", "first"] = "mean"
    force_tokens: Sequence[str] = ()
    force_reserve_digit: bool = False
    drop_consecutive: bool = False
    chunk_end_tokens: Sequence[str] = (".", "\n")


@dataclass(slots=True)
class Context:
    """One context and what is decided about it."""

    chunks: list[Chunk]
    words: list[list[PackageWord]] = field(default_factory=list)
    """For each chunk; empty until the model was asked."""
    labels: list[list[int]] = field(default_factory=list)
    """For each chunk; empty where the context stays or goes as a whole."""
    text: str = ""
    dropped: bool = False


@dataclass(slots=True)
class Prompt:
    """All contexts of one call."""

    parameters: Parameters
    contexts: list[Context]
    merger: Merger
    count: Callable[[str], int]
    original_tokens: int

    @property
    def filters(self) -> bool:
        """Whether whole contexts may be dropped."""
        return self.parameters.use_context_level_filter and len(self.contexts) > 1

    @property
    def asks_model(self) -> bool:
        """Whether anything depends on the model."""
        return self.filters or self.reduce_rate() > 0

    def reduce_rate(self) -> float:
        """Share of the words to drop if no context is dropped, in [0, 1]."""
        settings = self.parameters
        if not settings.use_token_level_filter:
            return 0
        if settings.target_token > 0:
            return _reduced(settings.target_token, self.original_tokens)
        return max(0, 1 - settings.rate)

    def filter_contexts(self) -> float:
        """Mark the contexts that are dropped; gives the share of words to drop from the others.

        The two are not tuned to each other: rate 0.5 leaves about 40 % of the tokens.
        """
        settings = self.parameters
        scores = [_score(context, settings.token_to_word) for context in self.contexts]
        threshold = np.percentile(np.array(scores), max(0, min(int(100 * (1 - self._context_share())), 100)))
        for number, (context, score) in enumerate(zip(self.contexts, scores, strict=True)):
            context.dropped = bool(score < threshold) and number not in (settings.force_context_ids or ())
        if not settings.use_token_level_filter:
            return 0
        if settings.target_token < 0:
            return max(0, 1 - settings.rate)
        left = [chunk for context in self.contexts if not context.dropped for chunk in context.chunks]
        return _reduced(settings.target_token, sum(self.count(chunk.text) for chunk in left))

    def _context_share(self) -> float:
        settings = self.parameters
        share, target = settings.context_level_rate, settings.context_level_target_token
        if settings.target_context <= 0 and share >= 1.0 and target <= 0:
            if settings.target_token >= 0:
                target = settings.target_token * (2 if settings.use_token_level_filter else 1)
            elif settings.rate < 1.0:
                share = (settings.rate + 1.0) / 2 if settings.use_token_level_filter else settings.rate
        if settings.target_context >= 0:
            share = min(settings.target_context / len(self.contexts), 1.0)
        if target >= 0:
            share = min(target / max(self.original_tokens, 1), 1.0)
        return share

    def restored(self, chunk: Chunk) -> str:
        """The chunk's text with the force tokens in the place of their stand-ins."""
        text = chunk.text
        for token, stand_in in self.merger.placeholders.items():
            text = text.replace(stand_in, token)
        return text

    def labelled(self) -> Iterator[tuple[str, int]]:
        """Each word with 1 if it stays, else 0."""
        for context in self.contexts:
            if context.dropped:
                yield from ((self.merger.shown(word), 0) for words in context.words for word in words)
            elif context.labels:
                for words, labels in zip(context.words, context.labels, strict=True):
                    yield from zip(map(self.merger.shown, words), labels, strict=True)
            else:  # nothing was weighed, so the package counts plain words
                yield from ((w, 1) for c in context.chunks for w in _PLAIN_WORDS.findall(self.restored(c)))

    def result(self) -> CompatResult:
        """The package's report; token counts leave out what joins the contexts."""
        settings = self.parameters
        texts = [context.text for context in self.contexts if not context.dropped]
        tokens = sum(self.count(text) for text in texts)
        ratio = self.original_tokens / tokens if tokens else 1
        words = (f"{word}{settings.label_sep}{label}" for word, label in self.labelled())
        return CompatResult(
            compressed_prompt="\n\n".join(texts),
            compressed_prompt_list=texts,
            origin_tokens=self.original_tokens,
            compressed_tokens=tokens,
            ratio=f"{ratio:.1f}x",
            rate=f"{1 / ratio * 100:.1f}%",
            saving=f", Saving ${(self.original_tokens - tokens) * 0.06 / 1000:.1f} in GPT-4.",
            fn_labeled_original_prompt=settings.word_sep.join(words) if settings.return_word_label else None,
        )


def _reduced(target: float, tokens: int) -> float:
    return max(0, 1 - min(target / max(tokens, 1), 1.0))


def _score(context: Context, how: Literal["mean", "first"]) -> float | np.float32:
    values = [word.context_probability(how) for words in context.words for word in words]
    return sum(values) / len(values) if values else 0.0
