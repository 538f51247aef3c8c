"""Jobs as prompts of `llmlingua` 0.2.2, and its decisions as spans of a job's text. Knows no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compressors.base import Compressed, Job, Span, Word
from compressors.compat.llmlingua2.prompt import Context, Parameters, Prompt
from compressors.compat.spans import between, inked, kept_spans, united
from compressors.errors import CompressionError
from compressors.render import render


def parameters_of(job: Job) -> Parameters:
    """The package's parameters for `job`; raises `CompressionError` for those that it doesn't know."""
    if job.min_probability is not None:
        raise CompressionError("llmlingua 0.2.2 knows no min_probability")
    return Parameters(
        rate=job.rate,
        target_token=-1 if job.target_tokens is None else job.target_tokens,
        use_context_level_filter=bool(job.contexts),
        context_level_rate=1.0 if job.context_rate is None else job.context_rate,
        token_to_word=job.token_to_word,
        force_tokens=job.force_tokens,
        force_reserve_digit=job.force_reserve_digit,
        drop_consecutive=job.drop_consecutive,
        chunk_end_tokens=job.chunk_end_tokens,
    )


def compressed(job: Job, pieces: Sequence[Span], prompt: Prompt) -> Compressed:
    """The package's decisions about the `pieces` of a job, rendered from the job's text."""
    words: list[Word] = []
    for (start, end), context in zip(pieces, prompt.contexts, strict=True):
        if context.dropped or context.labels:
            words += _decided(job.text, context, prompt, start)
        else:
            words.append(Word(span=(start, end), probability=1.0, kept=True))
    unread = [span for span in between(job.text, (*pieces, *job.verbatim)) if job.text[slice(*span)].strip()]
    whole = [Word(span=span, probability=1.0, kept=True) for span in (*unread, *job.verbatim)]
    spans = united((*kept_spans(job.text, [*words, *whole]), *job.verbatim, *job.forced))
    text = render(job.text, spans)
    return Compressed(
        spans=spans,
        text=text,
        original_tokens=prompt.count(job.text),
        compressed_tokens=prompt.count(text),
        words=tuple(words) if job.word_labels else (),
    )


def _decided(text: str, context: Context, prompt: Prompt, offset: int) -> Iterator[Word]:
    for number, (chunk, words) in enumerate(zip(context.chunks, context.words, strict=True)):
        labels = [0] * len(words) if context.dropped else context.labels[number]
        for word, label in zip(words, labels, strict=True):
            spans = chunk.spans[word.first : word.last + 1]  # (tokens of the word, 2)
            spans = spans[spans[:, 1] > spans[:, 0]]
            if len(spans):
                yield Word(
                    span=inked(text, offset + int(spans[0, 0]), offset + int(spans[-1, 1])),
                    probability=float(word.probability(prompt.parameters.token_to_word)),
                    kept=bool(label),
                )
