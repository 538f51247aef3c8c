"""Requests without anyone's words, that compress, count and compare as the originals do.

Owns the walk through a request and what of a text is structure; which word stands for which is `words`' business.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from typing import Any

import regex  # type: ignore[import-untyped]

from proxy.capture.words import StandIns
from proxy.evaluation.stopwords import STOP_WORDS

_STRUCTURE = """document documents doc docs source sources passage passages context contexts result results chunk chunks
    excerpt excerpts snippet snippets article articles reference references evidence node nodes fragment fragments
    record records question query answer response reply instruction instructions task title content text body page
    url id score metadata user assistant human system tool true false null none nan json html xml csv yaml
    http https www"""
KEPT_WORDS = STOP_WORDS | frozenset(_STRUCTURE.split())
"""Words that stay, in lower case: what says nothing by itself, and what marks documents, questions and data."""

_MARKUP = re.compile(r"(</?(?:laconic:keep|llmlingua)[^<>]{0,200}>)", re.IGNORECASE)
# Stretches that are replaced by themselves. A number in front of a line, or behind a word, comes with it.
_CHUNKS = re.compile(
    r"""^[^\S\n]*+(?:\#{1,6}[ ]|[-*][ ])?+\(?\d{1,2}[.):](?=\s|\Z)
    | \s*\n | [^\S\n]+ | [^\s"<>{}]++(?:[ ][\[(\#]?\d[^\s"<>{}]*+)? | ["<>{}]+""",
    re.VERBOSE | re.MULTILINE,
)
_NUMBERED = (
    "document|doc|source|passage|context|result|chunk|excerpt|snippet|article|reference|node|fragment|record"
)
_PARTS = regex.compile(
    rf"""(?P<kept>
        ^[^\S\n]*+(?:\#{{1,6}}[\ ]|[-*][\ ])?+\(?\d{{1,2}}[.):]$
      | \[\d{{1,3}}\] | \b(?i:{_NUMBERED})s?[\ ]?[\[(\#]?\d{{1,3}}\b
    )
    | (?P<escape>(?:\\++u[\da-fA-F]{{4}})++) | (?P<letter>\\++["/bfnrt])
    | (?P<blob>[A-Za-z\d+/=_\-]{{200,}}+)
    | (?P<word>[\p{{L}}\p{{M}}]++(?:['’][\p{{L}}\p{{M}}]++)*+)
    | (?P<number>\p{{N}}++(?:[eE][-+]?\p{{N}}++)?)
    """,
    regex.VERBOSE,
)
_CHUNKS_PER_BREATH = 128
_BREATH_S = 0.0003
_NEGATED = re.compile(
    r"(?:ai|are|ca|could|did|does|do|had|has|have|is|might|must|need|ought|sha|should|was|were|wo|would)n['’]t"
)
_ENDINGS = frozenset(("s", "t", "d", "m", "re", "ve", "ll"))
_ESCAPE = re.compile(r"(\\+u)([\da-fA-F]{4})")

# Strings of the API itself, unless they stand in the caller's own data.
_API_WORDS = """role type model detail format ttl tool_choice modalities reasoning_effort effort verbosity
    service_tier"""
_API_KEYS = frozenset(_API_WORDS.split())
_API_VALUE = re.compile(r"[\w.:/@-]{1,80}")
_OWN_DATA = "metadata"


class Redaction:
    """Replaces words and digits by others, the same by the same: a text and a longer one begin alike as before.

    What stays: function words and those that mark documents, lengths, case, white space, punctuation, the numbers
    of lists and citations, the keys of the request's own JSON, and that JSON in texts is JSON. Who knows much of
    the same kind of text could guess frequent words by how often they come.
    """

    def __init__(self, key: bytes) -> None:
        """`key` decides which word stands for which. Takes some hundred ms to load a vocabulary."""
        self._words = StandIns(key, KEPT_WORDS)
        # A conversation's texts come again with each turn, and few words make up most of all texts.
        self._texts = _Known(self._text, most=1024, longest=16_384)
        self._chunks = _Known(self._chunk, most=50_000, longest=64)
        self._wordings = _Known(self._wording, most=50_000, longest=32)

    def request(self, body: bytes) -> bytes:
        """A request body with every string redacted that isn't the API's own; raises ValueError if it isn't JSON."""
        value = self._walk(json.loads(body), own=False)
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:  # a lone surrogate, which UTF-8 can't hold, stays an escape
            return json.dumps(value, separators=(",", ":")).encode()

    def text(self, text: str) -> str:
        """`text` with its words and digits replaced."""
        return self._texts[text]

    def _walk(self, value: Any, *, own: bool) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._walk(item, own=own) for item in value]
        if isinstance(value, dict):
            return {
                key: item
                if not own and key in _API_KEYS and isinstance(item, str) and _API_VALUE.fullmatch(item)
                else self._walk(item, own=own or key == _OWN_DATA)
                for key, item in value.items()
            }
        return value

    def _text(self, text: str) -> str:
        parts = _MARKUP.split(text)  # every second one is markup
        parts[::2] = map(self._prose, parts[::2])
        return "".join(parts)

    def _prose(self, text: str) -> str:
        """Redact a text without markup, with pauses in which other threads, such as the event loop's, may run."""
        chunks = map(itemgetter(0), _CHUNKS.finditer(text))
        pieces = []
        while piece := "".join(map(self._chunks.__getitem__, islice(chunks, _CHUNKS_PER_BREATH))):
            pieces.append(piece)
            time.sleep(_BREATH_S)
        return "".join(pieces)

    def _chunk(self, chunk: str) -> str:
        redacted: str = _PARTS.sub(self._stand_in, chunk)
        return redacted

    def _stand_in(self, match: regex.Match[str]) -> str:
        found: str = match[0]
        kind = match.lastgroup
        if kind == "word":
            return self._wordings[found]
        if kind == "number":
            return self._words.number(found)
        if kind == "blob" and any(map(str.isalnum, found)):  # else a rule of dashes
            return self._words.blob(found)
        return self._escaped(found) if kind == "escape" else found

    def _wording(self, word: str) -> str:
        folded = word.lower()
        if folded.replace("’", "'") in KEPT_WORDS or _NEGATED.fullmatch(folded):
            return word
        first, *endings = re.split("(?=['’])", word)
        return self._words.word(first) + "".join(
            e if e[1:].lower() in _ENDINGS else e[0] + self._words.word(e[1:]) for e in endings
        )

    def _escaped(self, escapes: str) -> str:
        """Stand-ins for characters written as escapes, written so too."""
        parts = _ESCAPE.findall(escapes)
        units = b"".join(int(digits, 16).to_bytes(2, "big") for _, digits in parts)
        replaced = self._words.characters(units.decode("utf-16-be", "surrogatepass"))
        codes = replaced.encode("utf-16-be", "surrogatepass").hex()
        return "".join(f"{head}{codes[4 * i : 4 * i + 4]}" for i, (head, _) in enumerate(parts))


class _Known(dict[str, str]):
    """What was replaced before; anything else is replaced when it is asked for."""

    def __init__(self, replace: Callable[[str], str], *, most: int, longest: int) -> None:
        """At most `most` strings of up to `longest` characters are remembered."""
        super().__init__()
        self._replace = replace
        self._most = most
        self._longest = longest

    def __missing__(self, found: str) -> str:
        replaced = self._replace(found)
        if len(found) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[found] = replaced
        return replaced
