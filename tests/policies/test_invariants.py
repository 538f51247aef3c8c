"""The check of a shortened text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.invariants import violations
from policies.protection import KINDS, Protection, ProtectKind, Span, protect

_TEXT = "Do not pay 1,240 EUR <b>now</b>"
_NOTHING = Protection((), ())


def _without(word: str) -> list[Span]:
    start = _TEXT.index(word)
    parts = [(0, start), (start + len(word), len(_TEXT))]
    return [part for part in parts if part[0] < part[1]]


def test_the_whole_text_breaks_nothing() -> None:
    assert violations(_TEXT, [(0, len(_TEXT))], protect(_TEXT, KINDS), KINDS) == ()


def test_dropping_free_words_breaks_nothing() -> None:
    assert violations(_TEXT, _without("pay "), protect(_TEXT, KINDS), KINDS) == ()


@pytest.mark.parametrize(
    ("word", "name", "kind"),
    [("240", "lost_number", "numbers"), ("not", "lost_negation", "negations"), ("</b>", "lost_tag", "tags")],
)
def test_a_loss_is_noticed_without_the_help_of_protection(word: str, name: str, kind: ProtectKind) -> None:
    assert violations(_TEXT, _without(word), _NOTHING, KINDS) == (name,)
    assert violations(_TEXT, _without(word), _NOTHING, [kind]) == (name,)
    assert violations(_TEXT, _without(word), _NOTHING, set(KINDS) - {kind}) == ()


@pytest.mark.parametrize("text", ["1,240ms", "doesn't", "不", "않다", "{{name}}", "<|user|>", "ohne", "٣"])
def test_losses_in_other_shapes(text: str) -> None:
    kept = [(0, 2), (2 + len(text), 4 + len(text))]
    assert len(violations(f"a {text} b", kept, _NOTHING, KINDS)) == 1


def test_a_protected_span_must_survive_whole() -> None:
    protection = Protection(((0, 6),), ((11, 16),))
    assert violations(_TEXT, [(0, 6), (11, len(_TEXT))], protection, []) == ()
    assert violations(_TEXT, [(0, 3), (3, len(_TEXT))], protection, []) == ()
    assert violations(_TEXT, [(1, len(_TEXT))], protection, []) == ("lost_span",)
    assert violations(_TEXT, [(0, 12), (13, len(_TEXT))], protection, []) == ("lost_span",)


@pytest.mark.parametrize(
    "kept", [[(3, 5), (0, 2)], [(0, 3), (2, 5)], [(0, 0)], [(4, 2)], [(-1, 2)], [(0, len(_TEXT) + 1)]]
)
def test_spans_that_are_no_subsequence(kept: list[Span]) -> None:
    assert "disorder" in violations(_TEXT, kept, _NOTHING, KINDS)


def test_a_result_longer_than_the_original() -> None:
    assert violations("ab", [(0, 2), (0, 2)], _NOTHING, KINDS) == ("disorder", "longer")


def test_keeping_nothing_of_a_text_that_allows_it() -> None:
    assert violations("some words", [], _NOTHING, KINDS) == ()
    assert violations("", [], _NOTHING, KINDS) == ()


@given(st.text(alphabet="ab1 不<>"), st.data())
def test_a_lost_digit_is_always_noticed(text: str, data: st.DataObject) -> None:
    kept_characters = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    kept = [(at, at + 1) for at, stays in enumerate(kept_characters) if stays]
    lost = any(text[at] == "1" and not stays for at, stays in enumerate(kept_characters))
    assert ("lost_number" in violations(text, kept, _NOTHING, KINDS)) == lost
