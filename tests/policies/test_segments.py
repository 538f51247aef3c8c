"""Markup that says what to shorten, and how far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.segments import sections

_PIECES = st.sampled_from(
    [
        "<laconic:keep>",
        "</laconic:keep>",
        "<LLMLingua>",
        "<llmlingua, rate=0.3>",
        "<llmlingua, compress=False>",
        "</llmlingua>",
        "<llmlingua, rate=>",
        "<llmlingua",
        *["<laconic:keep", "a", " b\n", "<", ">", ","],
    ]
)


def _read(text: str) -> list[tuple[str, float | None, bool]]:
    return [(text[part.span[0] : part.span[1]], part.rate, part.compress) for part in sections(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("", None, True)]),
        ("plain", [("plain", None, True)]),
        ("a<laconic:keep>b</laconic:keep>c", [("a", None, True), ("b", None, False), ("c", None, True)]),
        ("<llmlingua, rate=0.3>b</llmlingua>", [("b", 0.3, True)]),
        ("<llmlingua, rate=0.3, compress=False>b</llmlingua>", [("b", 0.3, False)]),
        ("<llmlingua, compress=False, rate=0.3>b</llmlingua>", [("b", 0.3, False)]),
        ("<llmlingua, compress=FALSE>b</llmlingua>", [("b", None, False)]),
        ("<llmlingua,compress=true , rate = 0.5 >b</llmlingua >", [("b", 0.5, True)]),
        ("<LLMLingua>b</LLMLINGUA>", [("b", None, True)]),
        ("<laconic:keep></laconic:keep>", []),
        (
            "<llmlingua, rate=0.3>a<laconic:keep>b</laconic:keep>c</llmlingua>",
            [("a", 0.3, True), ("b", 0.3, False), ("c", 0.3, True)],
        ),
        (
            "<laconic:keep>a<llmlingua, rate=0.3, compress=True>b</llmlingua></laconic:keep>",
            [("a", None, False), ("b", 0.3, False)],
        ),
        (
            "<llmlingua, rate=0.8>a<llmlingua, rate=0.2>b</llmlingua>c</llmlingua>",
            [("a", 0.8, True), ("b", 0.2, True), ("c", 0.8, True)],
        ),
    ],
)
def test_sections(text: str, expected: list[tuple[str, float | None, bool]]) -> None:
    assert _read(text) == expected


@pytest.mark.parametrize("rate", ["0", "-1", "1.5", "nan", "inf", "half", "", "0.3.1"])
def test_a_rate_that_is_none_is_the_policys(rate: str) -> None:
    assert _read(f"<llmlingua, rate={rate}>b</llmlingua>") == [("b", None, True)]


@pytest.mark.parametrize(
    "text",
    [
        "a<laconic:keep>b",
        "a</laconic:keep>b",
        "</llmlingua>a<llmlingua>",
        "<llmlingua, speed=3>b",
        "<llmlingua rate=0.3>b",
        "<llmlingua, rate=0.3",
        "a <laconic:kept>b",
    ],
)
def test_unbalanced_and_malformed_tags_are_plain_text(text: str) -> None:
    assert _read(text) == [(text, None, True)]


def test_an_unclosed_tag_within_a_closed_one_is_plain_text() -> None:
    assert _read("<laconic:keep>a<llmlingua>b</laconic:keep>c</llmlingua>") == [
        ("a<llmlingua>b", None, False),
        ("c</llmlingua>", None, True),
    ]


@given(st.lists(_PIECES).map("".join) | st.text())
def test_sections_lose_nothing_but_whole_tags(text: str) -> None:
    parts = sections(text)
    at = 0
    for part in parts:
        start, end = part.span
        _assert_only_tags(text[at:start])
        assert start < end or text == ""
        at = end
    _assert_only_tags(text[at:])


def _assert_only_tags(gap: str) -> None:
    assert gap == "" or (gap[0] == "<" and gap[-1] == ">")
    assert gap.count("<") == gap.count(">")
    assert all("llmlingua" in tag.lower() or "laconic:keep" in tag.lower() for tag in gap.split(">")[:-1])


@pytest.mark.parametrize(
    "unit",
    [
        "<laconic:keep>",
        "</laconic:keep>",
        "<llmlingua>",
        "</llmlingua>",
        "<llmlingua,",
        "<llmlingua, rate=1 ",
        "<",
    ],
)
def test_a_megabyte_of_tags_is_read_in_linear_time(unit: str) -> None:
    text = unit * (2**20 // len(unit))
    assert _read(text) == [(text, None, True)]
