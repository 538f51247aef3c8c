"""Which words of a text are likely to be what someone asks for. Knows spaCy's annotations, no model and no question.

The order of kinds is that of the answers to SQuAD (Rajpurkar et al. 2016, table 2): numbers, dates and names make up a
half of them, other noun phrases a third, and what is neither a tenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.training.answers.rarity import Rarity
from compressors.words import Words

Worth = npt.NDArray[np.float32]

NUMBERS = frozenset({"DATE", "TIME", "CARDINAL", "ORDINAL", "QUANTITY", "MONEY", "PERCENT"})
_FUNCTION = frozenset({"DET", "PRON", "AUX", "ADP", "CCONJ", "SCONJ", "PART", "INTJ"})
_NAME, _PHRASE, _OTHER, _VERB, _FORM, _MARK = 4.0, 2.0, 1.0, 0.0, -3.0, -3.0
_JOINT = 0.5
_RARITY = 0.1
_MIDDLE = 3.0
"""The score at which a word is as likely to stay as to go."""


def worth(doc: Any, words: Words, tokens: Sequence[int], rarity: Rarity) -> Worth:
    """How likely each of the `words` of `doc.text` is part of an answer; `(W,)` float32 between 0 and 1.

    `doc` is a `spacy.tokens.Doc` with parts of speech, phrases and names; `tokens` are what `tokens_of` gives.
    """
    text = doc.text
    phrase = np.zeros(len(doc), dtype=np.bool_)  # (tokens,)
    for chunk in doc.noun_chunks:
        phrase[chunk.start : chunk.end] = True
    scores = np.array(
        [
            _score(text[start:end], doc[token], bool(phrase[token]), rarity)
            for start, end, token in zip(words.starts, words.ends, tokens, strict=True)
        ]
    )
    _join(scores, [doc[token] for token in tokens])
    return (1.0 / (1.0 + np.exp(_MIDDLE - scores))).astype(np.float32)


def tokens_of(doc: Any, words: Words) -> list[int]:
    """For each of the `words` its longest token's number in `doc`."""
    starts = np.array([token.idx for token in doc])
    ends = np.array([token.idx + len(token) for token in doc])
    first = np.searchsorted(ends, words.starts, side="right")
    last = np.maximum(np.searchsorted(starts, words.ends, side="left"), first + 1)
    return [
        max(range(int(low), min(int(high), len(doc))), key=lambda i: len(doc[i]), default=len(doc) - 1)
        for low, high in zip(first, last, strict=True)
    ]


def _score(word: str, token: Any, in_phrase: bool, rarity: Rarity) -> float:
    if not any(map(str.isalnum, word)):
        return _NAME - _JOINT if token.ent_type_ and not token.is_space else _MARK
    return _RARITY * rarity(word) + _kind(token, in_phrase)


def _kind(token: Any, in_phrase: bool) -> float:
    part = token.pos_
    if token.ent_type_ and part != "DET":
        return _NAME
    if part in _FUNCTION:
        return _FORM
    if part in ("NUM", "PROPN"):
        return _NAME
    if in_phrase:
        return _PHRASE
    return _VERB if part == "VERB" else _OTHER


def _join(scores: npt.NDArray[np.float64], tokens: Sequence[Any]) -> None:
    """Let `of` stay between two words that do, and a comma between two places, in place: answers are whole phrases."""
    forms = [token.lower_ for token in tokens]
    for i in range(1, len(forms) - 1):
        after = i + 2 if forms[i + 1] in ("the", "a", "an") and i + 2 < len(forms) else i + 1
        between_places = forms[i] == "," and tokens[i - 1].ent_type_ == tokens[i + 1].ent_type_ == "GPE"
        if between_places or (forms[i] == "of" and scores[i - 1] > _OTHER):
            joint = min(scores[i - 1], scores[after]) - _JOINT
            scores[i:after] = np.maximum(scores[i:after], joint)
