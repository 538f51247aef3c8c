"""Plans as jobs for a compressor, and its results as what stays of each piece.

Knows plans and jobs; no store, no queue, no HTTP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from compressors import Compressed, Job, Span, Strategy
from policies.groups import Text
from policies.pieces import Measure, Piece
from policies.plan import TextPlan
from policies.policy import Policy
from policies.tokens import Tokenizer

_SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of a text as it stands in a job."""

    key: bytes
    piece: Piece
    offset: int
    """Where the piece begins in the job's text."""


@dataclass(frozen=True, slots=True)
class Commission:
    """A job and the pieces whose results it makes; several where a prompt's documents stand in several messages."""

    job: Job
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Remainder:
    """What stays of a piece, counted from its start."""

    spans: tuple[Span, ...]
    dropped: tuple[Span, ...]
    """Documents and sentences that went as a whole."""
    unreadable: bool


def commissions(
    texts: Mapping[bytes, Text], plans: Mapping[bytes, TextPlan], policy: Policy, tokenizer: Tokenizer
) -> Iterator[Commission]:
    """The jobs that all pieces of all plans make; pieces of one bundle make one if they are to go equally far."""
    strategy = Strategy(**policy.strategy.model_dump())
    bundles: dict[tuple[int, Measure], list[tuple[bytes, Piece]]] = defaultdict(list)
    for key, plan in plans.items():
        for piece in plan.pieces:
            if piece.bundle is None:
                yield _commission([(key, piece)], texts, policy, strategy, tokenizer)
            else:
                bundles[piece.bundle, piece.measure].append((key, piece))
    for members in bundles.values():
        yield _commission(members, texts, policy, strategy, tokenizer)


def _commission(
    members: list[tuple[bytes, Piece]],
    texts: Mapping[bytes, Text],
    policy: Policy,
    strategy: Strategy,
    tokenizer: Tokenizer,
) -> Commission:
    """One job for pieces that are to go equally far; their measure is any one's."""
    contents = [texts[key].text[slice(*piece.span)] for key, piece in members]
    shares, at = [], 0
    for (key, piece), content in zip(members, contents, strict=True):
        shares.append(Share(key, piece, at))
        at += len(content) + len(_SEPARATOR)
    first, measure = members[0][1], members[0][1].measure
    documents = _shifted(shares, "documents")
    if len(shares) > 1:
        documents = tuple(
            (share.offset, share.offset + len(content))
            for share, content in zip(shares, contents, strict=True)
        )
        # Even the worst keeps half of its share: a message that only numbers are left of says nothing.
        spread = min(strategy.dynamic_ratio, (measure.rate or 1.0) / 2)
        strategy = replace(strategy, document_filter=False, order="original", dynamic_ratio=spread)
    job = Job(
        text=_SEPARATOR.join(contents),
        rate=measure.rate or 1.0,
        target_tokens=None if measure.target_tokens is None else measure.target_tokens * len(members),
        min_probability=measure.min_probability,
        verbatim=_shifted(shares, "blocks"),
        forced=_shifted(shares, "inline"),
        contexts=documents,
        heads=_shifted(shares, "heads"),
        question=first.question,
        strategy=strategy,
        force_tokens=policy.force_tokens,
        force_reserve_digit=policy.force_reserve_digit,
        drop_consecutive=policy.drop_consecutive,
        chunk_end_tokens=policy.chunk_end_tokens,
        token_to_word=policy.token_to_word,
        tokenizer=tokenizer,
    )
    return Commission(job, tuple(shares))


def _shifted(shares: list[Share], name: str) -> tuple[Span, ...]:
    return tuple(
        (share.offset + start, share.offset + end)
        for share in shares
        for start, end in getattr(share.piece, name)
    )


def remainders(commission: Commission, result: Compressed) -> Iterator[tuple[Share, Remainder]]:
    """What a job's result leaves of each of its pieces."""
    for share in commission.shares:
        size = share.piece.span[1] - share.piece.span[0]
        yield (
            share,
            Remainder(
                tuple(_cropped(result.spans, share.offset, size)),
                tuple(_cropped(result.dropped, share.offset, size)),
                result.unreadable,
            ),
        )


def _cropped(spans: tuple[Span, ...], offset: int, size: int) -> Iterator[Span]:
    for start, end in spans:
        low, high = max(start - offset, 0), min(end - offset, size)
        if low < high:
            yield low, high
