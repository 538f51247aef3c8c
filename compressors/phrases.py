"""Phrase boundaries in scripts that put no space between words. Knows no tokens, no model of ours."""

from __future__ import annotations

from functools import cache
from itertools import accumulate

import budoux
import numpy as np

from compressors.characters import Codes


@cache
def _parser(language: str) -> budoux.Parser:
    return {
        "ja": budoux.load_default_japanese_parser,
        "th": budoux.load_default_thai_parser,
        "zh-hans": budoux.load_default_simplified_chinese_parser,
        "zh-hant": budoux.load_default_traditional_chinese_parser,
    }[language]()


def han_language(text: str, codes: Codes) -> str:
    """The language that Han characters of `text` most likely write: ja, zh-hans or zh-hant."""
    kana = np.count_nonzero((codes >= 0x3041) & (codes <= 0x30FF))
    han = np.count_nonzero((codes >= 0x3400) & (codes <= 0x9FFF))
    if kana * 20 > han:
        return "ja"
    traditional = len(text.encode("big5", "ignore")) > len(text.encode("gb2312", "ignore"))
    return "zh-hant" if traditional else "zh-hans"


def phrase_starts(stretch: str, language: str) -> list[int]:
    """Offsets at which the phrases of `stretch`, a text without white space, start; the first is 0."""
    is_thai = any("\u0e01" <= char <= "\u0e4e" for char in stretch)
    phrases = _parser("th" if is_thai else language).parse(stretch)
    return [0, *accumulate(map(len, phrases[:-1]))]
