"""The parity mode of LLMLingua and LongLLMLingua: the text of the `llmlingua` package, version 0.2.2.

Owns the way from a call through ranking, sentences and tokens to a result. Where the package fails (an empty
context, text that doesn't survive the tokenizer, more windows than it planned) this gives something sensible.
Knows no tensors (`compressors.causal`) and none of the steps' rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from compressors.base import CompatResult, Tokenizer
from compressors.causal import Causal
from compressors.compat.llmlingua.codec import Codec
from compressors.compat.llmlingua.contexts import Chosen, Context, chosen
from compressors.compat.llmlingua.parameters import Parameters
from compressors.compat.llmlingua.prefix import JOINT, hidden_prefix, prefix_tokens
from compressors.compat.llmlingua.ranking import Ranking, in_order
from compressors.compat.llmlingua.recovery import recovered
from compressors.compat.llmlingua.report import report
from compressors.compat.llmlingua.schedule import Schedule, scheduled
from compressors.compat.llmlingua.sentences import (
    Split,
    affordable,
    cut,
    joined,
    preferred,
    punkt,
    sentence_spans,
)
from compressors.compat.llmlingua.structured import tag_schedule, tagged
from compressors.compat.llmlingua.tokens import Windows, kept_tokens
from compressors.errors import CompressionError
from compressors.words import Offsets


@dataclass(frozen=True, slots=True)
class Shortened:
    """What is left of the contexts of a call."""

    contexts: list[Context]
    """In the order of the prompt."""
    joined: str
    """The hidden prefix, if any, and the contexts."""
    kept: Offsets | None
    """Places of the tokens of `joined` that stay, the prefix's left out; None if all of the contexts do."""
    text: str


class LLMLinguaCompat:
    """The package's LLMLingua and LongLLMLingua, for any causal model.

    `window` is the most tokens of one sequence, the causal model's own where none is given. `split` cuts
    texts into sentences; the package takes nltk's punkt model, which is used here if it is installed.
    """

    def __init__(
        self,
        tokenizer: Any,
        causal: Causal,
        fingerprint: str,
        *,
        method: Literal["llmlingua", "longllmlingua"] = "llmlingua",
        window: int | None = None,
        split: Split = punkt,
    ) -> None:
        self.fingerprint = fingerprint
        self._method = method
        self._codec = Codec(tokenizer)
        self._causal = causal
        self._window = window or causal.window
        self._split = split

    def compress_prompt(
        self, context: str | Sequence[str], tokenizer: Tokenizer | None = None, **parameters: Any
    ) -> CompatResult:
        """The package's `compress_prompt(context, ...)`; see `Parameters`.

        `tokenizer` counts what is reported, which the package does with tiktoken's cl100k_base; without one
        the model's own is used. Raises `CompressionError` for a parameter that is unknown or out of range.
        """
        settings = self._settings(parameters)
        codec = self._codec.session()
        return self._compress(_whole(_texts(context)), settings, codec, tokenizer or codec)

    def structured_compress_prompt(
        self, context: str | Sequence[str], tokenizer: Tokenizer | None = None, **parameters: Any
    ) -> CompatResult:
        """The package's `structured_compress_prompt(context, ...)`: texts with tags, see `structured`.

        Raises `CompressionError` like `compress_prompt`, and for a rate in a tag that is no rate.
        """
        settings = self._settings(parameters)
        codec = self._codec.session()
        texts = [codec.decode(codec.ids(text)) for text in _texts(context)]
        codec.prepare([*texts, settings.instruction, settings.question])
        target = self._target(codec, texts, settings)
        if settings.target_token != -1:
            settings = replace(settings, rate=min(target / max(sum(map(codec.length, texts)), 1), 1.0))
        contexts = [tagged(number, text, settings.rate) for number, text in enumerate(texts)]
        # a target of -1 means "not given" once more, as in the package
        return self._compress(contexts, replace(settings, target_token=target), codec, tokenizer or codec)

    def recover(self, original_prompt: str, compressed_prompt: str, response: str) -> str:
        """The package's `recover`: `response` with the original's wording for what it quotes."""
        return recovered(self._codec.session(), original_prompt, compressed_prompt, response)

    def _settings(self, parameters: dict[str, Any]) -> Parameters:
        try:
            return Parameters(**{"rank_method": self._method} | parameters)
        except TypeError as error:
            raise CompressionError(
                f"not a parameter of llmlingua 0.2.2 for {self._method}: {error}"
            ) from error

    def _compress(
        self, contexts: list[Context], settings: Parameters, codec: Codec, counter: Tokenizer | Codec
    ) -> CompatResult:
        original = JOINT.join([settings.instruction, *(c.text for c in contexts), settings.question]).strip()
        found = self.shorten(contexts, settings, codec)
        parts = [
            settings.instruction,
            found.text if found.text.strip() else "",
            settings.question if settings.concate_question else "",
        ]
        text = JOINT.join(part for part in parts if part)
        return report(text, counter.count(original), counter.count(text))

    def shorten(self, contexts: list[Context], settings: Parameters, codec: Codec) -> Shortened:
        """All stages for the contexts of one prompt."""
        texts = [context.text for context in contexts]
        codec.prepare([*texts, settings.instruction, settings.question])
        target = self._target(codec, texts, settings)
        ranking = Ranking(self._causal, codec, self._window)
        choice = Chosen(contexts, [0.0] * len(contexts))
        if len(contexts) > 1 and settings.use_context_level_filter:
            order = ranking.order(texts, settings)
            choice = chosen(contexts, order, list(map(codec.length, texts)), target, settings)
        if settings.use_sentence_level_filter:
            choice = choice._replace(
                contexts=self._filter_sentences(choice.contexts, settings, codec, target)
            )
        return self._filter_tokens(choice, settings, codec, target)

    def _target(self, codec: Codec, texts: Iterable[str], settings: Parameters) -> float:
        instruction, question = codec.length(settings.instruction), codec.length(settings.question)
        return settings.target(instruction, question, sum(map(codec.length, texts)))

    def _filter_sentences(
        self, contexts: list[Context], settings: Parameters, codec: Codec, target: float
    ) -> list[Context]:
        parts = [cut(context, sentence_spans(context.text, self._split)) for context in contexts]
        everything = [part for group in parts for part in group]
        if len(everything) == 1:
            return contexts
        texts = [part.text for part in everything]
        codec.prepare(texts)
        order = self._sentence_order(
            texts, list(map(len, parts)), settings, Ranking(self._causal, codec, self._window)
        )
        kept = affordable(order, list(map(codec.length, texts)), settings.sentence_tokens(target))
        kept |= {place for place, part in enumerate(everything) if part.preserved}
        places = iter(range(len(everything)))
        return [
            joined([part for part in group if next(places) in kept], empty=context)
            for group, context in zip(parts, contexts, strict=True)
        ]

    @staticmethod
    def _sentence_order(
        texts: Sequence[str], groups: Sequence[int], settings: Parameters, ranking: Ranking
    ) -> list[int]:
        if settings.rank_method != "longllmlingua":
            return ranking.order(texts, settings)
        scores = preferred(
            ranking.surprises(texts, settings.question, settings.condition),
            groups,
            settings.keep_first_sentence,
            settings.keep_last_sentence,
            settings.keep_sentence_number,
            settings.high_priority_bonus,
        )
        return in_order(scores, descending=settings.descending)

    def _filter_tokens(self, choice: Chosen, settings: Parameters, codec: Codec, target: float) -> Shortened:
        contexts = choice.contexts
        texts = [context.text for context in contexts]
        if not settings.use_token_level_filter:
            return Shortened(contexts, JOINT.join(texts), None, JOINT.join(texts))
        start = 0
        if settings.hides:
            prefix = hidden_prefix(codec, settings, self._window)
            start = prefix_tokens(codec, prefix, texts[0] if texts else "")
            texts = [prefix, *texts]
        whole = JOINT.join(texts)
        ids = codec.ids(whole)
        windows = Windows(
            size=settings.iterative_size,
            start=start,
            limit=self._window,
            contrast=settings.condition_compare,
            keep_split=settings.keep_split,
        )
        schedule = self._schedule(choice, settings, codec, target, whole, start)
        kept = kept_tokens(self._causal, ids, schedule, windows)
        text = codec.decode(ids[kept]).replace("<s> ", "").replace("<s>", "")
        return Shortened(contexts, whole, kept, text)

    @staticmethod
    def _schedule(
        choice: Chosen, settings: Parameters, codec: Codec, target: float, whole: str, start: int
    ) -> Schedule:
        if any(context.runs is not None for context in choice.contexts):
            return tag_schedule(codec, codec.ids(whole)[start:], choice.contexts, settings.iterative_size)
        codec.prepare(context.text for context in choice.contexts)
        # two more a context, for what joins them
        lengths = [codec.count(context.text) + 2 for context in choice.contexts]
        return scheduled(lengths, choice.shifts, target, settings.iterative_size)


def _texts(context: str | Sequence[str]) -> list[str]:
    return [context] if isinstance(context, str) and context else list(context) or [" "]


def _whole(texts: Sequence[str]) -> list[Context]:
    return [Context(number, text, ((0, len(text)),)) for number, text in enumerate(texts)]
