"""Words whose loss turns a sentence into its opposite: negations, exceptions, restrictions, bounds.

English, German, French, Spanish, Portuguese, Italian, Dutch and Russian by words; Chinese, Japanese and Korean
by morphemes, where a character counts only in company that gives it this meaning. Quantifiers count if a sentence
without them says more (few, almost, at most), not if it says about the same (all, every, any: "any" denies only
beside a word that does). One list for all languages, because texts mix them; a word that is common in English and
means something else there (German "fast") is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_ENGLISH = """no not never none nor neither nobody nothing nowhere cannot cant dont doesnt didnt wont isnt arent wasnt
    without except excepting excluding excludes excluded exclude unless only solely hardly barely scarcely rarely
    seldom instead rather otherwise lack lacks lacking merely almost nearly few fewer little unable impossible
    aint couldnt hadnt hasnt havent mustnt shouldnt wouldnt werent maximum minimum excl forbidden prohibited"""
_GERMAN = """nicht nichts nie niemals niemand niemanden niemandem kein keine keinen keinem keiner keines keinerlei
    keinesfalls keineswegs nirgends nirgendwo ohne nur ausser weder noch sondern statt anstatt ausgenommen
    lediglich kaum bloss ausschliesslich höchstens mindestens wenigstens maximal beinahe wenige weniger
    mehr keins nirgendwohin nimmer unmöglich verboten"""
_FRENCH = """ne pas jamais rien aucun aucune personne ni non sans sauf excepté hormis seulement uniquement guère nul
    nulle plus moins presque peu seul seule seuls seules maximum minimum impossible interdit aucunement"""
_SPANISH = """no nunca jamás nada nadie ningún ninguno ninguna ningunos ningunas ni sin salvo excepto solo sólo
    solamente únicamente tampoco sino menos casi apenas poco poca pocos pocas máximo mínimo imposible prohibido"""
_FURTHER = """não nunca sem nenhum nenhuma ninguém apenas somente exceto salvo
    quase pouco pouca poucos poucas impossível proibido
    né niente nessuno nessuna senza solamente eccetto tranne soltanto mai quasi poco pochi poche almeno impossibile
    vietato niet niets nooit geen niemand zonder behalve alleen slechts nauwelijks bijna weinig hooguit minstens
    onmogelijk verboden
    не ни нет без никогда никто никого ничего ничто нигде нельзя кроме только лишь почти едва мало менее невозможно
    запрещено минимум максимум"""
_WORDS = frozenset(f"{_ENGLISH} {_GERMAN} {_FRENCH} {_SPANISH} {_FURTHER}".split())
_WORD = re.compile(r"[^\W\d_]++(?:['’\-][^\W\d_]++)*+")
_PHRASE = re.compile(
    r"""(?:at\s(?:the\s)?(?:least|most) | up\sto(?=\s\S{0,3}\d) | no\slonger | (?:all|anything|nothing|everything)\sbut
      | (?:more|less|fewer|greater|lower|higher|other|better|worse|later|earlier|sooner)\sthan | as\slong\sas
      | or\s(?:more|less|fewer|above|below|over|under|later|earlier) | (?:apart|aside)\sfrom | until\sthen
      | (?:fail|fails|failed|refuse|refuses|refused|forget|forgot|cease|ceased|stop|stopped)(?=\sto\b)
      | abgesehen\svon | bis\szu(?=\s\S{0,3}\d) | mehr\sals | au\s(?:moins|plus|maximum|minimum) | nulle\spart
      | al\smenos | a\slo\ssumo | como\s(?:máximo|mínimo) | más\sde(?=\s\S{0,3}\d)
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
_FIRST_OF_PHRASE = frozenset(
    """at up no all anything nothing everything more less fewer greater lower higher other better worse later earlier
    sooner as or apart aside until fail fails failed refuse refuses refused forget forgot cease ceased stop stopped
    abgesehen bis mehr au nulle al a como más""".split()  # noqa: SIM905
)
_ELIDED = re.compile(r"n['’]t\b|\bn['’].|-(?:free|less)\b")

_EAST_ASIAN = re.compile(
    r"[\u3040-\u9fff\uac00-\ud7a3]++(?:[\s、。，][\u3040-\u9fff\uac00-\ud7a3]++)*+[、。]?"
)
_MORPHEME = re.compile(
    r"""
    # Chinese, and the same characters in Japanese
      不|(?<![沉淹埋出吞])[没沒]有?|[无無]|未(?![来來])|(?<!是)非(?![常洲])|勿|否
    | (?<![特区區類类性級级個个分識识差辨告鉴])别(?![人名墅])
    | (?<![一二两兩三四五六七八九十百千几幾这這那每\d])只(?=[有能是要会會需在可])|[仅僅]|除了|除非|以外|之外
    | [至最](?:少|多)|[几幾]乎|以[上下内內]|超[过過]|[少多低高][于於]|禁止|拒[绝絕]|唯[一有]|[切请]勿|莫(?=[要非若过過])
    # Japanese
    | な(?:い|かっ|く|けれ)(?!し)|ません|ませぬ|(?<=[わらかがさたせれえ])ず(?=[、にと。])|ずに|なし(?=[でのにだ、。])
    | だけ|のみ|しか(?!し)|除[くきい]|少なくとも|多くとも|せいぜい|ほとんど|超[えをの]|まで(?!も)(?=[でにのは、。])
    # Korean, to the end of the word
    | [않없][가-힣]{0,6}|아[니닌닙닐님][가-힣]{0,6}|못[가-힣]{0,6}|(?<![가-힣])안(?![가-힣])|지\s?(?:마|말)[가-힣]{0,4}
    | 제외[가-힣]{0,4}|[가-힣]?뿐|오직|단지|불가[가-힣]{0,3}|금지[가-힣]{0,3}|미만|이외
    | 이[상하](?=[\s의이가은는을를로만도에,.]|$)
    | 초과|최[대소]|적어도|많아야|거의|밖에|결코|절대|전혀
    | (?<=[가-힣])(?<!지)(?<!불)(?<!미)만(?=[\s,.은을이]|$)
    """,
    re.VERBOSE,
)


def negations(text: str, start: int, end: int) -> Iterator[Span]:
    """Negating and restricting words in `text[start:end]`."""
    for word in _WORD.finditer(text, start, end):
        folded = word[0].casefold()
        if folded in _WORDS or (not folded.isalpha() and _flips(folded)):
            yield word.span()
        if folded in _FIRST_OF_PHRASE and (phrase := _PHRASE.match(text, word.start(), end)):
            yield phrase.span()
    for run in _EAST_ASIAN.finditer(text, start, end):
        yield from (match.span() for match in _MORPHEME.finditer(text, *run.span()))


def _flips(compound: str) -> bool:
    """Whether a word with apostrophes or hyphens holds a negation: don't, n’est, non-empty, no-one."""
    return _ELIDED.search(compound) is not None or not _WORDS.isdisjoint(re.split("[-'’]", compound))
