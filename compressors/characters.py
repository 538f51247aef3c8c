"""What each character of a text is, as numpy flags. Knows no words, no tokens, no model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.uint8]

SPACE = 1
"""White space (`str.isspace`)."""
NEWLINE = 2
"""White space that ends a line."""
WORD = 4
"""Letters, marks, numbers, connector punctuation such as the underscore, invisible joiners."""
DIGIT = 8
"""Decimal digits of any script."""
CONNECTOR = 16
"""Punctuation that glues when it stands between two word characters."""
SIGN = 32
"""Belongs to the number that follows it: `-5`, `.5`, `±3`."""
SIGIL = 64
"""Belongs to the word that follows it: `@user`, `#42`, `$HOME`, `€3`."""
UNIT = 128
"""Belongs to the number before it: `50%`, `21°`, `18+`, `3€`."""

_NEWLINES = frozenset("\n\r\v\f\x85\u2028\u2029")
_CONNECTORS = frozenset("'.,:_-/\\&@+#%=*~·$\u2019\u02bc\u2010\u2011\u2013")  # curly apostrophes, dashes
_SIGNS = frozenset("+-±.~<>≤≥≈\u2212")
_SIGILS = frozenset("@#")
_UNITS = frozenset("%‰°+")
_SURROGATES = re.compile("[\ud800-\udfff]")

_UNSPACED = np.array(
    [
        (0x0E01, 0x0E3A),  # Thai
        (0x0E40, 0x0E4E),
        (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
        (0x3021, 0x3029),
        (0x3031, 0x3035),
        (0x3040, 0x30FA),  # hiragana, katakana
        (0x30FC, 0x30FF),
        (0x31F0, 0x31FF),
        (0x3400, 0x4DBF),  # Han
        (0x4E00, 0x9FFF),
        (0xF900, 0xFAFF),
        (0xFF66, 0xFF9F),  # half-width katakana
        (0x1B000, 0x1B16F),
        (0x20000, 0x323AF),
    ],
    dtype=np.uint32,
)  # (R, 2)


class CharacterTable:
    """A property of characters, computed once for each code point that is met."""

    def __init__(self, of: Callable[[str], int]) -> None:
        self._of = of
        self._values = np.zeros(0x110000, dtype=np.uint8)
        self._known = np.zeros(0x110000, dtype=np.bool_)

    def __getitem__(self, codes: Codes) -> Flags:
        """The property of each code point; same shape as `codes`."""
        known = self._known[codes]
        if not known.all():
            for code in np.unique(codes[~known]).tolist():
                self._values[code] = self._of(chr(code))
                self._known[code] = True
        return self._values[codes]


def _flags(char: str) -> int:
    category = unicodedata.category(char)
    if char.isspace():
        return SPACE | (NEWLINE if char in _NEWLINES else 0)
    currency = category == "Sc"
    flags = {
        WORD: category[0] in "LMN" or category == "Pc" or (category == "Cf" and char != "\u200b"),
        DIGIT: category == "Nd",
        CONNECTOR: char in _CONNECTORS,
        SIGN: char in _SIGNS,
        SIGIL: char in _SIGILS or currency,
        UNIT: char in _UNITS or currency,
    }
    return sum(flag for flag, holds in flags.items() if holds)


FLAGS = CharacterTable(_flags)
LETTERS = CharacterTable(lambda char: unicodedata.category(char)[0] == "L")


def code_points(text: str) -> Codes:
    """The code points of `text`, lone surrogates included; shape `(len(text),)`."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def well_formed(text: str) -> str:
    """`text` with lone surrogates, which no tokenizer takes, replaced one for one by U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def unspaced(codes: Codes) -> npt.NDArray[np.bool_]:
    """Where a script is used that puts no space between words (Han, kana, Thai)."""
    if not len(codes) or codes.max() < _UNSPACED[0, 0]:
        return np.zeros(len(codes), dtype=np.bool_)
    index = np.searchsorted(_UNSPACED[:, 0], codes, side="right") - 1  # (N,) int64, -1 below the first
    inside: npt.NDArray[np.bool_] = (index >= 0) & (codes <= _UNSPACED[index, 1])
    return inside


def script_table(scripts: frozenset[str]) -> CharacterTable:
    """1 for each character whose Unicode name begins with one of `scripts`, as in `LATIN`, `CYRILLIC`."""
    return CharacterTable(lambda char: unicodedata.name(char, "").partition(" ")[0] in scripts)
