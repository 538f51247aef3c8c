"""Ranks by the words that a document shares with the question. Knows no model."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import regex  # type: ignore[import-untyped]
from rank_bm25 import BM25Plus  # type: ignore[import-untyped]

from compressors.ranking.ranker import RankScores

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_TERMS = regex.compile(rf"(?V1)(?P<dense>{_UNSPACED}+)|[\w--{_UNSPACED}]+")


def terms(text: str) -> list[str]:
    """The words of `text` in lower case, without punctuation, compatibility forms (NFKC) folded.

    Scripts without spaces give each two neighbouring characters, as search engines do: phrases carry
    particles and endings along, so those of a question seldom recur in a document.
    """
    return list(_terms(unicodedata.normalize("NFKC", text).casefold()))


def _terms(folded: str) -> Iterator[str]:
    for match in _TERMS.finditer(folded):
        dense = match["dense"]
        if dense is None or len(dense) == 1:
            yield match[0]
        else:
            yield from map("".join, pairwise(dense))


class BM25:
    """BM25 over the given documents alone, so even a few of them have to do as a collection.

    Of the library's variants only BM25Plus works for few: its idf, log((D+1)/n), is above 0 for every
    word. Okapi's is 0 for a word in half of the documents and below for more, so with two documents
    the word that tells them apart counts nothing; the library's BM25L lets repetition grow without
    bound. BM25Plus's lower bound delta is left out (0): the library adds it to documents without the
    word, too, where it changes nothing but the zero.
    """

    name = "bm25"
    fingerprint = "bm25:1"

    def scores(self, question: str, documents: Sequence[str]) -> RankScores:
        """Scores from 0, which is no word in common; a word counts once, however often it is asked."""
        tokenised = [terms(document) for document in documents]
        if not any(tokenised):
            return np.zeros(len(documents))
        result: RankScores = BM25Plus(tokenised, delta=0).get_scores(dict.fromkeys(terms(question)))
        return result
