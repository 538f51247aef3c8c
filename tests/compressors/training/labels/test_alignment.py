"""Words of shortened texts, found in the original."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressors import CompressionError
from compressors.training.labels import Forms
from compressors.training.labels.alignment import align

ENGLISH = Forms()
_WORDS = st.lists(st.sampled_from(["the", "The", "a", "dog", "dogs", "saw", "see", ",", "."]), max_size=40)


def _align(text: str, shortened: str, forms: Forms = ENGLISH, window: int = 400) -> list[int | None]:
    return align(text.split(), shortened.split(), forms, window)


@given(_WORDS, st.data())
def test_what_only_left_words_out_is_reproduced(words: list[str], data: st.DataObject) -> None:
    kept = [word for word in words if data.draw(st.booleans())]
    found = [index for index in align(words, kept, ENGLISH) if index is not None]
    assert found == sorted(set(found))
    assert [words[index] for index in found] == kept


@given(_WORDS)
def test_what_left_nothing_out_keeps_everything(words: list[str]) -> None:
    assert align(words, words, ENGLISH) == list(range(len(words)))


@given(_WORDS, _WORDS)
def test_no_word_is_kept_twice_or_for_another_word(words: list[str], shortened: list[str]) -> None:
    found = align(words, shortened, ENGLISH)
    assert len(found) == len(shortened)
    indices = [index for index in found if index is not None]
    assert len(set(indices)) == len(indices)
    for index, word in zip(found, shortened, strict=True):
        assert index is None or ENGLISH.likeness(words[index], word) > 0


def test_of_equal_words_the_one_beside_its_neighbour_is_kept() -> None:
    assert _align("the dog saw the cat", "the cat") == [3, 4]


def test_moved_words_are_found_behind_and_ahead() -> None:
    assert _align("on Monday the board met again", "board met Monday") == [3, 4, 1]
    assert _align("we met in the old harbour today", "today we met") == [6, 0, 1]


def test_added_words_are_kept_nowhere() -> None:
    assert _align("the board met", "However the board met yesterday") == [None, 0, 1, 2, None]


def test_added_marks_take_no_mark_from_elsewhere() -> None:
    assert _align("one , two three", "two , three") == [2, None, 3]


def test_case_marks_and_inflection_are_forgiven() -> None:
    assert _align("The boards “decided” it", 'board decide " IT') == [1, None, None, 3]
    assert _align("The boards ’ decided it", "board ' deciding") == [1, 2, 3]


def test_inflection_depends_on_the_language() -> None:
    assert _align("zwei Häuser brannten", "haus brannte", Forms("german")) == [1, 2]
    assert _align("the boards decided", "board", Forms("none")) == [None]


def test_the_same_form_is_preferred_to_another() -> None:
    assert _align("dogs dog", "dog") == [1]


def test_words_beyond_the_window_are_not_found() -> None:
    text = "begin " + "word " * 20 + "end"
    assert _align(text, "begin end", window=30) == [0, 21]
    assert _align(text, "begin end", window=10) == [0, None]


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(CompressionError, match="unknown language 'klingon'; allowed: none, arabic"):
        Forms("klingon")
