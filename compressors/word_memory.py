"""Tokens of words that were tokenized before: most of a text is words that others held, too.

Owns which texts may be taken apart at white space, and what is remembered of their words. Knows one tokenizer.
W: words of a text, T: its tokens.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int64]
Encoded = tuple[Offsets, Offsets, Offsets]
"""Ids, and where each token starts and ends in the text; `(T,)` int64 each."""

_PLAIN = re.compile(r"[A-Za-z'(\"]{1,24}[.,;:!?)\"']{0,2}")
"""Words that may be remembered: nothing that could be a number, a name of a thing, or a key."""
_IS_SPACE = np.isin(np.arange(128), [ord(char) for char in " \t\n\r"])
_OTHER_SPACES = re.compile(r"[\x0b\x0c\x1c-\x1f]")  # not white space to every tokenizer
_MOST_WORDS = 1 << 16
_MOST_NEW = 0.5
"""Share of a text's words up to which it is faster to look for the others."""
_SAMPLES = (
    "The committee, which met on 5 May 2021 (in Bonn), didn't agree: 3.5% of e-mails weren't read!",
    "a  b\n\n c\td -- 'e' [SEP] x_y z/w.\n- item\r\n1. https://example.org/?q=1&r=2#s\n",
)


class _Table(NamedTuple):
    """Words and their tokens."""

    first: Offsets
    """Each word's first token; `(words,)`."""
    counts: Offsets
    """How many it has; `(words,)`."""
    tokens: npt.NDArray[np.int64]
    """Id, start and end within the word; `(tokens, 3)`."""


class WordMemory:
    """Encodes ASCII texts word by word with `backend`, a `tokenizers.Tokenizer`, if that gives what it gives for all.

    Holds at most 65,536 words, of letters and a little punctuation, in memory.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._forget()
        self._is_possible = all(self._agrees(sample) for sample in _SAMPLES)
        self._forget()

    def _forget(self) -> None:
        self._places: dict[str, int] = {}
        none = np.zeros(0, dtype=np.int64)
        self._table = _Table(none, none, np.zeros((0, 3), dtype=np.int64))

    def encode(self, text: str) -> Encoded | None:
        """The tokens of `text`; None if they have to be found otherwise."""
        if not self._is_possible or not text.isascii() or _OTHER_SPACES.search(text):
            return None
        words = text.split()
        places = np.fromiter(map(self._places.get, words, repeat(-1)), np.int64, len(words))  # (W,)
        new = np.flatnonzero(places < 0)
        extra = list(dict.fromkeys([words[place] for place in new.tolist()]))
        if len(extra) > _MOST_NEW * len(words) + 8:
            plain = [word for word in extra if _PLAIN.fullmatch(word)]
            if len(plain) < _MOST_NEW * len(extra):
                return None
        return self._gathered(text, words, places, new, extra)

    def _gathered(
        self, text: str, words: list[str], places: Offsets, new: Offsets, extra: Sequence[str]
    ) -> Encoded:
        first, count, tokens = self._table  # only ever grows, so that places found before are still right
        if extra:
            known = len(first)
            more = self._tokenized(extra)
            self._remember(extra, more)
            first = np.concatenate((first, more.first + len(tokens)))
            count, tokens = np.concatenate((count, more.counts)), np.concatenate((tokens, more.tokens))
            numbers = {word: known + number for number, word in enumerate(extra)}
            places[new] = [numbers[words[place]] for place in new.tolist()]
        counts = count[places]  # (W,)
        ends = np.cumsum(counts)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)  # (T,)
        found = tokens[np.repeat(first[places], counts) + within]  # (T, 3)
        starts = np.repeat(_word_starts(text), counts)
        return found[:, 0], found[:, 1] + starts, found[:, 2] + starts

    def _tokenized(self, words: Sequence[str]) -> _Table:
        encodings = self._backend.encode_batch(list(words), add_special_tokens=False)
        count = np.array([len(encoding) for encoding in encodings], dtype=np.int64)
        ids = np.fromiter(chain.from_iterable(encoding.ids for encoding in encodings), np.int64)
        spans = chain.from_iterable(chain.from_iterable(encoding.offsets for encoding in encodings))
        tokens = np.column_stack((ids, np.fromiter(spans, np.int64).reshape(-1, 2)))  # (T, 3)
        return _Table(np.cumsum(count) - count, count, tokens)

    def _remember(self, extra: Sequence[str], more: _Table) -> None:
        """Keep those of the new words that may be kept, behind the old ones."""
        with self._lock:
            first, count, tokens = self._table
            kept = [
                number
                for number, word in enumerate(extra)
                if word not in self._places and _PLAIN.fullmatch(word)
            ]
            if not kept or len(first) + len(kept) > _MOST_WORDS:
                return
            counts = more.counts[kept]
            ends = np.cumsum(counts)
            rows = np.repeat(more.first[kept] - (ends - counts), counts) + np.arange(ends[-1])
            self._table = _Table(
                np.concatenate((first, len(tokens) + ends - counts)),
                np.concatenate((count, counts)),
                np.concatenate((tokens, more.tokens[rows])),
            )
            places = range(len(first), len(first) + len(kept))
            self._places.update(zip([extra[number] for number in kept], places, strict=True))

    def _agrees(self, sample: str) -> bool:
        whole = self._backend.encode(sample, add_special_tokens=False)
        words = sample.split()
        ids, starts, ends = self._gathered(
            sample, words, np.full(len(words), -1), np.arange(len(words)), list(dict.fromkeys(words))
        )
        spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
        return bool(ids.tolist() == whole.ids and spans == whole.offsets)


def _word_starts(text: str) -> Offsets:
    """Where each word between white space starts; `(W,)` int64."""
    solid = ~_IS_SPACE[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]
    before = np.concatenate(([False], solid[:-1]))
    return np.flatnonzero(solid & ~before)
