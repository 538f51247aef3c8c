"""A causal model's work in units: any order and grouping give the same, and nothing stays behind."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compressors import Compressed, CompressionError, Job, Strategy
from compressors.causal import Causal
from compressors.engines.undivided import divisible
from compressors.passes import Divisible, Passes
from compressors.rankings import Ranked
from compressors.units import Continuation, Judgement, Line, Piece
from tests.fakes.causal import WINDOW, model

VOCABULARY = 300
METHODS = ["llmlingua", "longllmlingua"]
SENTENCE = "The committee met in room {n} and didn't agree on the price of the old bridge, not yet. "
STRATEGIES = [
    Strategy(),
    Strategy(rankers=("perplexity",), order="sort"),
    Strategy(rankers=("perplexity", "bm25"), condition="before", sentence_filter=True),
    Strategy(rankers=("perplexity",), condition="none"),
    Strategy(rankers=("perplexity",), contrast=False),
    Strategy(rankers=("perplexity",), segment_tokens=40),
    Strategy(segment_tokens=25, contrast=False, document_filter=False),
]
RANDOM = np.random.default_rng(0)


def ids(length: int) -> Any:
    return RANDOM.integers(5, VOCABULARY, length)


def jobs() -> list[Job]:
    draw = random.Random(0)
    made = []
    for strategy in STRATEGIES:
        for question in (
            "",
            "what is the price?",
            "who agreed on the price of the old bridge, and when? " * 2,
        ):
            texts = [SENTENCE.format(n=draw.randint(0, 99)) * draw.choice([1, 2, 5, 14]) for _ in range(6)]
            text = "\n".join(texts)
            starts = [sum(map(len, texts[:n])) + n for n in range(6)]
            contexts = tuple((s, s + len(t)) for s, t in zip(starts, texts, strict=True))
            made.append(Job(text=text, rate=0.4, contexts=contexts, question=question, strategy=strategy))
    return made


def in_pieces(compressor: Divisible, asked: Sequence[Job], seed: int, most: int) -> list[Compressed]:
    """The results, with units of all jobs computed in any order, up to `most` at a time."""
    draw = random.Random(seed)
    results: dict[int, Compressed] = {}
    running: dict[int, Passes] = {place: compressor.passes(job) for place, job in enumerate(asked)}
    outcomes: dict[int, list[Any]] = {}
    open_units: list[tuple[int, int, Any]] = []

    def advance(place: int) -> None:
        try:
            units = next(running[place]) if place not in outcomes else running[place].send(outcomes[place])
        except StopIteration as end:
            results[place] = end.value
            return
        assert units
        outcomes[place] = [None] * len(units)
        open_units.extend((place, number, unit) for number, unit in enumerate(units))

    for place in running:
        advance(place)
    while open_units:
        draw.shuffle(open_units)
        now = [open_units.pop() for _ in range(min(len(open_units), draw.randint(1, most)))]
        for (place, number, _), found in zip(now, compressor.forward([u for *_, u in now]), strict=True):
            outcomes[place][number] = found
        for place in {place for place, *_ in now}:
            if all(found is not None for found in outcomes[place]):
                advance(place)
    return [results[place] for place in range(len(asked))]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("seed", "most"), [(0, 1), (1, 12)])
def test_any_grouping_decides_alike(causal: Callable[[str], Any], method: str, seed: int, most: int) -> None:
    compressor = causal(method)
    assert divisible(compressor) is compressor
    asked = jobs()
    assert in_pieces(compressor, asked, seed, most) == compressor.compress(asked)


@pytest.mark.parametrize("method", METHODS)
def test_scarce_memory_changes_no_decision(
    causal: Callable[[str], Any], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressor = causal(method)
    asked = jobs()
    before = compressor.compress(asked)
    scarce = compressor._causal._costs._replace(prefix_bytes=0, held_bytes=2000, line_bytes=30_000)
    monkeypatch.setattr(compressor._causal, "_costs", scarce)
    monkeypatch.setattr(compressor._causal._prefixes, "_limit_bytes", 0)
    assert in_pieces(compressor, asked, 3, 5) == before


@pytest.mark.parametrize("method", METHODS)
def test_no_unit_costs_more_than_a_window(causal: Callable[[str], Any], method: str) -> None:
    compressor = causal(method)
    text = "".join(SENTENCE.format(n=n) for n in range(100))
    for strategy in STRATEGIES:
        passes = compressor.passes(Job(text=text, question="what price?", strategy=strategy))
        units = next(passes)
        while True:
            assert all(0 < len(unit) <= WINDOW for unit in units)
            try:
                units = passes.send(compressor.forward(units))
            except StopIteration:
                break


def test_a_job_that_is_closed_half_way_leaves_nothing_on_the_device(causal: Callable[[str], Any]) -> None:
    compressor = causal("longllmlingua")
    scorer: Causal = compressor._causal
    seen = 0
    for job in jobs():
        passes = compressor.passes(job)
        found = None
        for _ in range(2):
            try:
                units = passes.send(found)
            except StopIteration:
                break
            found = compressor.forward(units)
        seen += len(scorer._held) + len(scorer._lines)
        passes.close()
        del passes, units, found
    gc.collect()
    assert seen > 10
    assert not list(scorer._held)
    assert not list(scorer._lines)


def test_what_is_held_is_judged_as_if_at_once() -> None:
    causal = Causal(model("qwen2", VOCABULARY), window=WINDOW, batch_tokens=400)
    start, tokens = ids(1), ids(60)
    [whole] = causal.forward([Continuation(start, tokens, judged=(0, 60))])
    [part] = causal.forward([Continuation(start, tokens, judged=(50, 60), held=(10, 50))])
    assert part.held is not None
    first, again = (causal.forward([Judgement(part.held)])[0] for _ in range(2))
    assert part.surprisals == pytest.approx(whole.surprisals[50:], abs=1e-4)
    assert first.surprisals == pytest.approx(whole.surprisals[10:50], abs=1e-4)
    assert (again.surprisals == first.surprisals).all()
    assert part.held.nbytes == 0


def test_a_prefix_is_read_once_for_several_batches() -> None:
    causal = Causal(model("llama", VOCABULARY), window=WINDOW, batch_tokens=400)
    prefix = ids(40)
    units = [Continuation(prefix, ids(30), judged=(0, 30), siblings=6) for _ in range(6)]
    apart = [causal.forward([unit])[0].surprisals for unit in units]
    assert causal.forwarded_tokens == 39 + 6 * 31
    other = Causal(model("llama", VOCABULARY), window=WINDOW, batch_tokens=400)
    for unit, found in zip(units, apart, strict=True):
        [alone] = other.forward([Continuation(prefix, unit.ids, judged=(0, 30))])
        assert found == pytest.approx(alone.surprisals, abs=1e-4)


def test_prefixes_take_bounded_memory() -> None:
    causal = Causal(model("llama", VOCABULARY), window=WINDOW, batch_tokens=400)
    prefixes = causal._prefixes
    prefixes._limit_bytes = 40_000
    units = [Continuation(ids(40), ids(9), judged=(0, 9), siblings=9) for _ in range(12)]
    before = [known.surprisals for known in causal.forward(units)]
    assert 0 < prefixes.nbytes <= 40_000
    assert units[-1].prefix.tobytes() in prefixes
    assert units[0].prefix.tobytes() not in prefixes
    for unit, found in zip(units, before, strict=True):
        assert causal.forward([unit])[0].surprisals == pytest.approx(found, abs=1e-4)


def test_a_piece_may_be_read_again_and_its_line_forgotten() -> None:
    causal = Causal(model("gpt2", VOCABULARY), window=WINDOW, batch_tokens=400)
    first, wrong, right = ids(30), ids(20), ids(25)
    [whole] = causal.forward([Continuation(first, right, judged=(0, 25))])
    line = Line()
    causal.forward([Piece(line, 0, first, 10)])
    causal.forward([Piece(line, 30, wrong, 10)])
    for forget in (False, False, True):
        if forget:
            line.past = None
        [found] = causal.forward([Piece(line, 25, np.concatenate((first[25:], right)), 25)])
        assert found.surprisals == pytest.approx(whole.surprisals, abs=1e-4)
        assert (line.ids == np.concatenate((first, right))).all()


def test_a_ranker_that_fails_spares_other_jobs(causal: Callable[[str], Any], tmp_path: Path) -> None:
    compressor = causal("longllmlingua")
    name = f"embedding:{tmp_path / 'missing'}"
    units = [Ranked(name, "what?", ["a text"]), Continuation(ids(1), np.array([7, 8]), judged=(0, 2))]
    error, known = compressor.forward(units)
    assert isinstance(error, CompressionError)
    assert known.surprisals.shape == (2,)
    [job, *_] = [job for job in jobs() if job.question]
    asked = Job(text=job.text, contexts=job.contexts, question="what?", strategy=Strategy(rankers=(name,)))
    with pytest.raises(CompressionError, match="missing"):
        compressor.compress([asked])


def test_texts_to_rank_come_in_parts_of_bounded_size() -> None:
    texts = ["a" * 300] * 5 + ["b" * 3000, "c"]
    parts = list(Ranked("embedding:x", "why?", texts).parts(250))
    assert [text for part in parts for text in part.texts] == texts
    assert all(len(part) <= 250 or len(part.texts) == 1 for part in parts)
