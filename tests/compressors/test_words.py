from __future__ import annotations

from itertools import pairwise

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from compressors.words import split

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            list(" \n\t\r\u00a0.,'-_/$%+#@:!?()ab19é日本語のテキストภาษา한국å̈́\u200d\ufe0f🙂👩🚀🇩🇪☀️")
        ),
        st.characters(),
    ),
    max_size=60,
)


def words(text: str) -> list[str]:
    found = split(text)
    return [text[s:e] for s, e in zip(found.starts.tolist(), found.ends.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello world", ["Hello", "world"]),
        ("  Hello,\n\tworld!  ", ["Hello", ",", "world", "!"]),
        ("don't", ["don't"]),
        ("don\u2019t", ["don\u2019t"]),
        ("3.14 and 1,240ms", ["3.14", "and", "1,240ms"]),
        ("user_name e-mail and/or", ["user_name", "e-mail", "and/or"]),
        ("(see below).", ["(", "see", "below", ")", "."]),
        ("wait...what?Yes", ["wait", "...", "what", "?", "Yes"]),
        ("f(x)", ["f", "(", "x", ")"]),
        ("-5 degrees, 50% or $5.00", ["-5", "degrees", ",", "50%", "or", "$5.00"]),
        ("a - b", ["a", "-", "b"]),
        ("@user #42 .5", ["@user", "#42", ".5"]),
        (
            "Dr. J. R. Carver of the U.S. came.",
            ["Dr.", "J.", "R.", "Carver", "of", "the", "U.S.", "came", "."],
        ),
        (
            "at 5 p.m. e.g. in Wash. state, no. No. 5",
            ["at", "5", "p.m.", "e.g.", "in", "Wash.", "state", ",", "no", ".", "No.", "5"],
        ),
        (
            "It ended. Then, etc. and so on.",
            ["It", "ended", ".", "Then", ",", "etc.", "and", "so", "on", "."],
        ),
        ("naïve cafe\u0301s", ["naïve", "cafe\u0301s"]),
        ("ok 👩\u200d🚀👍🏽 🇩🇪🇫🇷", ["ok", "👩\u200d🚀", "👍🏽", "🇩🇪", "🇫🇷"]),
        ("한국어 문장입니다.", ["한국어", "문장입니다", "."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "今日は天気がいいですね。東京タワーの高さは333メートルです。",
        "我们今天讨论机器学习的最新进展和应用前景。",
        "我們今天討論機器學習的最新進展和應用前景。",
        "วันนี้อากาศดีมากและเราจะไปเที่ยวทะเลกัน",
    ],
)
def test_unspaced_scripts_fall_into_phrases(text: str) -> None:
    phrases = words(text)
    assert len(phrases) >= 4
    assert max(map(len, phrases)) < 15
    assert "".join(phrases) == text


def test_a_whole_span_lies_in_one_word() -> None:
    found = split("to New York City now", whole=[(3, 11)])
    assert (3, 11) in zip(found.starts.tolist(), found.ends.tolist(), strict=True)


def test_a_block_is_exactly_one_word() -> None:
    text = "see foo{a: 1}\nbar"
    found = split(text, blocks=[(7, 14)])
    assert [text[s:e] for s, e in zip(found.starts, found.ends, strict=True)] == [
        "see",
        "foo",
        "{a: 1}\n",
        "bar",
    ]


@given(TEXTS)
def test_only_white_space_lies_between_words(text: str) -> None:
    found = split(text)
    edges = [0, *(edge for pair in zip(found.starts, found.ends, strict=True) for edge in pair), len(text)]
    for start, end in list(pairwise(edges))[::2]:
        assert start <= end
        assert not text[start:end].strip()


@given(TEXTS)
def test_no_grapheme_cluster_is_cut(text: str) -> None:
    found = split(text)
    edges = {*found.starts.tolist(), *found.ends.tolist()}
    for cluster in regex.finditer(r"\X", text):
        inside = set(range(cluster.start() + 1, cluster.end()))
        assert cluster[0].isspace() or not inside & edges
