"""The question in a text that holds documents: its own words, without label and call for an answer.

Knows where documents lie, not how they were found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from policies.documents.document import trimmed
from policies.documents.labels import Label, announces_context, inline_question, without_cue
from policies.documents.lines import Line, within
from policies.protection.spans import Span

_LONGEST = 1000  # characters of prose that may be a question as a whole
_WRAPPER = re.compile(r"</?[A-Za-z][\w:.-]{0,40}(?:\s[^<>]{0,400})?>|[\s\]\[}{,`*=_-]+")


def labelled(text: str, lines: Sequence[Line], documents: Span) -> Span | None:
    """The question that a label stands before, behind `documents` (first to last) or else before them."""
    before, after = _around(lines, documents)
    for part, order in ((after, 1), (before, -1)):
        marks = [index for index, line in enumerate(part) if line.label is Label.QUESTION][::order]
        for index in marks:
            found = _words(text, part, index)
            if found is not None:
                return found
    for start, end in ((documents[1], len(text)), (0, documents[0])):
        begin = inline_question(text, start, end) if end - start <= 2 * _LONGEST else None
        if begin is not None:
            stop = text.find("\n", begin, end)
            return _real(text, begin, end if stop < 0 else stop)
    return None


def prose(text: str, lines: Sequence[Line], documents: Span) -> Span | None:
    """The prose behind `documents`, or else before them, if it is short enough to be a question."""
    before, after = _around(lines, documents)
    for part in (after, before):
        words = [
            line
            for line in part
            if not line.is_rule
            and not (line.label is Label.ANSWER and line.content >= line.end)
            and not (line.label is Label.CONTEXT and line.content >= line.end)
            and not _is_wrapper(line.text)
        ]
        if part is before and words and len(words) > 1 and announces_context(words[-1].text):
            words.pop()
        if words and words[-1].end - words[0].start <= _LONGEST:
            return _real(text, words[0].start, words[-1].end)
    return None


def last_outside(text: str, spans: Iterable[Span], documents: Sequence[Span]) -> Span | None:
    """The last of `spans` that touches no document and holds a word; both ascending."""
    at, last = 0, None
    for start, end in spans:
        while at < len(documents) and documents[at][1] <= start:
            at += 1
        if at == len(documents) or end <= documents[at][0]:
            last = _real(text, start, end) or last
    return last


def _around(lines: Sequence[Line], documents: Span) -> tuple[list[Line], list[Line]]:
    """The lines before and behind the documents; a line that they begin in counts to neither side's rest."""
    before = [line for line in lines if line.end <= documents[0]]
    return before, within(lines, documents[1], lines[-1].end + 1)


def _words(text: str, lines: Sequence[Line], index: int) -> Span | None:
    """What stands behind the label of line `index`: to the next label, rule or blank line."""
    start, end = lines[index].content, lines[index].end
    for line in lines[index + 1 :]:
        if line.label is not None or line.is_rule or (not line.text and start < end):
            break
        if line.text:
            if start >= end:
                start = line.start
            end = line.end
    return _real(text, start, end)


def _real(text: str, start: int, end: int) -> Span | None:
    """The range without white space and a call for an answer at its end; None if no word is left."""
    start, end = trimmed(text, start, end)
    start, end = trimmed(text, start, without_cue(text, start, end))
    return (start, end) if any(map(str.isalnum, text[start:end])) else None


def _is_wrapper(line: str) -> bool:
    return not _WRAPPER.sub("", line)
