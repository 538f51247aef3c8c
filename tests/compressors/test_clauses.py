"""A mark stays only with a word of its clause."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressors.clauses import tied_to_clauses
from compressors.scores import LOWEST
from compressors.words import split


def _scores(text: str, **given: int) -> dict[int, int]:
    """The scores of the words of `text`, by where they start; words score 0 unless given, marks score 100."""
    words = split(text)
    pieces = [text[start:end] for start, end in zip(words.starts, words.ends, strict=True)]
    raw = [given.get(piece, 0) if any(c.isalnum() for c in piece) else 100 for piece in pieces]
    tied = tied_to_clauses(np.array(raw, dtype=np.int64), text, words)
    return dict(zip(words.starts.tolist(), tied.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "mark", "score"),
    [
        ("stay gone, gone.", ",", 6),  # what precedes, back to the line's start
        ("stay, gone gone.", ".", -1),  # … or to the mark before
        ('"gone" stay!', "!", 6),
        ("gone (stay) gone", "(", 6),  # an opening mark: what follows
        ("gone (stay) gone", ")", 6),
        ("gone\n- stay", "-", 6),  # a bullet: what follows
        ("stay\n. gone", ".", -1),
        ("stay ...", "...", 6),
        ("...", "...", LOWEST),
    ],
)
def test_the_clause_that_decides(text: str, mark: str, score: int) -> None:
    assert _scores(text, stay=7)[text.index(mark)] == score


def test_words_and_low_marks_keep_their_scores() -> None:
    text = "one, two"
    words = split(text)
    scores = np.array([5, -300, 9], dtype=np.int64)
    assert tied_to_clauses(scores, text, words).tolist() == [5, -300, 9]


@given(st.text(alphabet="ab .,!?(\n-", max_size=60), st.integers(0, 2**32 - 1))
def test_no_mark_beats_every_word(text: str, seed: int) -> None:
    words = split(text)
    scores = np.random.default_rng(seed).integers(-500, 500, len(words))
    tied = tied_to_clauses(scores, text, words)
    lettered = [
        text[start:end].strip(".,!?(-\n ") != "" for start, end in zip(words.starts, words.ends, strict=True)
    ]
    best = max((score for score, is_word in zip(tied, lettered, strict=True) if is_word), default=LOWEST + 1)
    for before, after, is_word in zip(scores, tied, lettered, strict=True):
        assert after == before if is_word else after <= before and after < best
