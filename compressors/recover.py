"""Subsequence recovery: an answer that repeats words of a shortened text gets back what was dropped between them.

After LongLLMLingua (Jiang et al., ACL 2024, "Subsequence Recovery"), but more careful: the answer's own words never
change, only what stands between two of them (or a word that lost letters) is replaced by the original's, and only
where a run of the answer's words vouches for it. Knows no model, no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from compressors.base import Span
from compressors.dropped import LONGEST, TOKEN, Dropped, Restored, pair
from compressors.prose import Prose

_FEWEST_WORDS = 3  # of a run that vouches
_FEWEST_LETTERS = 12
_WEIGHT = 2  # a run must have this many times the letters that one gap brings back
_MOST_PLACES = 64  # a pair of words that is found in more places begins no run
_PATIENCE = 12  # words after which nothing more is hoped for


class Recovery:
    """What was dropped from the texts of one request.

    `texts` are the originals with the kept spans of each, in the order in which they were sent; texts that were
    sent whole belong to them, so that words found in both are left alone. Spans may be in any order.
    """

    def __init__(self, texts: Iterable[tuple[str, Sequence[Span]]]) -> None:
        self._dropped = Dropped(texts)

    def recover(self, answer: str) -> str:
        """The whole answer with what was dropped."""
        stream = self.stream()
        return stream.feed(answer) + stream.flush()

    def stream(self) -> RecoveryStream:
        """A matcher for one answer that arrives in pieces."""
        return RecoveryStream(self._dropped)


@dataclass(slots=True)
class _Piece:
    """A part of the answer that can't be given out yet."""

    text: str
    word: int
    """Number of the answer's word that it is, or stands before."""
    choices: Callable[[int], Restored | None] | None
    """What may replace it, by place; None once decided."""
    size: int
    """Characters that it had when it came."""
    reach: int
    """Words up to and with `word` that a run must hold to speak for it."""


class RecoveryStream:
    """Gives out an answer as it arrives but for the words that it is undecided about.

    The concatenation of what `feed` and `flush` return is the same however the answer is cut into pieces.
    """

    def __init__(self, dropped: Dropped) -> None:
        self._dropped = dropped
        self._prose = Prose()
        self._runs: dict[int, int] = {}  # place of the last word → words of the run that ends there
        self._last = ""  # the last word, case folded, if a run may go on from it
        self._count = 0  # words so far
        self._restored = 0  # letters put back since there were no runs
        self._waiting: list[_Piece] = []
        self._kind = "mark"  # of the last character
        self._mark = self._word = ""  # what follows the last complete word, of the word as much as matters
        self._held = ""  # the part of them that wasn't given out

    @property
    def held(self) -> int:
        """How many characters of what was fed have not been given out, as they are or recovered."""
        return sum(piece.size for piece in self._waiting) + len(self._held)

    def feed(self, text: str) -> str:
        """Take the next piece of the answer; returns what can be given out now."""
        out = []
        for token in TOKEN.finditer(text):
            kind = token.lastgroup
            if self._word and not kind == self._kind == "word":
                self._complete()
                out.append(self._settled())
            self._kind = kind
            if kind == "mark":
                self._mark += token[0]
            else:
                self._word = (self._word + token[0])[: LONGEST + 1]
            self._held += token[0]
        return "".join(out) + self._certain()

    def release(self) -> str:
        """Give out all that was held back, as it came; the run that it belongs to ends."""
        self._break()
        return self._settled() + self._rest()

    def flush(self) -> str:
        """End the answer; returns what is left of it."""
        if self._word:
            self._complete()
        return self.release()

    def _complete(self) -> None:
        """Match the word under way."""
        mark, word, held = self._mark, self._word, self._held
        self._mark = self._word = self._held = ""
        self._count += 1
        if self._prose.admits(mark, word) and max(len(mark), len(word)) <= LONGEST:
            self._advance(mark, word.casefold())
        else:
            self._break()
        self._wait(mark, word, held)
        for piece in self._waiting:
            if piece.choices is not None:
                self._weigh(piece, piece.choices)

    def _advance(self, mark: str, word: str) -> None:
        """Let runs go on with `word`, or begin with it and the word before."""
        name = self._pair(mark, word)
        places = self._dropped.places.get(name, ()) if name else ()
        if len(places) <= _MOST_PLACES:
            self._runs = {place: self._runs.get(place - 1, 1) + 1 for place in places}
        else:
            pairs = self._dropped.pairs
            self._runs = {
                place + 1: words + 1
                for place, words in self._runs.items()
                if place + 1 < len(pairs) and pairs[place + 1] == name
            }
        if not self._runs:
            self._restored = 0
        self._last = word

    def _pair(self, mark: str, word: str) -> str:
        """The pair of the last word and what follows it; "" where no run goes on, as across a line break."""
        goes_on = self._last and len(mark) <= LONGEST and "\n" not in mark
        return pair(self._last, mark, word) if goes_on else ""

    def _break(self) -> None:
        self._runs, self._last, self._restored = {}, "", 0
        for piece in self._waiting:
            piece.choices = None

    def _wait(self, mark: str, word: str, held: str) -> None:
        """Line up what wasn't given out of the word and the mark before it."""
        if not self._last or len(held) < len(word):
            self._waiting.append(_Piece(held, self._count, None, len(held), 0))
            return
        before, whole = self._dropped.before, self._dropped.whole
        apart = held == mark + word and any(map(before, self._runs))
        broken = word in self._dropped.broken_words
        self._waiting += (
            _Piece(held[: -len(word)], self._count, before if apart else None, len(held) - len(word), 2),
            _Piece(word, self._count, whole if broken else None, len(word), 1),
        )

    def _weigh(self, piece: _Piece, choices: Callable[[int], Restored | None]) -> None:
        """Decide about a piece if all runs that speak for it agree, or none is left."""
        age = self._count - piece.word
        speaking = [(place, words) for place, words in self._runs.items() if words >= age + piece.reach]
        if (not speaking and (age or piece.reach > 1)) or age > _PATIENCE:
            piece.choices = None
            return
        letters = {
            place: self._dropped.letters(place, words) for place, words in speaking if words >= _FEWEST_WORDS
        }
        found = {choices(place - age) for place, n in letters.items() if n >= _FEWEST_LETTERS}
        if len(found) != 1:
            return
        (restored,) = found
        if restored is None or (piece.reach == 1 and restored.kept != piece.text):
            piece.choices = None
        elif self._outweighs(max(letters.values()), restored):
            piece.text, piece.choices = restored.text, None
            self._restored += restored.letters

    def _outweighs(self, letters: int, restored: Restored) -> bool:
        """Whether a run is long enough for what it would bring back."""
        return letters >= _WEIGHT * restored.letters and letters >= self._restored + restored.letters

    def _settled(self) -> str:
        """Take what is decided from the front of the line."""
        count = next((i for i, piece in enumerate(self._waiting) if piece.choices is not None), None)
        out = "".join([piece.text for piece in self._waiting[:count]])
        del self._waiting[:count]
        return out

    def _certain(self) -> str:
        """What can be given out of the word under way and the mark before it."""
        if self._waiting:
            return ""
        mark, word, held = self._mark, self._word, self._held
        name = self._pair(mark, word.casefold())
        if name and self._dropped.parts(name):
            return ""
        if word and len(held) >= len(word) and self._dropped.breaks(word):
            self._held = held[-len(word) :]
            return held[: -len(word)]
        return self._rest()

    def _rest(self) -> str:
        out, self._held = self._held, ""
        return out
