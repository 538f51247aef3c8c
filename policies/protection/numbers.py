"""Numbers with their signs, currencies and units; dates, times, versions, addresses, phone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

LETTERS = "A-Za-zªµºÀ-ÖØ-öø-ɏͰ-ϿЀ-ӿ"
"""Character class of alphabets that put spaces between words; elsewhere a number's word has no visible end."""

_MONTH = (
    r"(?:Jan(?:uary?|vier)?|Feb(?:ruary?)?|Mar(?:ch|s|zo)?|März|Apr(?:il)?|May|Mai|Mayo|June?|Juni|July?|Juli|"
    r"Aug(?:ust)?|Sept?(?:ember)?|O[ck]t(?:ober)?|Nov(?:ember)?|De[cz](?:ember)?|"
    r"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)"
)
_CURRENCY_CODE = r"(?:USD|EUR|GBP|CHF|JPY|KRW|CNY|RMB|INR|CAD|AUD)"
_CURRENCY_WORD = r"(?:dollars?|euros?|pounds?|yen|yuan|won|francs?|pesos?|cents?)"
_UNIT = (
    rf"(?:[%‰]|°\s?[CFK]?|[$€£¥₩₹₽₺₫₿฿]|(?:{_CURRENCY_CODE}|{_CURRENCY_WORD}|"
    r"percent|per\scent|percentage\spoints?|Prozent|pour\scent|por\sciento|"
    r"hundred|thousand|millions?|billions?|trillions?|dozen|Tausend|Mio|Mrd|Millionen|Milliarden?|"
    r"milliards?|millones|mil|[kMG]?bps|[KMGT]i?B|[kb]B|bits?|bytes?|[kMG]?Hz|[kMG]?Wh?|mAh|[km]?V|m?A|"
    r"[nµμm]?s|secs?|seconds?|mins?|minutes?|hrs?|hours?|h|days?|weeks?|months?|years?|decades?|centur(?:y|ies)|"
    r"Sekunden?|Minuten?|Stunden?|Tagen?|Wochen?|Monaten?|Jahren?|Uhr|heures?|jours?|mois|ans|horas?|días|años|"
    r"[nµμmckd]?m[²³]?|met(?:er|re)s?|kilomet(?:er|re)s?|miles?|mi|ft|feet|foot|inch(?:es)?|yards?|acres?|"
    r"[mk]?g|kilograms?|grams?|lbs?|oz|ounces?|tons?|tonnes?|[mc]?[lL]|lit(?:er|re)s?|gallons?|"
    r"degrees?|[kM]?Pa|psi|dB|mph|km/h|kph|rpm|px|pt|tokens?|times|a\.m\.|p\.m\.|[ap]m|[AP]M|"
    rf"AD|BCE?|CE|UTC|GMT|[ECMP][SD]T|CES?T|{_MONTH})(?![{LETTERS}\d_]))"
)
_CJK_UNIT = (
    "[年月日号號時时点點分秒円元块圓人個个名歳岁回次本枚台件倍位万萬億亿兆千百代世紀纪米里斤吨度"
    "원년월일시분초명개살세회차번층위만억조천여％%]"
)
_NUMBER = re.compile(
    rf"""
    (?:(?<![{LETTERS}\d_])[{LETTERS}_]++(?:-(?=[{LETTERS}]*+\d)[{LETTERS}]*+)?)?+       # COVID-  v
    \d[{LETTERS}\d_]*+
    (?:(?:[.,:'’·×\u202f\u00a0](?=\d)|[./–+_@^*](?=[{LETTERS}\d])|-(?=[{LETTERS}\d]))[{LETTERS}\d_]++)*+
    (?:{_CJK_UNIT}{{1,3}}|[+](?![\w])|[\s-]?{_UNIT}){{0,3}}
    (?:,?\s\d{{4}}(?![{LETTERS}\d_]))?
    """,
    re.VERBOSE,
)
# What stands before a number; begins with rare characters, which the search skips to.
_SIGN = re.compile(
    r"""
    [#§№<>≤≥≈~±=+−.($€£¥₩₹₽₺₫₿฿-](?:
        (?<=\+)\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,6} | (?<=\()\d{3}\)\s?(?=\d)  # phone numbers
      | (?<=[#§№<>≤≥≈~±=])\s?(?=[\d.+−$€£¥-])
      | (?<=[+−-])(?<![\w)].)(?=[\d.$€£¥]) | (?<=\.)(?<!\w\.)(?=\d) | (?<=[$€£¥₩₹₽₺₫₿฿])\s?(?=[\d.−-])
    )""",
    re.VERBOSE,
)
_NAME = re.compile(rf"(?<![{LETTERS}\d_])([{LETTERS}]++)(?:\.?\s|(?=\$))(?=[\d$])")  # May 5  EUR 5  US$5
_NAMES = re.compile(rf"{_MONTH}|{_CURRENCY_CODE}|[A-Z]{{1,2}}|No|[Pp]age|pp?|[Cc]hapter|[Ss]ection")
_EAST_ASIAN_NUMBER = re.compile(rf"[一二三四五六七八九十百千万億亿兆两兩〇零]{{1,12}}{_CJK_UNIT}")


def numbers(text: str, start: int, end: int) -> Iterator[Span]:
    """Every word with a digit in `text[start:end]`, with sign, currency, unit, month and year around it."""
    for pattern in (_NUMBER, _SIGN, _EAST_ASIAN_NUMBER):
        yield from (match.span() for match in pattern.finditer(text, start, end))
    for name in _NAME.finditer(text, start, end):
        if _NAMES.fullmatch(name[1]):
            yield name.span()
