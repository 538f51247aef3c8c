"""Answers get back what was dropped between the words that they repeat, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressors.base import Span
from compressors.recover import Recovery

SOURCE = (
    "Barack Obama was born in 1961 in Honolulu, Hawaii. He was the first African-American president of the United "
    "States. J. Robert Oppenheimer did not sign the treaty in Geneva. Wilhelm Conrad Röntgen received the very "
    "first Nobel Prize.\n\nThe company reported strong revenue of 5 million dollars. Christopher Wren (as is known "
    "all over the country) rebuilt many churches. Edmond Halley (the astronomer) saw it."
)
KEPT = (
    "Barack Obama | born| 1961| in Honolulu| Hawaii.| president| United| States. J| Oppenheimer| did| sign| treaty"
    "| in Geneva. Wilhelm|gen| received| first Nobel Prize.|\n\nThe company| reported| revenue| of 5 million "
    "dollars. Christopher Wren| rebuilt| churches. Edmond Halley| astronomer| saw it."
)


def kept(source: str, parts: str) -> tuple[str, list[Span]]:
    """`source` with the spans of `parts`, which `|` separates, each found after the one before."""
    spans, at = [], 0
    for part in parts.split("|"):
        start = source.index(part, at)
        at = start + len(part)
        spans.append((start, at))
    return source, spans


def recovered(answer: str, *texts: tuple[str, Sequence[Span]]) -> str:
    return Recovery(texts or [kept(SOURCE, KEPT)]).recover(answer)


def in_pieces(recovery: Recovery, pieces: Iterable[str]) -> str:
    stream = recovery.stream()
    return "".join([*map(stream.feed, pieces), stream.flush()])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Barack Obama born 1961", "Barack Obama was born in 1961"),
        (
            "It was Barack Obama born 1961 in Honolulu Hawaii.",
            "It was Barack Obama was born in 1961 in Honolulu, Hawaii.",
        ),
        ("barack  obama   born 1961", "barack  obama was born in 1961"),
        ("In Geneva. Wilhelmgen received it", "In Geneva. Wilhelm Conrad Röntgen received it"),
        ("States. J Oppenheimer", "States. J. Robert Oppenheimer"),
        ("J Oppenheimer did sign", "J. Robert Oppenheimer did sign"),  # but not what turns the meaning round
        ("in Honolulu Hawaii. president", "in Honolulu, Hawaii. president"),  # but not across sentences
        ("company reported revenue of", "company reported strong revenue of"),
        ("**Barack Obama born 1961**", "**Barack Obama was born in 1961**"),
        ("- Barack Obama born 1961\n- x", "- Barack Obama was born in 1961\n- x"),
    ],
)
def test_a_run_of_the_shortened_text_reads_as_in_the_original(answer: str, expected: str) -> None:
    assert recovered(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Obama born",  # too few words
        "Barack Obama, born 1961,",  # put otherwise by the answer itself
        "Barack Obama\nborn 1961\n",
        "1961 in Honolulu",  # nothing is missing in it
        "Oppenheimer did sign",  # what is missing says the opposite
        "Hawaii. president",
        "Christopher Wren rebuilt churches",  # half a phrase
        "Edmond Halley astronomer",  # a bracket that would stay open
        "Nobel Prize. The company",  # beyond the end of a paragraph
        "born 1961 by chance, Barack",
        "Totally different words\n\n  with\todd   spaces ",
    ],
)
def test_what_is_not_certain_stays_as_it_is(answer: str) -> None:
    assert recovered(answer) == answer


RUN = "Barack Obama born 1961"


@pytest.mark.parametrize(
    "around",
    [
        "```\n{}\n```\n",
        "Look:\n```text\n{}\n\n{}\n```",
        "Rule:\n" + "-" * 99 + "\n```\n{}\n```",
        "1. ```sh\n   {}\n   ```\n",
        "~~~\n{}\n```\n~~~\n",
        "````\n```\n{}\n````\n",
        "`{}`",
        "``a ` {}``",
        "```{}```",
        "```x``` a\n```\n{}\n```\n",
        '{{"name": "{}"}}',
        '[\n  "{}"\n]',
        'Here: {{"a": ["{}", 1]}}',
        '{{"a": "}} {}"}}',
        "| {} | yes |",
        "Name | Born\n--- | ---\n{} | 1\n",
        "a\t{}",
        "a,b,c {}",
        "<p title='{}'>",
        "<pre>{}</pre>",
        "x:\n\n    {}\n",
        "https://example.org/{}",
        "see /tmp/{}",
    ],
)
def test_code_data_and_markup_are_never_touched(around: str) -> None:
    answer = around.format(*[RUN if "/{}" not in around else RUN.replace(" ", "%20")] * 2)
    assert recovered(answer) == answer
    assert in_pieces(Recovery([kept(SOURCE, KEPT)]), answer) == answer


@pytest.mark.parametrize(
    "before",
    [
        "```\ncode\n```\n",
        "`code` ",
        '{{"a": [1]}} and ',
        "| a |\n\n",
        "<b>x</b> ",
        "https://x.org/a_b ",
        "[1] ",
        "a->b ",
    ],
)
def test_prose_after_them_is(before: str) -> None:
    assert recovered("Well: " + before + RUN) == "Well: " + before + "Barack Obama was born in 1961"


def test_nothing_dropped_changes_nothing() -> None:
    whole = SOURCE, [(0, len(SOURCE))]
    assert recovered(SOURCE, whole) == SOURCE
    assert recovered(SOURCE, (SOURCE, [(0, 40), (40, len(SOURCE))])) == SOURCE
    assert Recovery([]).recover(SOURCE) == SOURCE
    assert recovered(SOURCE, (SOURCE, [])) == SOURCE


def test_a_run_found_in_two_places_is_left_alone_unless_they_agree() -> None:
    one = kept("Ada Lovelace was born in London", "Ada Lovelace| born| in London")
    other = kept("Ada Lovelace had been born in Paris", "Ada Lovelace| born| in Paris")
    assert recovered("Ada Lovelace born", one, one) == "Ada Lovelace was born"
    assert recovered("Ada Lovelace born", one, other) == "Ada Lovelace born"
    assert recovered("Ada Lovelace born in London", one, other) == "Ada Lovelace was born in London"


def test_what_stood_before_another_run_is_not_its_gap() -> None:
    one = kept("Lovelace was born elsewhere", "Lovelace| born| elsewhere")
    other = kept("They were born in London Bridge", "They| born in London Bridge")
    assert recovered("Lovelace born in London Bridge", one, other) == "Lovelace born in London Bridge"


def test_a_phrase_found_everywhere_proves_nothing() -> None:
    text = kept("Ada Lovelace was born. ", "Ada Lovelace| born. ")
    assert recovered("Ada Lovelace born", *[text] * 64) == "Ada Lovelace was born"
    assert recovered("Ada Lovelace born", *[text] * 65) == "Ada Lovelace born"


def test_an_answer_at_most_doubles() -> None:
    words = [f"word{'abcdefghijklmnopqrst'[n]} additional " for n in range(20)]
    text = kept("".join(words), "|".join(word[:6] for word in words))
    answer = " ".join(word[:5] for word in words)
    assert len(answer) * 1.5 < len(recovered(answer, text)) < len(answer) * 2.2


def test_a_text_that_was_sent_whole_counts() -> None:
    dropped = kept("Ada Lovelace was born in London", "Ada Lovelace| born| in London")
    whole = "Ada Lovelace born in London"
    assert recovered(whole, dropped) == "Ada Lovelace was born in London"
    assert recovered(whole, dropped, (whole, [(0, len(whole))])) == whole


def test_texts_and_documents_that_changed_places_are_not_joined() -> None:
    text = "Alpha Beta Gamma went home. Delta Epsilon Zeta stayed here."
    first, second = text.index("Gamma"), text.index("Delta")
    moved = text, [(second, len(text)), (0, first), (first + 11, second)]
    assert recovered("stayed here. Alpha Beta", moved) == "stayed here. Alpha Beta"
    assert recovered("here.Alpha Beta home. Delta", moved) == "here.Alpha Beta home. Delta"
    assert (
        recovered("Epsilon Zeta stayed here.Alpha Beta home", moved)
        == "Epsilon Zeta stayed here.Alpha Beta Gamma went home"
    )
    apart = [kept("Barack Hussein Obama", "Barack |Obama"), kept("born in 1961", "born| 1961")]
    assert recovered("Barack Obama born 1961", *apart) == "Barack Obama born 1961"


def test_scripts_without_spaces() -> None:
    source = "爱因斯坦于一八七九年三月十四日出生在德国南部的乌尔姆市，后来移居美国。"
    text = kept(source, "爱因斯坦|一八七九年三月十四日出生|德国南部|乌尔姆市，后来移居美国。")
    assert (
        recovered("爱因斯坦一八七九年三月十四日出生德国南部", text)
        == "爱因斯坦于一八七九年三月十四日出生在德国南部"
    )
    address = "https://x.org/爱因斯坦一八七九年三月十四日出生德国南部"
    assert recovered(address, text) == address
    hindi = kept("महात्मा गांधी का जन्म पोरबंदर में हुआ", "महात्मा गांधी| जन्म पोरबंदर| हुआ")
    assert recovered("महात्मा गांधी जन्म पोरबंदर हुआ", hindi) == "महात्मा गांधी का जन्म पोरबंदर में हुआ"


def test_only_what_is_undecided_is_held_back() -> None:
    stream = Recovery([kept(SOURCE, KEPT)]).stream()
    assert stream.feed("Some words, Bar") == "Some words, Bar"
    assert stream.feed("ack Obama") == "ack Obama"
    assert stream.feed(" ") == ""
    assert stream.feed("bo") == ""
    assert stream.feed("th") == " both"
    assert stream.feed(" and Barack Obama bor") == " and Barack Obama"
    assert stream.feed("n ") == " was born"
    assert stream.feed("1961.") == " in 1961."
    assert stream.flush() == ""


def test_a_question_that_stays_open_is_given_up() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrst"]
    first, rest = words[0], " ".join(words[1:])
    texts = [kept(f"{first} {gap} {rest}", f"{first} |{rest}") for gap in ("one", "two")]
    stream = Recovery(texts).stream()
    held = []
    for word in words:
        stream.feed(word + " ")
        held.append(stream.held)
    assert held[1] == len(" wordb ")
    assert held[10] > len(rest) // 2
    assert held[-1] == 0


def test_what_is_given_out_before_it_is_decided_stays_as_it_came() -> None:
    stream = Recovery([kept(SOURCE, KEPT)]).stream()
    assert stream.feed("Barack Obama bo") == "Barack Obama"
    assert stream.release() == " bo"
    assert stream.feed("rn 1961 in Honolulu Hawaii") == "rn in 1961 in Honolulu"
    assert stream.flush() == ", Hawaii"


WORDS = (
    "Barack",
    "Obama",
    "born",
    "Honolulu",
    "president",
    "1961",
    "Röntgen",
    "乌",
    "尔",
    "naïve",
    "was",
    "not",
)
MARKS = (*[" "] * 24, ", ", ". ", "\n", "\n\n", "`", "```\n", "-", "", "<", "> ", "{", "} ", " | ")
prose = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(MARKS)), max_size=30).map(
    lambda pairs: "".join(word + mark for word, mark in pairs)
)


@st.composite
def shortened(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text and kept spans: of words, sometimes of any characters, sometimes in another order."""
    source = draw(prose)
    every = r"[\s\S]" if draw(st.integers(0, 3)) == 0 else r"\w+\W*"
    spans = [match.span() for match in re.finditer(every, source) if draw(st.integers(0, 2))]
    return source, draw(st.permutations(spans)) if draw(st.integers(0, 5)) == 0 else spans


def _words(text: str) -> list[str]:
    return re.findall(r"\w", text.casefold())


@given(st.lists(shortened(), max_size=3), prose, st.data())
def test_any_pieces_give_the_same(
    texts: list[tuple[str, list[Span]]], answer: str, data: st.DataObject
) -> None:
    recovery = Recovery(texts)
    if texts:  # a model that copies
        answer += "".join(texts[0][0][start:end] for start, end in texts[0][1])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=20)))
    pieces = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    expected = recovery.recover(answer)
    assert in_pieces(recovery, pieces) == expected
    assert in_pieces(recovery, answer) == expected
    letters = iter(_words(expected))
    assert all(letter in letters for letter in _words(answer))  # nothing of the answer is lost


@given(shortened())
def test_a_text_that_is_copied_whole_never_leaves_the_original(text: tuple[str, list[Span]]) -> None:
    source, spans = text[0], sorted(text[1])
    copied = "".join(source[start:end] for start, end in spans)
    letters = iter(_words(source))
    assert all(letter in letters for letter in _words(recovered(copied, (source, spans))))


def test_what_changed_places_is_no_gap() -> None:
    whole = "Red ships carried timber north last evening, blue mules, green carts carried salted fish south."
    start = whole.index("blue")
    end = start + len("blue mules, ")
    moved = [(0, start), (end, len(whole)), (start, end)]
    dropped = moved[:2]
    answer = "Red ships carried timber north last evening, green carts carried salted fish south."
    assert Recovery([(whole, moved)]).recover(answer) == answer
    assert Recovery([(whole, dropped)]).recover(answer) == whole


def test_words_return_within_documents_that_changed_places() -> None:
    first = "The old harbour was built by the miners in a very cold winter long ago. "
    second = "Ships of the northern company carried heavy timber and salted fish across the bay. "
    whole = first + second
    very, heavy = whole.index("very "), whole.index("heavy ")
    spans = [
        (len(first), heavy), (heavy + 6, len(whole)), (0, very), (very + 5, len(first)),
    ]  # fmt: skip
    answer = "".join(whole[start:stop] for start, stop in spans)
    assert Recovery([(whole, spans)]).recover(answer) == second + first
