"""What is to be measured, and the jobs that it takes. Knows methods by name, no models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compressors import Job, Strategy, Tokenizer
from proxy.bench.texts import QUESTION, Count, mixed, of_tokens, seeded

RATE = 0.5
MOST_TEXTS = 64
"""Different texts of one size; more requests take them again."""
DOCUMENTS, DOCUMENT_TOKENS = 20, 150
"""Of the prompt with retrieved documents."""
_GAP = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a measurement is told."""

    models: tuple[str, ...] = ("shape:mbert",)
    method: str | None = None
    """None: what a model is usually for."""
    device: str = "auto"
    dtype: str | None = None
    threads: int | None = None
    rounds: int = 5
    """Requests of each caller; turns of each side."""
    sizes: tuple[int, ...] = (60, 500, 2000, 8000)
    concurrency: tuple[int, ...] = (1, 8, 64)
    limit_s: float = 30.0
    """For one size at one concurrency, or for one size beside the package."""
    latency: bool = True
    beside: bool = False
    messages: int = 200
    """Of the stream beside the package."""
    flips: int = 0
    """Texts whose decisions are compared."""
    other_dtypes: tuple[str, ...] = ()
    batch_tokens: int | None = None
    """None: what suits the device."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of an engine."""

    size: str
    jobs: Sequence[Job]
    """Taken in turn."""
    tokens: Sequence[int]
    """The model's, of each job."""
    concurrency: int
    requests: int
    limit_s: float


def job_of(method: str, text: str, tokenizer: Tokenizer, *, word_labels: bool = False) -> Job:
    """Half of `text` is to stay; for LongLLMLingua, paragraphs are documents that a question is asked about."""
    if method != "longllmlingua":
        return Job(text=text, rate=RATE, tokenizer=tokenizer, word_labels=word_labels)
    spans = tuple(match.span() for match in re.finditer(r"\S(?:(?!\n\n).)*", text, re.DOTALL))
    return Job(
        text=text,
        rate=RATE,
        tokenizer=tokenizer,
        word_labels=word_labels,
        question=QUESTION,
        contexts=spans,
        strategy=Strategy(rankers=("perplexity",), order="sort"),
    )


def documents_of(count: Count, seed: int) -> list[str]:
    """Passages as they are retrieved for a question, each in one paragraph."""
    draw = seeded(seed)
    return [of_tokens(DOCUMENT_TOKENS, count, draw).replace(_GAP, " ") for _ in range(DOCUMENTS)]


def loads(plan: Plan, method: str, count: Count, tokenizer: Tokenizer) -> list[Load]:
    """One for each size at each concurrency, then for a mix of the sizes."""
    draw = seeded(plan.seed)
    most = min(MOST_TEXTS, plan.rounds * max(plan.concurrency))
    texts = {str(size): [of_tokens(size, count, draw) for _ in range(most)] for size in plan.sizes}
    if len(plan.sizes) > 1:
        left = {size: iter(texts[str(size)]) for size in plan.sizes}
        texts["mix"] = [next(left[size]) for size in mixed(plan.sizes, most, draw)]
    if method == "longllmlingua":
        asked = [_GAP.join(documents_of(count, seed)) for seed in range(min(most, 8))]
        texts[f"{DOCUMENTS}×{DOCUMENT_TOKENS}"] = asked
    found = []
    for size, some in texts.items():
        jobs = [job_of(method, text, tokenizer) for text in some]
        tokens = [count(text) for text in some]
        found += [_load(plan, size, jobs, tokens, callers) for callers in plan.concurrency]
    return found


def _load(plan: Plan, size: str, jobs: Sequence[Job], tokens: Sequence[int], callers: int) -> Load:
    return Load(
        size=size,
        jobs=jobs,
        tokens=tokens,
        concurrency=callers,
        requests=callers * plan.rounds,
        limit_s=plan.limit_s,
    )
