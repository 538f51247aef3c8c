"""The parity mode: LLMLingua-2 with the decisions and the text of the `llmlingua` package, version 0.2.2.

Owns the way from a call or a job through the model to a result. Where the package fails (an empty
context, rate 0, a chunk of special tokens) this gives something sensible. Knows no tensors (`encoder`),
no tokenization (`chunks`), no word rules (`words`), no budgets (`prompt`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from compressors.base import CompatResult, Compressed, Job, Tokenizer
from compressors.compat.llmlingua2.chunks import Chunker
from compressors.compat.llmlingua2.jobs import compressed, parameters_of
from compressors.compat.llmlingua2.prompt import Context, Parameters, Prompt
from compressors.compat.llmlingua2.words import Layout, Merger, select
from compressors.compat.spans import pieces_of
from compressors.encoder import Encoder, Probabilities
from compressors.errors import CompressionError

PLACEHOLDERS = tuple(f"[NEW{number}]" for number in range(100))
"""Stand for force tokens of several pieces; special tokens of the tokenizer, untrained in the model."""


class LLMLingua2Compat:
    """The package's LLMLingua-2 for WordPiece (BERT) and SentencePiece (XLM-R) vocabularies.

    `PLACEHOLDERS` must be special tokens of `tokenizer` already, and known to the model; `special_tokens`
    are those it had before, which never become words.
    """

    def __init__(
        self, tokenizer: Any, special_tokens: frozenset[str], encoder: Encoder, fingerprint: str
    ) -> None:
        self.fingerprint = fingerprint
        self._tokenizer = tokenizer
        self._special_tokens = special_tokens
        self._encoder = encoder
        self._layout = _layout(tokenizer)
        self._chunker = Chunker(tokenizer)

    def compress_prompt(
        self, context: str | Sequence[str], tokenizer: Tokenizer | None = None, **parameters: Any
    ) -> CompatResult:
        """The package's `compress_prompt(context, ...)` with LLMLingua-2; see `Parameters`.

        `tokenizer` weighs words and counts tokens, which the package does with tiktoken's cl100k_base;
        without one the model's own is used. Raises `CompressionError` for an unknown parameter.
        """
        try:
            settings = Parameters(**parameters)
        except TypeError as error:
            raise CompressionError(f"not a parameter of llmlingua 0.2.2: {error}") from error
        texts = [context] if isinstance(context, str) else list(context)
        prompt = self._prepare(texts, settings, tokenizer)
        self._decide([prompt])
        return prompt.result()

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """The package's decisions for each job, rendered from the original text.

        The job's `contexts`, or else the pieces between its `verbatim` blocks, are the package's
        contexts; `forced` spans stay in any case. Raises `CompressionError` for `min_probability`,
        which the package doesn't have.
        """
        pieces = [pieces_of(job) for job in jobs]
        prompts = [
            self._prepare([job.text[start:end] for start, end in spans], parameters_of(job), job.tokenizer)
            for job, spans in zip(jobs, pieces, strict=True)
        ]
        self._decide(prompts)
        return [
            compressed(job, spans, prompt) for job, spans, prompt in zip(jobs, pieces, prompts, strict=True)
        ]

    def _prepare(self, texts: list[str], parameters: Parameters, tokenizer: Tokenizer | None) -> Prompt:
        force_tokens = list(parameters.force_tokens)
        if len(force_tokens) > len(PLACEHOLDERS):
            raise CompressionError(f"{len(force_tokens)} force tokens; {len(PLACEHOLDERS)} are possible")
        placeholders = {
            token: stand_in
            for token, stand_in in zip(force_tokens, PLACEHOLDERS, strict=False)
            if self._chunker.count(token) != 1
        }
        ends = {*parameters.chunk_end_tokens}
        ends |= {placeholders[end] for end in ends if end in placeholders}
        count = _remembered((tokenizer or self._chunker).count)
        return Prompt(
            parameters=parameters,
            contexts=[Context(self._chunker.chunks(text, placeholders, ends)) for text in texts],
            merger=Merger(
                layout=self._layout,
                special_tokens=self._special_tokens,
                force_tokens=force_tokens,
                placeholders=placeholders,
                reserve_digits=parameters.force_reserve_digit,
            ),
            count=count,
            original_tokens=sum(count(text) for text in texts),
        )

    def _decide(self, prompts: Sequence[Prompt]) -> None:
        """Ask the model once about all chunks, then fill in labels and texts."""
        asked = [context for prompt in prompts if prompt.asks_model for context in prompt.contexts]
        rows = iter(self._encoder.keep_probabilities([chunk.ids for c in asked for chunk in c.chunks]))
        for prompt in prompts:
            if prompt.asks_model:
                _merge(prompt, rows)
            reduce_rate = prompt.filter_contexts() if prompt.filters else prompt.reduce_rate()
            for context in prompt.contexts:
                if context.dropped:
                    continue
                if reduce_rate > 0:
                    self._shorten(prompt, context, reduce_rate)
                else:
                    context.text = "".join(map(prompt.restored, context.chunks))

    def _shorten(self, prompt: Prompt, context: Context, reduce_rate: float) -> None:
        settings = prompt.parameters
        consecutive = settings.force_tokens if settings.drop_consecutive else None
        for words in context.words:
            labels = select(words, settings.token_to_word, reduce_rate, consecutive, prompt.count)
            kept = [word.text for word, label in zip(words, labels, strict=True) if label]
            context.text += self._tokenizer.convert_tokens_to_string(kept)
            context.labels.append(labels)


def _layout(tokenizer: Any) -> Layout:
    """How the vocabulary marks words, read from the tokenizer itself instead of the model's name."""
    kind = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"]
    if kind == "WordPiece":
        return "wordpiece"
    if kind == "Unigram":
        return "sentencepiece"
    raise CompressionError(f"llmlingua 0.2.2 has no word rule for {kind} vocabularies")


def _remembered(count: Callable[[str], int]) -> Callable[[str], int]:
    """`count` that asks only once for each text: the same words come again and again."""
    known: dict[str, int] = {}

    def remembered(text: str) -> int:
        if text not in known:
            known[text] = count(text)
        return known[text]

    return remembered


def _merge(prompt: Prompt, rows: Iterator[Probabilities]) -> None:
    for context in prompt.contexts:
        context.words = [prompt.merger.merge(chunk.tokens, next(rows)) for chunk in context.chunks]
