"""A mark stays only with a word of its clause."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressors.clauses import tied_to_clauses
from compressors.scores import LOWEST, Scores
from compressors.words import split

MARKS = set(".,;:!?()[]\"'#-*…“”<>=|")
TEXTS = st.lists(
    st.sampled_from([*"abc", "d", *sorted(MARKS), *"   \n", "🙂", "日", "..."]), max_size=40
).map("".join)


def scored(text: str, scores: dict[str, int], *staying: str) -> tuple[Scores, list[str]]:
    words = split(text)
    spelled = [text[s:e] for s, e in zip(words.starts, words.ends, strict=True)]
    given_scores = np.array([scores.get(word, 500) for word in spelled], dtype=np.int64)
    stays = np.array([word in staying for word in spelled], dtype=np.bool_)
    return tied_to_clauses(given_scores, text, words, stays), spelled


@pytest.mark.parametrize(
    ("text", "mark", "clause"),
    [
        ("a b, c d.", ",", "ab"),
        ("a b, c d.", ".", "cd"),
        ("a b). c", ".", "ab"),  # nothing lies between the two marks
        ("a\nb, c", ",", "b"),
        ("a (b c) d", "(", "bc"),
        ("a (b c) d", ")", "bc"),
        ('a "b c" d', '"', "bc"),
        ("「日」", "「", "日"),
        ("a\n- b c\n", "-", "bc"),
        ("a\n# b", "#", "b"),
        ("a\n. b", ".", "b"),  # nothing precedes it in its line
        ("a\n> **b** c", ">", "b"),
        ("a 🙂!", "!", "a🙂"),  # an emoji says something by itself
        ("a b\n---\nc", "---", "c"),
    ],
)
def test_a_mark_belongs_to_its_clause(text: str, mark: str, clause: str) -> None:
    for member in clause:
        best = {word: 40 if word == member else -100 for word in clause}
        result, spelled = scored(text, best)
        assert result[spelled.index(mark)] == 39


def test_a_mark_that_scores_less_than_its_clause_keeps_its_score() -> None:
    result, spelled = scored("a, b", {"a": 70, ",": 10, "b": -5})
    assert dict(zip(spelled, result.tolist(), strict=True)) == {"a": 70, ",": 10, "b": -5}


def test_words_that_stay_anyway_hold_their_marks() -> None:
    result, spelled = scored("a, b", {"a": -900, ",": 10}, "a")
    assert result[spelled.index(",")] == 10


def test_a_text_of_marks_alone_keeps_its_scores() -> None:
    result, _ = scored("?! ...\n.", {"...": 3})
    assert result.tolist() == [500, 500, 3, 500]


def test_a_mark_with_nothing_to_belong_to_goes_first() -> None:
    result, spelled = scored("a b\n---", {})
    assert result[spelled.index("---")] < LOWEST


@given(text=TEXTS, data=st.data())
def test_no_mark_outranks_all_words_beside_it(text: str, data: st.DataObject) -> None:
    words = split(text)
    drawn = data.draw(st.lists(st.integers(-9, 9), min_size=len(words), max_size=len(words)))
    scores = np.array(drawn, dtype=np.int64)
    result = tied_to_clauses(scores, text, words, np.zeros(len(words), dtype=np.bool_))
    marks = [set(text[s:e]) <= MARKS for s, e in zip(words.starts, words.ends, strict=True)]
    assert (result <= scores).all()
    assert all(after == before for after, before, mark in zip(result, scores, marks, strict=True) if not mark)
    runs = [list(run) for _, run in groupby(range(len(words)), key=marks.__getitem__)]
    for before, run, after in zip([[], *runs], runs, [*runs[1:], []], strict=False):
        beside = [result[i] for i in (*before, *after)]
        if marks[run[0]] and beside:
            assert max(result[i] for i in run) < max(beside)
