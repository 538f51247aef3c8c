"""Words whose loss turns a sentence into its opposite: negations, exceptions, restrictions.

English, German, French, Spanish, Portuguese, Italian, Dutch and Russian by words; Chinese, Japanese and Korean
by morphemes, where a character counts only in company that gives it this meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_ENGLISH = """no not never none nor neither nobody nothing nowhere cannot cant dont doesnt didnt wont isnt arent wasnt
    without except excepting excluding excludes excluded exclude unless only solely hardly barely scarcely rarely
    seldom instead rather otherwise lack lacks lacking"""
_GERMAN = """nicht nichts nie niemals niemand niemanden niemandem kein keine keinen keinem keiner keines keinerlei
    keinesfalls keineswegs nirgends nirgendwo ohne nur ausser weder noch sondern statt anstatt ausgenommen
    lediglich kaum"""
_FRENCH = """ne pas jamais rien aucun aucune personne ni non sans sauf excepté hormis seulement uniquement guère nul
    nulle"""
_SPANISH = """no nunca jamás nada nadie ningún ninguno ninguna ningunos ningunas ni sin salvo excepto solo sólo
    solamente tampoco sino"""
_FURTHER = """não nunca sem nenhum nenhuma ninguém apenas somente exceto salvo
    né niente nessuno nessuna senza solamente eccetto tranne soltanto
    niet niets nooit geen niemand zonder behalve alleen
    не ни нет без никогда никто никого ничего ничто нигде нельзя кроме только лишь"""
_WORDS = frozenset(f"{_ENGLISH} {_GERMAN} {_FRENCH} {_SPANISH} {_FURTHER}".split())
_WORD = re.compile(r"[^\W\d_]++(?:['’\-][^\W\d_]++)*+")
_ELIDED = re.compile(r"n['’]t\b|\bn['’].|-(?:free|less)\b")

_EAST_ASIAN = re.compile(
    r"[\u3040-\u9fff\uac00-\ud7a3]++(?:[\s、。，][\u3040-\u9fff\uac00-\ud7a3]++)*+[、。]?"
)
_MORPHEME = re.compile(
    r"""
    # Chinese, and the same characters in Japanese
      不|(?<![沉淹埋出])[没沒]|[无無]|未(?![来來])|(?<!是)非(?![常洲])|勿|否
    | (?<![特区區類类性級级個个分識识差辨告鉴])别(?![人名墅])
    | (?<![一二两兩三四五六七八九十百千几幾这這那每\d])只(?=[有能是要会會需在可])|[仅僅]|除了|除非|以外|之外
    # Japanese
    | な(?:い|かっ|く|けれ)(?!し)|ません|ませぬ|(?<=[わらかがさたせれえ])ず(?=[、にと。])|ずに|なし(?=[でのにだ、。])
    | だけ|のみ|しか(?!し)|除[くきい]
    # Korean, to the end of the word
    | [않없][가-힣]{0,6}|아[니닌닙닐님][가-힣]{0,6}|못[가-힣]{0,6}|(?<![가-힣])안(?![가-힣])|지\s?(?:마|말)[가-힣]{0,4}
    | 제외[가-힣]{0,4}|[가-힣]?뿐|오직|단지|불가[가-힣]{0,3}|금지[가-힣]{0,3}|미만|이외
    """,
    re.VERBOSE,
)


def negations(text: str, start: int, end: int) -> Iterator[Span]:
    """Negating and restricting words in `text[start:end]`."""
    for word in _WORD.finditer(text, start, end):
        folded = word[0].casefold()
        if folded in _WORDS or (not folded.isalpha() and _flips(folded)):
            yield word.span()
    for run in _EAST_ASIAN.finditer(text, start, end):
        yield from (match.span() for match in _MORPHEME.finditer(text, *run.span()))


def _flips(compound: str) -> bool:
    """Whether a word with apostrophes or hyphens holds a negation: don't, n’est, non-empty, no-one."""
    return _ELIDED.search(compound) is not None or not _WORDS.isdisjoint(re.split("[-'’]", compound))
