"""What was dropped between and within the words of shortened texts, and whether it may be put back.

Owns the index from neighbouring kept words to what stood between them in the original. Knows no answer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

import regex  # type: ignore[import-untyped]

from compressors.base import Span

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"(?V1)(?P<letter>[{_UNSPACED}])|(?P<word>[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]+)"
_WORD = regex.compile(_LETTER)
_LETTERS = regex.compile(r"[\p{L}\p{N}\p{M}]+")
TOKEN = regex.compile(_LETTER + r"|(?P<mark>[^\p{L}\p{N}\p{M}]+)")
"""A letter of a script without spaces, a run of other letters, digits and accents, or what lies between."""
LONGEST = 64
"""Characters of a word or a mark between words; longer ones take no part."""

_SPACE = regex.compile(r"\s+")
_WIDEST = 32  # characters that may have stood between two kept words
_PLAIN = regex.compile(r"(?:[\p{L}\p{N}\p{M}\p{Zs},.'’()%$€£¥°–—-])*")  # no line break, no markup
_BRACKETS = regex.compile(r"[()]")
_SENTENCE = 500  # characters, more than most have
_SENTENCE_END = regex.compile(
    r"[!?…。！？\n]|(?<!\b\p{Lu}\p{Ll}?)\.(?=\s)"
)  # not in J. Smith, Dr. Smith, 3.5
_NEGATION = regex.compile(
    r"""\b(?:not|no|never|none|nor|neither|nobody|nothing|nowhere|cannot|without|except|unless|only|but|if|hardly
    |fail(?:s|ed|ing)?|den(?:y|ies|ied)|nicht|kein\p{L}*|nie|niemals|ohne|nur|wenn|ne|pas|jamais|sans|aucune?|non
    |sauf|si|nunca|sin|ni|salvo|não|nem|sem|niente|senza|niet|geen|zonder|не|нет|без|никогда|если)\b
    |n['’]t\b|\bn['’]|[不没沒無无未非别勿否]|ない|なかっ|なく|ません|ずに|않|없|아니|못""",
    regex.VERBOSE | regex.IGNORECASE,
)


class Restored(NamedTuple):
    """What may stand in place of a word, or of the mark before it, once a run of words vouches for it."""

    kept: str
    text: str
    letters: int
    """How many letters and digits it brings back."""


class Dropped:
    """Shortened texts in the order in which they were sent, as a sequence of words with numbered places.

    Only what an answer asks for is measured: the rest would cost more than all of the answer.
    """

    def __init__(self, texts: Iterable[tuple[str, Sequence[Span]]]) -> None:
        self.pairs: list[str] = []
        """For each place, the `pair` of its word and the one before; "" at a text's first word."""
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        """The places of each pair."""
        self.broken_words: set[str] = set()
        """Words that may have lost letters."""
        self._letters = [0]
        self._texts: list[_Shortened] = []
        self._firsts: list[int] = []  # place of each text's first word
        apart: set[str] = set()
        for original, spans in texts:
            text = _Shortened(original, spans)
            self._texts.append(text)
            self._firsts.append(len(self.pairs))
            self._number(text)
            apart.update(self.pairs[self._firsts[-1] + number] for number in text.apart)
            self.broken_words.update(text.kept[slice(*text.words[number])] for number in text.broken)
        self._pairs_apart = sorted(apart)
        self._broken_words = sorted(self.broken_words)

    def letters(self, place: int, words: int) -> int:
        """Letters and digits of the `words` words up to and with the one at `place`."""
        return self._letters[place + 1] - self._letters[place + 1 - words]

    def before(self, place: int) -> Restored | None:
        """What may replace the mark before the word at `place`."""
        text, number = self._find(place)
        return text.gap(number) if number in text.apart else None

    def whole(self, place: int) -> Restored | None:
        """What may replace the word at `place`."""
        text, number = self._find(place)
        return text.whole(number) if number in text.broken else None

    def parts(self, beginning: str) -> bool:
        """Whether a pair that may have lost something between its words begins like this."""
        return _any_begins(self._pairs_apart, beginning)

    def breaks(self, beginning: str) -> bool:
        """Whether a word that may have lost letters begins like this."""
        return _any_begins(self._broken_words, beginning)

    def _find(self, place: int) -> tuple[_Shortened, int]:
        text = bisect_right(self._firsts, place) - 1
        return self._texts[text], place - self._firsts[text]

    def _number(self, text: _Shortened) -> None:
        """Give the text's words places."""
        kept, first = text.kept, len(self.pairs)
        previous, end = "", 0
        for place, (start, stop) in enumerate(text.words, first):
            word = kept[start:stop].casefold()
            key = pair(previous, kept[end:start], word) if previous else ""
            self.places[key].append(place)
            self.pairs.append(key)
            previous, end = word, stop
        sizes = accumulate((stop - start for start, stop in text.words), initial=self._letters[-1])
        self._letters += islice(sizes, 1, None)


def pair(before: str, mark: str, after: str) -> str:
    """The name of two neighbouring words, case folded, with what stands between them; beginnings have beginnings."""
    return before + (mark if mark == " " else _spaced(mark)) + after


def _spaced(text: str) -> str:
    return str(_SPACE.sub(" ", text))


def _any_begins(ordered: Sequence[str], beginning: str) -> bool:
    at = bisect_left(ordered, beginning)
    return at < len(ordered) and ordered[at].startswith(beginning)


class _Shortened:
    """One text and what is kept of it.

    `words` are places in `kept`; `apart` numbers those before which, `broken` those of which something may
    be missing.
    """

    def __init__(self, original: str, spans: Sequence[Span]) -> None:
        self._original = original
        self._spans = [span for span in spans if span[0] < span[1]]
        self._ascending = sorted(self._spans)
        self._offsets = list(accumulate((end - start for start, end in self._spans), initial=0))
        self.kept = "".join([original[start:end] for start, end in self._spans])
        self.words: list[Span] = [match.span() for match in _WORD.finditer(self.kept)]
        self.apart: set[int] = set()
        self.broken: set[int] = set()
        self._fillings: dict[int, Restored | None] = {}
        self._cut()

    def _cut(self) -> None:
        starts = [start for start, _ in self.words]
        bounds = [(0, 0), *self._spans, (len(self._original),) * 2]
        for (before, after), cut in zip(pairwise(bounds), self._offsets, strict=True):
            if before[1] == after[0]:
                continue
            word = bisect_left(starts, cut)  # the first that begins after the cut or at it
            if 0 < word < len(starts):
                self.apart.add(word)
            if word and (cut < self.words[word - 1][1] or self._splits(before[1])):
                self.broken.add(word - 1)
            if word < len(starts) and self._splits(after[0]):
                self.broken.add(word)

    def _splits(self, place: int) -> bool:
        """Whether a word of the original goes on across `place`."""
        around = self._original[place - 1 : place + 1] if place else ""
        return around.isalnum() and len(around) == 2 and _WORD.fullmatch(around) is not None

    def _extent(self, number: int) -> Span | None:
        """The whole words of the original that a kept word was part of; None if its parts changed places."""
        start, end = self.words[number]
        left, right = self._origin(start), self._origin(end - 1) + 1
        if not end - start <= right - left <= LONGEST:
            return None
        while self._splits(left) and right - left <= LONGEST:
            left -= 1
        while self._splits(right) and right - left <= LONGEST:
            right += 1
        return left, right

    def _origin(self, place: int) -> int:
        span = bisect_right(self._offsets, place) - 1
        return self._spans[span][0] + place - self._offsets[span]

    def whole(self, number: int) -> Restored | None:
        """The word in full, if it lost letters and may have them back."""
        start, end = self.words[number]
        kept, extent = self.kept[start:end], self._extent(number)
        if extent is None or not self._may_return(extent, ""):
            return None
        whole = self._original[extent[0] : extent[1]]
        if whole == kept or not _is_part(kept, whole):
            return None
        return Restored(kept, whole, _letters(whole) - len(kept))

    def gap(self, number: int) -> Restored | None:
        """What stood before a word, if its neighbour is missing and may return.

        It may not where the next gap of the same sentence stays open: half a phrase reads worse than none.
        """
        if any(self._stays_open(beside) for beside in (number - 1, number + 1)):
            return None
        return self._filling(number)

    def _filling(self, number: int) -> Restored | None:
        if number not in self._fillings:
            self._fillings[number] = self._fill(number)
        return self._fillings[number]

    def _fill(self, number: int) -> Restored | None:
        stretch = self._missing(number)
        mark = self.kept[self.words[number - 1][1] : self.words[number][0]]
        if stretch is None or not self._may_return(stretch, mark):
            return None
        text = self._original[slice(*stretch)]
        return Restored(mark, text, _letters(text)) if _spaced(text) != _spaced(mark) else None

    def _missing(self, number: int) -> Span | None:
        """The original between a word and the one before it; None where they or what stood there changed places."""
        before, after = self._extent(number - 1), self._extent(number)
        if before is None or after is None or before[1] > after[0] or self._holds_words(before[1], after[0]):
            return None
        return before[1], after[0]

    def _holds_words(self, start: int, end: int) -> bool:
        """Whether a word of this part of the original is kept elsewhere."""
        at = bisect_right(self._ascending, (start, start))
        while at < len(self._ascending) and self._ascending[at][0] < end:
            left, right = self._ascending[at]
            if _LETTERS.search(self._original, left, min(right, end)) is not None:
                return True
            at += 1
        return False

    def _stays_open(self, number: int) -> bool:
        stretch = self._missing(number) if number in self.apart else None
        if stretch is None or stretch[1] - stretch[0] > _SENTENCE or self._filling(number) is not None:
            return False
        return _LETTERS.search(self._original, *stretch) is not None and not self._ends_sentence(stretch)

    def _ends_sentence(self, stretch: Span) -> bool:
        return _SENTENCE_END.search(self._original, *stretch) is not None

    def _may_return(self, stretch: Span, mark: str) -> bool:
        """Whether a stretch of the original is short, plain, of one sentence, and turns no meaning round."""
        start, end = stretch
        if end - start > _WIDEST:
            return False
        text = self._original[start:end]
        brackets = _BRACKETS.findall(text)
        return (
            _PLAIN.fullmatch(text) is not None
            and (brackets in ([], ["(", ")"]) or brackets == _BRACKETS.findall(mark))
            and not self._ends_sentence(stretch)
            and _NEGATION.search(text) is None
        )


def _is_part(kept: str, whole: str) -> bool:
    letters = iter(whole)
    return all(letter in letters for letter in kept)


def _letters(text: str) -> int:
    return sum(map(len, _LETTERS.findall(text)))
