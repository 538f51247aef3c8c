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


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1,240ms",
            "doesn't",
            "DON’T",
            "不",
            "没有",
            "않다",
            "ません",
            "{{name}}",
            "<|user|>",
            "ohne",
            "jamais",
            "nunca",
            "٣",
        ),
        *("max_tokens", "camelCase", "os.path", "https://x.org/a", "me@x.org", "/etc/hosts"),
    ],
)
def test_losses_in_other_shapes(text: str) -> None:
    kept = [(0, 2), (2 + len(text), 4 + len(text))]
    assert len(violations(f"a {text} b", kept, _NOTHING, KINDS)) == 1


@pytest.mark.parametrize(
    ("text", "lost", "name"),
    [
        ("set max_tokens now", "_tokens", "lost_identifier"),
        ("a camelCase name", "camelCase", "lost_identifier"),
        ("import os.path here", ".path", "lost_identifier"),
        ("see https://x.org/a/b now", "/b", "lost_address"),
        ("mail me@x.org now", "@x.org", "lost_address"),
        ("open /etc/hosts now", "/etc", "lost_address"),
        ("```\nold words\nmore words\n```", "more", "lost_code"),
        ("~~~~ py\n```\nold words\n~~~~~\nfree", "old", "lost_code"),
        ("mindestens drei", "mindestens", "lost_negation"),
    ],
)
def test_each_class_is_looked_for_anew(text: str, lost: str, name: str) -> None:
    start = text.index(lost)
    kept = [part for part in [(0, start), (start + len(lost), len(text))] if part[0] < part[1]]
    assert violations(text, kept, _NOTHING, KINDS) == (name,)
    assert violations(text, [(0, len(text))], _NOTHING, KINDS) == ()


def test_words_between_fences_and_outside_of_documents_are_free() -> None:
    text = "```\ncode\n```\nsome words\n```\ncode\n```"
    start = text.index("some")
    assert violations(text, [(0, start), (start + 5, len(text))], _NOTHING, KINDS) == ()
    text = "```\none\n\nfree words\n\n```\ntwo"  # two documents, each of which is cut off within a fence
    documents = [(0, 7), (21, len(text))]
    assert violations(text, [(0, 9), (14, len(text))], _NOTHING, ["code"], documents=documents) == ()


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
