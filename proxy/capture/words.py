"""Which word stands for which: chosen by a keyed hash from the words of a tokenizer's vocabulary.

Stand-ins are as long as what they stand for and, as far as may be, as many tokens; nobody without the key can tell
which word was there. Knows characters and words; neither texts nor JSON.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby

import tiktoken

from policies.tokens import tokenizer

_ENCODING = "o200k_base"
_RANKS = 35_000  # rarer pieces of the vocabulary are seldom words
_FEWEST = 200
"""A length with fewer words than this is made up of shorter ones: nobody should guess from a few."""
_WIDE = {"Han": range(0x4E00, 0xA000), "Hangul": range(0xAC00, 0xD7A4)}
"""Scripts whose characters are thousands; of the others, a block of 256 holds all."""


class StandIns:
    """Words, numbers and characters that stand for others."""

    def __init__(self, key: bytes, unused: Collection[str]) -> None:
        """`key` decides which stands for which; the words in `unused` stand for none."""
        self._key = key
        tokenizer(_ENCODING)  # tells tiktoken where the vocabulary is
        self._encoding = tiktoken.get_encoding(_ENCODING)
        tokens = map(self._encoding.decode_single_token_bytes, range(_RANKS))  # the most frequent first
        frequent = [token.decode("utf-8", "ignore") for token in tokens]
        self._first = _by_length((token[1:] for token in frequent if token[:1] == " "), unused)
        self._further = _by_length(frequent, ())
        known = set(map(ord, "".join(frequent)))
        self._alphabets: dict[object, str] = {
            script: "".join(map(chr, sorted(known.intersection(codes)))) for script, codes in _WIDE.items()
        }

    def word(self, word: str) -> str:
        """Another word for one of letters and marks, in any script."""
        draws = self._draws(word.lower())
        runs = ((is_plain, "".join(run)) for is_plain, run in groupby(word, key=str.isascii))
        return "".join(
            self._plain(run, draws) if is_plain else self._others(run, draws) for is_plain, run in runs
        )

    def number(self, number: str) -> str:
        """Other digits; zeros in front stay, and none comes there, so that a number in JSON still is one."""
        draws = self._draws(number)
        runs = ((is_digits, "".join(run)) for is_digits, run in groupby(number, key=str.isnumeric))
        return "".join(self._digits(run, draws) if is_digits else run for is_digits, run in runs)

    def characters(self, text: str) -> str:
        """Each letter, mark and digit replaced by another of its kind."""
        return self._others(text, self._draws(text))

    def blob(self, blob: str) -> str:
        """As many characters of base64."""
        data = hashlib.shake_256(self._key + blob.encode()).digest(len(blob))
        return base64.b64encode(data).decode()[: len(blob)]

    def _draws(self, text: str) -> Iterator[int]:
        """Numbers below 65536 without end, that depend on the key and `text` alone."""
        data = text.encode("utf-8", "surrogatepass")
        for block in count():
            digest = hmac.digest(self._key, b"word%d\0" % block + data, "sha256")
            yield from memoryview(digest).cast("H")

    def _plain(self, run: str, draws: Iterator[int]) -> str:
        lower = run.lower()
        pieces = self._encoding.decode_tokens_bytes(self._encoding.encode_ordinary(" " + lower))
        sizes = [len(pieces[0]) - 1, *map(len, pieces[1:])]
        found = lower
        while found == lower:
            found = "".join(
                self._piece(size, self._further if place else self._first, draws)
                for place, size in enumerate(sizes)
            )
        return "".join(new.upper() if old.isupper() else new for new, old in zip(found, run, strict=True))

    def _piece(self, size: int, words: Mapping[int, Sequence[str]], draws: Iterator[int]) -> str:
        choice = words.get(size, ())
        if size > 1 and len(choice) < _FEWEST:
            half = size // 2
            return self._piece(size - half, words, draws) + self._piece(half, self._further, draws)
        return choice[next(draws) % len(choice)] if size else ""

    def _digits(self, run: str, draws: Iterator[int]) -> str:
        rest = run.lstrip("0")
        first = _turned(rest[0], "123456789", next(draws)) if rest[:1].isascii() and rest else ""
        return run[: len(run) - len(rest)] + first + self._others(rest[len(first) :], draws)

    def _others(self, run: str, draws: Iterator[int]) -> str:
        return "".join(_turned(old, self._alphabet(old), next(draws)) for old in run)

    def _alphabet(self, character: str) -> str:
        """The characters of the same kind: script, as far as a block tells it, case and whether a digit."""
        code, category = ord(character), unicodedata.category(character)
        if category[0] not in "LMN":
            return ""
        kind: object = next((script for script, codes in _WIDE.items() if code in codes), None)
        kind = kind or (code // 256, category, character.isascii())
        if kind not in self._alphabets:
            block = range(code // 256 * 256, min(code // 256 * 256 + 256, sys.maxunicode + 1))
            self._alphabets[kind] = "".join(
                c
                for c in map(chr, block)
                if unicodedata.category(c) == category and c.isascii() == character.isascii()
            )
        return self._alphabets[kind]


def _by_length(words: Iterable[str], unused: Collection[str]) -> Mapping[int, Sequence[str]]:
    """Words of plain lower-case letters, each once, by their length."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for word in dict.fromkeys(words):
        if word.isascii() and word.isalpha() and word.islower() and word not in unused:
            found[len(word)].append(word)
    return found


def _turned(character: str, alphabet: str, draw: int) -> str:
    """Another character of `alphabet`; the same where there is no other."""
    at = alphabet.find(character)
    if at < 0:
        return alphabet[draw % len(alphabet)] if alphabet else character
    return alphabet[(at + 1 + draw % max(len(alphabet) - 1, 1)) % len(alphabet)]
