"""Numbers with their signs, currencies and units; dates, times, versions, addresses, phone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

LETTERS = "A-Za-zªµºÀ-ÖØ-öø-ɏͰ-ϿЀ-ӿ"
"""Character class of alphabets that put spaces between words; elsewhere a number's word has no visible end."""

FIGURES = "²³¹¼-¾⁰-⁹₀-₉⅐-ↈ①-⒛"
"""Character class of numbers that are no digits: superscripts, fractions, Roman and circled ones."""
_MONTH = (
    r"(?:Jan(?:uary?|vier)?|Feb(?:ruary?)?|Mar(?:ch|s|zo)?|März|Apr(?:il)?|May|Mai|Mayo|June?|Juni|July?|Juli|"
    r"Aug(?:ust)?|Sept?(?:ember)?|O[ck]t(?:ober)?|Nov(?:ember)?|De[cz](?:ember)?|"
    r"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)"
)
_CURRENCY_CODE = r"(?:USD|EUR|GBP|CHF|JPY|KRW|CNY|RMB|INR|CAD|AUD)"
_CURRENCY_WORD = r"(?:[Dd]ollars?|[Ee]uros?|[Pp]ounds?|[Ff]ranken|yen|yuan|won|francs?|pesos?|cents?)"
_UNIT = (
    rf"(?:[%‰′″]|°(?:\s?[CFKNSEW](?![{LETTERS}\d_]))?|[$€£¥₩₹₽₺₫₿฿]|×(?![\w])|(?:{_CURRENCY_CODE}|{_CURRENCY_WORD}|"
    r"percent|per\scent|percentage\spoints?|Prozent|pour\scent|por\sciento|"
    r"hundred|thousand|millions?|billions?|trillions?|dozen|Tausend|Mio|Mrd|Millionen|Milliarden?|"
    r"milliards?|millones|mil|[kMG]?bps|[KMGT]i?B|[kb]B|bits?|bytes?|[kMG]?Hz|[kMG]?Wh?|mAh|[km]?V|m?A|"
    r"[nµμm]?s|secs?|seconds?|mins?|minutes?|hrs?|hours?|h|days?|weeks?|months?|years?|decades?|centur(?:y|ies)|"
    r"Sekunden?|Minuten?|Stunden?|Tagen?|Wochen?|Monaten?|Jahren?|Uhr|heures?|jours?|mois|ans|horas?|días|años|"
    r"[nµμmckd]?m[²³]?|met(?:er|re)s?|kilomet(?:er|re)s?|miles?|mi|ft|feet|foot|inch(?:es)?|yards?|acres?|"
    r"[mk]?g|kilograms?|grams?|lbs?|oz|ounces?|tons?|tonnes?|[mc]?[lL]|lit(?:er|re)s?|gallons?|"
    r"degrees?|[kM]?Pa|psi|dB|mph|km/h|kph|rpm|px|pt|tokens?|times|a\.m\.|p\.m\.|[ap]m|[AP]M|"
    rf"AD|BCE?|CE|UTC|GMT|[ECMP][SD]T|CES?T|fps|x|(?:de\s|of\s)?{_MONTH}(?:\sde(?=\s\d))?)(?![{LETTERS}\d_]))"
)
_CJK_UNIT = (
    "[年月日号號時时点點分秒円元块圓人個个名歳岁回次本枚台件倍位万萬億亿兆千百代世紀纪米里斤吨度"
    "원년월일시분초명개살세회차번층위만억조천여％%]"
)
_KOREAN_UNIT = r"\s(?:개월|시간|퍼센트|달러|[원년월일시분초명개살세회차번층위만억조])"
_NUMBER = re.compile(
    rf"""
    (?:(?<![{LETTERS}\d_])[{LETTERS}_]++(?:-(?=[{LETTERS}]*+\d)[{LETTERS}]*+)?)?+       # COVID-  v
    [\d{FIGURES}][{LETTERS}\d_{FIGURES}]*+
    (?:(?:[.,:'’·×⁄′″–—~〜～\u202f\u00a0](?=\d)|\^[-−](?=\d)|[./–+_@^*](?=[{LETTERS}\d])|-(?=[{LETTERS}\d]))
      [{LETTERS}\d_{FIGURES}]++)*+
    (?:{_CJK_UNIT}{{1,3}}|[+](?![\w])|[\s-]?{_UNIT}|\.\s{_MONTH}|{_KOREAN_UNIT}){{0,3}}
    (?:,?\s\d{{4}}(?![{LETTERS}\d_]))?
    """,
    re.VERBOSE,
)
# What stands before a number; begins with rare characters, which the search skips to.
_SIGN = re.compile(
    r"""
    [#§№<>!≤≥≈~±=+−.(제第$€£¥₩₹₽₺₫₿฿-](?:
        (?<=\+)\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,6} | (?<=\()\d{3}\)\s?(?=\d)  # phone numbers
      | (?<=[#§№<>≤≥≈~±=])\s?(?=[\d.+−$€£¥-])
      | (?<=[제第])(?=\d) | (?<=[<>!=])=\s?(?=[\d.+−$€£¥-]) | (?<=\#)(?=[\da-fA-F]{3,8}\b)
      | (?<=[+−-])(?<![\w)].)(?=[\d.$€£¥]) | (?<=\.)(?<!\w\.)(?=\d) | (?<=[$€£¥₩₹₽₺₫₿฿])\s?(?=[\d.−-])
    )""",
    re.VERBOSE,
)
_NAME = re.compile(
    rf"(?<![{LETTERS}\d_])([{LETTERS}]++)(?:\.?\s(?:de\s)?|(?=\$))(?=[\d$])"
)  # May 5  EUR 5  US$5
_NAMES = re.compile(
    rf"{_MONTH}|{_CURRENCY_CODE}|[A-Z]{{1,6}}|N[or]s?|[Pp]ages?|pp?|[Cc]hapter|[Ss]ection|Figs?|Figure|Table|Eq|Step|"
    r"[Vv]ersion|Vol|Arti?[ck]?el|Article|Rule|Abs|Abb|Kap|Kapitel|Seite|Phase|Level"
)
# IPv6 with port or mask, MAC addresses; groups of letters alone would else be names.
_HEXADECIMAL = re.compile(
    r"""
    (?=[\[\da-fA-F:])(?<![\w:.])\[?(?:
      (?:[\da-fA-F]{2}[:-]){5}[\da-fA-F]{2}
    | (?:[\da-fA-F]{1,4}:){1,7}:?(?:[\da-fA-F]{1,4}:){0,6}(?<=:)(?:[\da-fA-F]{1,4}|(?<=::))
    | ::(?:[\da-fA-F]{1,4}:){0,6}[\da-fA-F]{1,4}
    )(?:\.\d{1,3}){0,3}(?:%\w+)?(?:\]:\d{1,5}|\])?(?:/\d{1,3})?(?![\w:])
    """,
    re.VERBOSE | re.ASCII,
)
_EAST_ASIAN_NUMBER = re.compile(rf"[一二三四五六七八九十百千万億亿兆两兩〇零]{{1,12}}{_CJK_UNIT}")


def numbers(text: str, start: int, end: int) -> Iterator[Span]:
    """Every word with a digit in `text[start:end]`, with sign, currency, unit, month and year around it."""
    for pattern in (_NUMBER, _SIGN, _EAST_ASIAN_NUMBER, _HEXADECIMAL):
        yield from (match.span() for match in pattern.finditer(text, start, end))
    for name in _NAME.finditer(text, start, end):
        if _NAMES.fullmatch(name[1]):
            yield name.span()
