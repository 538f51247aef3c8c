"""The stages of `llmlingua` 0.2.2 in their order: contexts, sentences, tokens. Knows none of their rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compressors.causal import Causal
from compressors.compat.llmlingua.codec import Codec
from compressors.compat.llmlingua.contexts import Chosen, Context, chosen
from compressors.compat.llmlingua.parameters import Parameters
from compressors.compat.llmlingua.prefix import JOINT, hidden_prefix, prefix_tokens
from compressors.compat.llmlingua.ranking import Ranking, in_order
from compressors.compat.llmlingua.schedule import Schedule, scheduled
from compressors.compat.llmlingua.sentences import Split, affordable, cut, joined, preferred, sentence_spans
from compressors.compat.llmlingua.shortened import Shortened
from compressors.compat.llmlingua.structured import tag_schedule
from compressors.compat.llmlingua.tokens import Windows, kept_tokens


def target_tokens(codec: Codec, texts: Iterable[str], settings: Parameters) -> float:
    """Tokens of the contexts `texts` that are to stay, in the model's tokens."""
    instruction, question = codec.length(settings.instruction), codec.length(settings.question)
    return settings.target(instruction, question, sum(map(codec.length, texts)))


class Stages:
    """Shortens the contexts of one prompt. `window` is the most tokens of one sequence."""

    def __init__(self, causal: Causal, codec: Codec, settings: Parameters, window: int, split: Split) -> None:
        self._causal = causal
        self._codec = codec
        self._settings = settings
        self._window = window
        self._split = split
        self._ranking = Ranking(causal, codec, window)

    def shorten(self, contexts: list[Context]) -> Shortened:
        """What stays of `contexts`."""
        settings, codec = self._settings, self._codec
        texts = [context.text for context in contexts]
        codec.prepare([*texts, settings.instruction, settings.question])
        target = target_tokens(codec, texts, settings)
        choice = Chosen(contexts, [0.0] * len(contexts))
        if len(contexts) > 1 and settings.use_context_level_filter:
            order = self._ranking.order(texts, settings)
            choice = chosen(contexts, order, list(map(codec.length, texts)), target, settings)
        if settings.use_sentence_level_filter:
            choice = choice._replace(contexts=self._sentences(choice.contexts, target))
        if settings.use_token_level_filter:
            return self._tokens(choice, target)
        text = JOINT.join(context.text for context in choice.contexts)
        return Shortened(choice.contexts, text, None, text)

    def _sentences(self, contexts: list[Context], target: float) -> list[Context]:
        parts = [cut(context, sentence_spans(context.text, self._split)) for context in contexts]
        everything = [part for group in parts for part in group]
        if len(everything) == 1:
            return contexts
        texts = [part.text for part in everything]
        self._codec.prepare(texts)
        order = self._sentence_order(texts, list(map(len, parts)))
        budget = self._settings.sentence_tokens(target)
        kept = affordable(order, list(map(self._codec.length, texts)), budget)
        kept |= {place for place, part in enumerate(everything) if part.preserved}
        places = iter(range(len(everything)))
        return [
            joined([part for part in group if next(places) in kept], empty=context)
            for group, context in zip(parts, contexts, strict=True)
        ]

    def _sentence_order(self, texts: Sequence[str], groups: Sequence[int]) -> list[int]:
        settings = self._settings
        if settings.rank_method != "longllmlingua":
            return self._ranking.order(texts, settings)
        scores = preferred(
            self._ranking.surprises(texts, settings.question, settings.condition),
            groups,
            settings.keep_first_sentence,
            settings.keep_last_sentence,
            settings.keep_sentence_number,
            settings.high_priority_bonus,
        )
        return in_order(scores, descending=settings.descending)

    def _tokens(self, choice: Chosen, target: float) -> Shortened:
        settings, codec = self._settings, self._codec
        texts = [context.text for context in choice.contexts]
        start = 0
        if settings.hides:
            prefix = hidden_prefix(codec, settings, self._window)
            start = prefix_tokens(codec, prefix, texts[0] if texts else "")
            texts = [prefix, *texts]
        whole = JOINT.join(texts)
        windows = Windows(
            size=settings.iterative_size,
            start=start,
            limit=self._window,
            contrast=settings.condition_compare,
            keep_split=settings.keep_split,
        )
        kept = kept_tokens(
            self._causal, codec.ids(whole), self._schedule(choice, target, whole, start), windows
        )
        text = codec.decode(codec.ids(whole)[kept])
        # Llama's BOS, also where it is spelled out in a text
        return Shortened(choice.contexts, whole, kept, text.replace("<s> ", "").replace("<s>", ""))

    def _schedule(self, choice: Chosen, target: float, whole: str, start: int) -> Schedule:
        settings, codec = self._settings, self._codec
        if any(context.runs is not None for context in choice.contexts):
            return tag_schedule(codec, whole, start, choice.contexts, settings.iterative_size)
        codec.prepare(context.text for context in choice.contexts)
        # two more a context, for what joins them
        lengths = [codec.count(context.text) + 2 for context in choice.contexts]
        return scheduled(lengths, choice.shifts, target, settings.iterative_size)
