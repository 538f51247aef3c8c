"""Requests without anyone's words, that compress, count and compare as the originals do.

Owns the walk through a request and what of a text is structure; which word stands for which is `words`' business.
"""

from __future__ import annotations

import json
import re
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

_NUMBERED = (
    "document|doc|source|passage|context|result|chunk|excerpt|snippet|article|reference|node|fragment|record"
)
_PARTS = regex.compile(
    rf"""(?P<kept>
        </?(?:laconic:keep|llmlingua)[^<>]{{0,200}}+>
      | \[\d{{1,3}}\] | \b(?i:{_NUMBERED})s?[\ ]?[\[(\#]?\d{{1,3}}\b
      | ^[^\S\n]*+(?:\#{{1,6}}[\ ]|[-*][\ ])?\(?\d{{1,3}}[.):](?=\s|\Z)
    )
    | (?P<escape>(?:\\++u[\da-fA-F]{{4}})++) | (?P<letter>\\++["/bfnrt])
    | (?P<blob>[A-Za-z\d+/=_\-]{{200,}}+)
    | (?P<word>[\p{{L}}\p{{M}}]++(?:['’][\p{{L}}\p{{M}}]++)*+)
    | (?P<number>\p{{N}}++(?:[eE][-+]?\p{{N}}++)?)
    """,
    regex.VERBOSE | regex.MULTILINE,
)
_NEGATED = re.compile(
    r"(?:ai|are|ca|could|did|does|do|had|has|have|is|might|must|need|ought|sha|should|was|were|wo|would)n['’]t"
)
_ENDINGS = frozenset(("s", "t", "d", "m", "re", "ve", "ll"))
_ESCAPE = re.compile(r"(\\+u)([\da-fA-F]{4})")
_MOST_KNOWN = 200_000
_LONGEST_KNOWN = 64

# Strings of the API itself, unless they stand in the caller's own data.
_API_WORDS = """role type model detail format ttl tool_choice modalities reasoning_effort effort verbosity
    service_tier"""
_API_KEYS = frozenset(_API_WORDS.split())
_API_WORD = re.compile(r"[\w.:/@-]{1,80}")
_OWN_DATA = "metadata"


class Redaction:
    """Replaces words and digits by others, the same by the same: a text and a longer one begin alike as before.

    What stays: function words and those that mark documents, lengths, case, white space, punctuation, the numbers
    of lists and citations, the keys of the request's own JSON, and that JSON in texts is JSON. Who knows much of
    the same kind of text could guess frequent words by how often they come.
    """

    def __init__(self, key: bytes) -> None:
        """`key` decides which word stands for which."""
        self._key = key
        self._words: StandIns | None = None
        self._known: dict[str, str] = {}

    def request(self, body: bytes) -> bytes:
        """A request body with every string redacted that isn't the API's own; raises ValueError if it isn't JSON."""
        value = self._walk(json.loads(body), own=False)
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:  # a lone surrogate, which UTF-8 can't hold, stays an escape
            return json.dumps(value, separators=(",", ":")).encode()

    def text(self, text: str) -> str:
        """`text` with its words and digits replaced."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        redacted: str = _PARTS.sub(self._part, text)
        return redacted

    def _walk(self, value: Any, *, own: bool) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._walk(item, own=own) for item in value]
        if isinstance(value, dict):
            return {
                key: item
                if not own and key in _API_KEYS and isinstance(item, str) and _API_WORD.fullmatch(item)
                else self._walk(item, own=own or key == _OWN_DATA)
                for key, item in value.items()
            }
        return value

    def _part(self, match: regex.Match[str]) -> str:
        found = match[0]
        known = self._known.get(found)  # how a part is read depends on its characters alone
        if known is None:
            known = self._stand_in(found, match.lastgroup)
            if len(found) <= _LONGEST_KNOWN:
                self._known[found] = known
        return known

    def _stand_in(self, found: str, kind: str | None) -> str:
        if self._words is None:  # takes half a second, which is the writing thread's
            self._words = StandIns(self._key, KEPT_WORDS)
        if kind == "word":
            return self._word(found, self._words)
        if kind == "number":
            return self._words.number(found)
        if kind == "blob" and any(map(str.isalnum, found)):  # else a rule of dashes
            return self._words.blob(found)
        if kind == "escape":
            return _escaped(found, self._words)
        return found

    def _word(self, word: str, words: StandIns) -> str:
        folded = word.lower()
        if folded.replace("’", "'") in KEPT_WORDS or _NEGATED.fullmatch(folded):
            return word
        first, *endings = re.split("(?=['’])", word)
        return words.word(first) + "".join(
            e if e[1:].lower() in _ENDINGS else e[0] + words.word(e[1:]) for e in endings
        )


def _escaped(escapes: str, words: StandIns) -> str:
    """Stand-ins for characters written as escapes, written so too."""
    parts = _ESCAPE.findall(escapes)
    units = b"".join(int(digits, 16).to_bytes(2, "big") for _, digits in parts)
    replaced = words.characters(units.decode("utf-16-be", "surrogatepass"))
    codes = replaced.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"{head}{codes[4 * i : 4 * i + 4]}" for i, (head, _) in enumerate(parts))
