"""Labels and measures of a text and its shortened form."""

from __future__ import annotations

from itertools import compress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compressors.training.labels import Annotation, Forms, annotate

ENGLISH = Forms()
TEXT = "Well, the committee will probably meet again on Thursday, in the harbour."


def _annotate(text: str, compressed: str) -> Annotation:
    return annotate(text, compressed, ENGLISH)


def _kept(found: Annotation) -> str:
    return " ".join(compress(found.words, found.labels))


def test_a_faithful_answer() -> None:
    found = _annotate(TEXT, "committee meet Thursday harbour.")
    assert _kept(found) == "committee meet Thursday harbour ."
    assert found.variation_rate == 0
    assert found.hitting_rate == found.matching_rate == pytest.approx(5 / len(found.words))
    assert found.alignment_gap == 0


def test_added_words_raise_the_variation_rate() -> None:
    found = _annotate(TEXT, "The assembly gathers Thursday")
    assert _kept(found) == "the Thursday"
    assert found.variation_rate == 0.5


def test_repeated_words_open_the_alignment_gap() -> None:
    found = _annotate(TEXT, "harbour harbour harbour Thursday")
    assert found.variation_rate == 0
    assert found.alignment_gap == pytest.approx(2 / len(found.words))


def test_moved_words_are_kept_without_a_gap() -> None:
    found = _annotate(TEXT, "Thursday committee meet")
    assert _kept(found) == "committee meet Thursday"
    assert found.alignment_gap == 0


def test_words_stand_in_the_text_in_order() -> None:
    found = _annotate(
        "He paid $3.50 (don't ask), twice:\n- in 2019\n- 会议在星期四举行。", "paid $3.50 2019 星期四"
    )
    at = 0
    text = "He paid $3.50 (don't ask), twice:\n- in 2019\n- 会议在星期四举行。"
    found = _annotate(text, "paid $3.50 2019 星期四")
    at = 0
    for word in found.words:
        at = text.index(word, at) + len(word)
    assert _kept(found) == "paid $3.50 2019 星期四"


@given(st.text(alphabet="ab. ,\n’-3", max_size=60).filter(str.strip), st.data())
def test_what_only_left_words_out_is_reproduced(text: str, data: st.DataObject) -> None:
    words = _annotate(text, text).words
    stays = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)).filter(any))
    kept = list(compress(words, stays))
    compressed = "\n".join(kept)
    assume(_annotate(compressed, compressed).words == kept)  # a mark may belong to the word beside it only
    found = _annotate(text, compressed)
    assert list(compress(found.words, found.labels)) == kept
    assert (found.variation_rate, found.alignment_gap) == (0, 0)


@given(st.text(alphabet="ab. ,\n’-3", max_size=60).filter(str.strip))
def test_the_text_itself_keeps_every_word(text: str) -> None:
    found = _annotate(text, text)
    assert all(found.labels)
    assert (found.variation_rate, found.hitting_rate, found.alignment_gap) == (0, 1, 0)


@pytest.mark.parametrize(("text", "compressed"), [("", "a"), ("a", " \n")])
def test_nothing_can_be_said_without_words(text: str, compressed: str) -> None:
    with pytest.raises(ValueError, match="without words"):
        _annotate(text, compressed)
