"""Properties of the default mode that hold for any text, on tiny random models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compressors import Compressed, Compressor, Job, render
from policies.tokens import tokenizer

FRAGMENTS = [
    *["the", "quick", "brown", "fox", "doesn't", "3.14", "e-mail", "user_name", "$5.00", "50%", "naïve"],
    *["日本語のテキスト", "我们今天讨论", "한국어", "문장", "वाक्य", "ภาษาไทย", "cafe\u0301"],
    *["👩\u200d🚀", "🇩🇪", "\u200b", "\ud800", "[SEP]", "<s>"],
    *[".", ",", "!", "?", ";", ":", "(", ")", '"', "--", "...", "'"],
    *[" ", " ", " ", "  ", "\n", "\n\n", "\n    ", "\t", "\r\n", "\u00a0"],
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join) | st.text(max_size=40)
RATES = st.floats(0.05, 0.95)
KINDS = ["bert", "xlm-roberta", "modernbert", "distilbert"]

slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def spans_of(draw: st.DrawFn, text: str) -> tuple[tuple[int, int], ...]:
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    text = draw(TEXTS)
    return Job(
        text=text,
        rate=draw(RATES),
        target_tokens=draw(st.none() | st.integers(0, 40)),
        min_probability=draw(st.none() | st.floats(0, 1)),
        verbatim=draw(spans_of(text)),
        forced=draw(spans_of(text)),
        force_tokens=draw(st.sampled_from([(), ("\n",), ("\n", "?", "the"), (".", " ")])),
        force_reserve_digit=draw(st.booleans()),
        drop_consecutive=draw(st.booleans()),
        chunk_end_tokens=draw(st.sampled_from([(".", "\n"), ()])),
        token_to_word=draw(st.sampled_from(["mean", "first"])),
        contexts=draw(spans_of(text)),
        context_rate=draw(st.none() | st.floats(0.1, 1)),
        word_labels=draw(st.booleans()),
        tokenizer=draw(st.sampled_from([None, tokenizer("o200k_base")])),
    )


def covered(result: Compressed, start: int, end: int) -> bool:
    return any(s <= start and end <= e for s, e in result.spans)


def touching(span: tuple[int, int], dropped: Sequence[tuple[int, int]]) -> bool:
    return any(s < span[1] and span[0] < e for s, e in dropped)


@pytest.mark.parametrize("kind", KINDS)
@slow
@given(job=jobs())
def test_any_job(tiny: Callable[[str], Compressor], kind: str, job: Job) -> None:
    [result] = tiny(kind).compress([job])
    edges = [edge for span in result.spans for edge in span]
    assert edges == sorted(set(edges))
    assert all(0 <= edge <= len(job.text) for edge in edges)
    assert result.text == render(job.text, result.spans)
    protected = [span for span in (*job.verbatim, *job.forced) if not touching(span, result.dropped)]
    assert all(covered(result, *span) for span in protected)
    assert not result.dropped or job.contexts
    assert result.compressed_tokens <= result.original_tokens
    assert bool(result.text.strip()) == bool(job.text.strip())
    counter = job.tokenizer or tiny(kind)._reader  # type: ignore[attr-defined]
    assert result.original_tokens == counter.count(job.text)
    assert result.compressed_tokens == counter.count(result.text)


@pytest.mark.parametrize("kind", KINDS)
@slow
@given(text=TEXTS)
def test_rate_one_is_the_identity(tiny: Callable[[str], Compressor], kind: str, text: str) -> None:
    assert tiny(kind).compress([Job(text=text, rate=1.0)])[0].text == text


@pytest.mark.parametrize("kind", KINDS)
@slow
@given(text=TEXTS, rate=RATES)
def test_the_budget_is_met_to_within_a_word(
    tiny: Callable[[str], Compressor], kind: str, text: str, rate: float
) -> None:
    o200k = tokenizer("o200k_base")
    job = Job(text=text, rate=rate, word_labels=True, tokenizer=o200k)
    [result] = tiny(kind).compress([job])
    if result.unreadable or result.text == text:
        return
    kept = [word for word in result.words if word.kept]
    target = rate * o200k.count(text)
    longest = max(o200k.count(text[max(s - 2, 0) : e + 2]) for s, e in (word.span for word in result.words))
    unreadable = any(ord(char) > 0x250 for char in text)  # such words may be forced
    assert result.compressed_tokens <= target or len(kept) == 1 or unreadable
    assert result.compressed_tokens >= 0.99 * target - longest - 4


@pytest.mark.parametrize("kind", KINDS)
@slow
@given(batch=st.lists(jobs(), min_size=2, max_size=5))
def test_batch_neighbours_change_nothing(
    tiny: Callable[[str], Compressor], kind: str, batch: list[Job]
) -> None:
    together = tiny(kind).compress(batch)
    assert [tiny(kind).compress([job])[0] for job in batch] == together


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
@slow
@given(text=TEXTS, rate=RATES)
def test_white_space_separates_what_it_separated(
    tiny: Callable[[str], Compressor], kind: str, text: str, rate: float
) -> None:
    [result] = tiny(kind).compress([Job(text=text, rate=rate, word_labels=True)])
    kept = [word.span for word in result.words if word.kept]
    place = {at: i for i, at in enumerate(at for s, e in result.spans for at in range(s, e))}
    for (_, end), (start, _) in pairwise(kept):
        between = text[end:start]
        rendered = result.text[place[end - 1] + 1 : place[start]]
        assert rendered.strip() == ""
        separated = any(cluster.isspace() for cluster in regex.findall(r"\X", between))
        follows = text[start] in ".,;:!?)]" and not between[-1:].isspace() and "\n" not in rendered
        assert bool(rendered) == separated or (follows and not rendered)
        assert ("\n" in rendered) == ("\n" in between)


def test_a_megabyte_is_compressed(tiny: Callable[[str], Compressor]) -> None:
    line = "The committee has not yet decided, and room 4 is closed on Mondays.\n"
    text = line * (1_000_000 // len(line))
    [result] = tiny("bert").compress([Job(text=text, rate=0.5, tokenizer=tokenizer("o200k_base"))])
    assert 0.495 <= result.compressed_tokens / result.original_tokens <= 0.5


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "日本語のテキスト" * 30_000, "\n" * 300_000 + "a b", ". " * 100_000]
)
def test_large_texts_without_structure(tiny: Callable[[str], Compressor], text: str) -> None:
    [result] = tiny("xlm-roberta").compress([Job(text=text, rate=0.5)])
    assert len(result.text) <= len(text)
