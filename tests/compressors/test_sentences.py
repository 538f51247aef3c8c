"""Sentences cover a text without gaps and end nowhere inside a number, an abbreviation or an address."""

from __future__ import annotations

from itertools import pairwise

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from compressors.sentences import sentences

PIECES = [
    *"aB.?!。！？ \n\r\t\"'“”()「」13-*é日한",
    *("Dr. ", "e.g. ", "\n\n", "\r\n", "\u2028", "\u00a0", "\u3000", "\u0301", "\u200d", "👍🏽", "\ud800"),
    *("1. ", "\n- ", "[1] ", "i.e. ", "M. ", "3.14", "...", "? ! ", "।", "؟", "İ", "ﬀ"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=60)


def cut(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentences(text, language)]


@given(text=TEXTS, language=st.sampled_from(["en", "ja", "de", "xx"]))
def test_spans_cover_the_text_and_begin_with_ink(text: str, language: str) -> None:
    spans = sentences(text, language)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert (spans[0][0], spans[-1][1]) == (0, len(text)) if text else spans == []
    assert all(start < end for start, end in spans)
    assert not any(text[start].isspace() for start, _ in spans[1:])
    assert spans == sentences(text, language)


@given(text=TEXTS)
def test_no_grapheme_cluster_is_cut(text: str) -> None:
    inside = {
        start for match in regex.finditer(r"\X", text) for start in range(match.start() + 1, match.end())
    }
    assert not inside & {start for start, _ in sentences(text)}


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Smith paid 3.14 dollars, e.g. to Mr. X. ", "Then he left!  ", 'He said "Go. Now." and went.'],
        ["It took approx. 5 days, cf. Vol. 3, No. 5, p. 12. ", "See Fig. 2. ", "At 5 p.m. Mr. Y came."],
        ["He lives in the U.S. ", "The U.S. Army is big. ", "J. R. R. Tolkien wrote."],
        ["www.example.com/a.b.html?q=1 is a page. ", "Foo.Bar() is code. ", "Version 1.2.3 is out."],
        ["Wait!! ", "Really?! ", "Well... ", "Yes."],
        ["See [1]. ", "Next.[2] ", "Last."],
        ["  First. ", "Second. \n "],
        ["A title\n\n", "A line that\nwraps here. ", "More."],
        ["Two things:\n", "- one item\n", "- another. It goes on\n", "2) the last\n", "# Heading"],
        ["| a | b |\n", "| c | d |"],
        ["今日は晴れ。", "元気ですか？", "「はい。元気です。」", "値段は3.14円です！", "本当?", "はい。"],
        ["他今天来。", "真的吗？！", "“好。”", "他说。"],
        ["नमस्ते। ", "आप कैसे हैं? ", "ठीक।"],
        ["مرحبا. ", "كيف حالك؟ ", "جيد."],
        ["오늘은 맑음. ", "내일은 비. ", "정말요?"],
        ["Das ist z. B. gut, d. h. ca. 5 Euro. ", "Ja."],
        ["А. С. Пушкин родился в 1799 г. в Москве, т.е. тут. ", "Потом ушёл."],
        ["Bonjour\u00a0! ", "Ça va\u00a0? ", "Oui\u00a0."],
        ["no end"],
        [" \n "],
    ],
)
def test_where_sentences_end(expected: list[str]) -> None:
    assert cut("".join(expected)) == expected


def test_a_language_brings_its_abbreviations() -> None:
    text = "La Sra. López vive aquí. Bien."
    assert cut(text, "es") == ["La Sra. López vive aquí. ", "Bien."]


@pytest.mark.parametrize(
    "sentence", ["A bridge, built by Mr. Smith in 3.5 years. ", "橋は古い。", "x" * 3000 + ". "]
)
def test_long_texts_are_cut_as_short_ones(sentence: str) -> None:
    text = sentence * 200
    starts = [start for start, _ in sentences(text)]
    assert {end - start for start, end in pairwise(starts)} == {len(sentence)}
    assert len(starts) == 200
