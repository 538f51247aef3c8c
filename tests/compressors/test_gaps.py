from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from compressors.gaps import Gaps
from compressors.render import render
from compressors.words import split


def keep(text: str, *kept: str) -> str:
    words = split(text)
    mask = np.array([text[s:e] in kept for s, e in zip(words.starts, words.ends, strict=True)])
    return render(text, Gaps(text, words).spans(mask))


@pytest.mark.parametrize(
    ("text", "kept", "expected"),
    [
        ("a b c", "ac", "a c"),
        ("a  b   c", "ac", "a c"),  # a single character stays of plain space
        ("a   b", "ab", "a   b"),  # between neighbours everything stays
        ("a\nb c", "ac", "a\nc"),
        ("a b\n    c", "ac", "a\n    c"),  # the indentation belongs to the line
        ("a\n\nb\nc", "ac", "a\n\nc"),
        ("a\n\nb\n\n  c", "ac", "a\n\n  c"),  # the last of equals
        ("a\r\nb c", "ac", "a\r\nc"),  # CRLF is one line break, not a paragraph
        ("a(b)c", "ac", "ac"),  # what was glued stays glued
        ("a(b) c", "ac", "a c"),
        ("a.b c", "c", "c"),
        ("a b, c", "a,c", "a, c"),  # a mark that touched a dropped word follows the last that stayed
        ("a (b). c", "a).", "a)."),
        ("a b , c", "a,c", "a , c"),
        ("a\nb, c", "a,", "a\n,"),
        ("a (.5) c", ("a", ".5"), "a .5"),  # a number, no mark
        ("\n a b", "b", "\n b"),  # the edge's own white space
        ("  a b", "b", " b"),
        ("a b ", "a", "a "),
        ("a b\n", "a", "a\n"),
        ("a b", "", ""),
        (" a b ", "ab", " a b "),
    ],
)
def test_white_space_that_survives(text: str, kept: Sequence[str], expected: str) -> None:
    assert keep(text, *kept) == expected


def test_no_space_is_added_beside_a_kept_line_break() -> None:
    text = "a b\n  c d"
    words = split(text, whole=[(3, 4)])
    mask = np.array([text[s:e] in ("a", "\n", "d") for s, e in zip(words.starts, words.ends, strict=True)])
    assert render(text, Gaps(text, words).spans(mask)) == "a\nd"
