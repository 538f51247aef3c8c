"""Jobs as prompts of `llmlingua` 0.2.2, and its decisions as spans of a job's text. Knows no model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from compressors.base import Compressed, Job, Span, Tokenizer, Word
from compressors.compat.llmlingua.codec import Codec
from compressors.compat.llmlingua.contexts import Context
from compressors.compat.llmlingua.shortened import Shortened
from compressors.compat.spans import between, inked, inside, kept_spans, pieces_of, united
from compressors.documents import arranged
from compressors.errors import CompressionError
from compressors.forcing import marked, occurrences
from compressors.render import render
from compressors.strategy import Strategy
from compressors.words import Mask, Offsets

_DEFAULT = Strategy()


def contexts_of(job: Job) -> list[Context]:
    """What the package reads: the job's documents or, without any, the pieces between its verbatim blocks."""
    pieces = pieces_of(job)
    groups = [[piece for piece in pieces if inside(*piece, [document])] for document in job.contexts]
    return [
        Context(number, "".join(job.text[start:end] for start, end in group), tuple(group))
        for number, group in enumerate(groups if job.contexts else [[piece] for piece in pieces])
    ]


def parameters_of(job: Job, method: str, contexts: Sequence[Context], codec: Codec) -> dict[str, Any]:
    """The package's parameters for `job`; where a strategy has its default, so has the package.

    The budget is the job's: the share of its text that stays, whatever the question takes. The restrictive
    sentence is always the package's. Raises `CompressionError` for what the package doesn't know.
    """
    if job.min_probability is not None:
        raise CompressionError("llmlingua 0.2.2 knows no min_probability")
    strategy = job.strategy
    asks = method == "longllmlingua" and bool(job.question)
    condition = strategy.condition if asks else "none"
    return {
        "target_token": _target(job, contexts, codec),
        "question": job.question if asks else "",
        "rank_method": _rank_method(strategy, "longllmlingua" if asks else "llmlingua"),
        "condition_in_question": condition,
        "condition_compare": strategy.contrast and asks,
        "iterative_size": strategy.segment_tokens or 200,
        "use_context_level_filter": bool(job.contexts) and strategy.document_filter,
        "context_budget": _or("+100", strategy.document_budget, _DEFAULT.document_budget),
        "force_context_ids": [n for n in strategy.kept_documents if 0 <= n < len(contexts)],
        "force_context_number": strategy.min_documents or None,
        "reorder_context": strategy.order,
        "dynamic_context_compression_ratio": strategy.dynamic_ratio,
        "use_sentence_level_filter": strategy.sentence_filter,
        "token_budget_ratio": strategy.sentence_budget,
        "keep_first_sentence": strategy.first_sentences,
        "keep_last_sentence": strategy.last_sentences,
        "use_token_level_filter": strategy.token_filter,
    }


def compressed(
    job: Job, contexts: Sequence[Context], found: Shortened, codec: Codec, counter: Tokenizer | Codec
) -> Compressed:
    """The package's decisions about the `contexts` of a job, rendered from the job's text."""
    left = {context.number: context for context in found.contexts}
    gone = [document for number, document in enumerate(job.contexts) if number not in left]
    sentences = [
        piece
        for context in contexts
        if context.number in left
        for piece in _without(context.spans, left[context.number].spans)
    ]
    tokens = list(_tokens(job, found, codec))
    words = [*tokens, *_unread(job, contexts, left)]
    words += [Word(span=span, probability=0.0, kept=False) for span in (*gone, *sentences)]
    spans = kept_spans(job.text, words)
    if job.contexts and job.strategy.order != "original":
        spans = arranged(spans, job.contexts, [context.number for context in found.contexts])
    text = render(job.text, spans)
    return Compressed(
        spans=spans,
        text=text,
        original_tokens=counter.count(job.text),
        compressed_tokens=counter.count(text),
        dropped=united([*gone, *sentences]),
        words=tuple(tokens) if job.word_labels else (),
    )


def _target(job: Job, contexts: Sequence[Context], codec: Codec) -> float:
    read = sum(codec.length(context.text) for context in contexts)
    if job.target_tokens is None:
        return job.rate * read
    rest = sum(
        codec.count(job.text[s:e]) for s, e in between(job.text, [s for c in contexts for s in c.spans])
    )
    return max(job.target_tokens - rest, 0)


def _rank_method(strategy: Strategy, own: str) -> str:
    if strategy.rankers in (("perplexity",), _DEFAULT.rankers):
        return own
    if strategy.rankers in (("bm25",), ("gzip",)):
        return strategy.rankers[0]
    asked = ", ".join(strategy.rankers)
    raise CompressionError(f"llmlingua 0.2.2 can't rank by {asked}; allowed: one of perplexity, bm25, gzip")


def _or(package: str, value: str, default: str) -> str:
    return package if value == default else value


def _tokens(job: Job, found: Shortened, codec: Codec) -> Iterator[Word]:
    """What was decided about each piece of a kept context: a token, or all of it."""
    if found.kept is None:
        pieces = [span for context in found.contexts for span in context.spans]
        yield from (Word(span=span, probability=1.0, kept=True) for span in pieces)
        return
    origin = _origin(found)  # (characters of `joined`,)
    spans = codec.offsets(found.joined)  # (T, 2)
    stays = np.zeros(len(spans), dtype=np.bool_)
    stays[found.kept] = True
    forced = _forced(job)
    decided: dict[Span, bool] = {}
    for (start, end), kept in zip(spans.tolist(), stays.tolist(), strict=True):
        source = origin[start:end]
        source = source[source >= 0]
        if len(source):
            span = inked(job.text, int(source[0]), int(source[-1]) + 1)
            decided[span] = decided.get(span, False) or kept or bool(forced[slice(*span)].any())
    yield from (Word(span=span, probability=float(kept), kept=kept) for span, kept in decided.items())


def _origin(found: Shortened) -> Offsets:
    """Where in the job's text each character of `joined` comes from, -1 for nowhere."""
    origin = np.full(len(found.joined), -1, dtype=np.int64)
    # contexts are the end of it, two characters apart
    at = len(found.joined) - sum(len(c.text) for c in found.contexts) - 2 * (len(found.contexts) - 1)
    for context in found.contexts:
        places = [np.arange(start, end) for start, end in context.spans]
        origin[at : at + len(context.text)] = np.concatenate([np.zeros(0, np.int64), *places])
        at += len(context.text) + 2
    return origin


def _forced(job: Job) -> Mask:
    """Characters that stay unless their document goes; `(characters of the text,)` bool."""
    spans = [*job.forced, *job.heads, *(span for span, _ in occurrences(job.text, job.force_tokens))]
    if job.force_reserve_digit:
        spans += [match.span() for match in re.finditer(r"\w*\d\w*", job.text)]
    return marked(job.text, spans)


def _unread(job: Job, contexts: Sequence[Context], left: dict[int, Context]) -> Iterator[Word]:
    """What the model doesn't see: blocks stay with their document, what separates two documents with both."""
    read = [span for context in contexts for span in context.spans]
    for start, end in between(job.text, [*read, *job.verbatim]):
        if job.text[start:end].strip():
            yield Word(span=(start, end), probability=1.0, kept=_joins(job, start, left))
    for start, end in job.verbatim:
        owner = next((n for n, (low, high) in enumerate(job.contexts) if low <= start < high), None)
        stays = _joins(job, start, left) if owner is None else owner in left
        yield Word(span=(start, end), probability=float(stays), kept=stays)


def _joins(job: Job, place: int, left: dict[int, Context]) -> bool:
    """Whether what stands at `place`, outside of all documents, stays."""
    following = sum(start <= place for start, _ in job.contexts)
    if following in (0, len(job.contexts)):
        return True
    return following in left and any(number < following for number in left)


def _without(spans: Sequence[Span], kept: Sequence[Span]) -> list[Span]:
    """The parts of `spans` that `kept`, which lie within them, leave out."""
    found = []
    for start, end in spans:
        edges = [start, *(edge for low, high in kept if start <= low < end for edge in (low, high)), end]
        found += [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    return found
