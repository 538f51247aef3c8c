"""Numbered documents: `Document [3](Title: …) …`, `Source 3: …`, `--- Chunk 3 ---`, `[3] …`.

A text may hold several such lists, as where an example stands before the real one; the longest counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.documents.context import ending
from policies.documents.document import (
    Collection,
    Document,
    collection,
    document,
    neighbours,
    substantial,
    trimmed,
)
from policies.documents.labels import Label
from policies.documents.lines import Line, within
from policies.documents.metadata import content_end, content_start

_WORD = r"""(?:search\ |retrieved\ |web\ |context\ |text\ |source\ )?
    (?:documents?|docs?|sources?|passages?|contexts?|results?|chunks?|excerpts?|snippets?|articles?|references?|evidence
      |nodes?|fragments?|records?|memory|dokument|quelle|auszug|textstelle|documento|fuente|fragmento|pasaje|fonte
      |passaggio|extrait|документ|источник|фрагмент|文档|文档片段|文献|文書|文章|资料|資料|参考资料|来源|检索结果|検索結果|ドキュメント
      |문서|출처|자료|참고\ ?자료|발췌)"""
_MARK = re.compile(
    rf"""(?P<style>
      (?P<open>(?:[-=*_\#]{{2,20}}\ ?|\#{{1,6}}\ |[\[(<【])*+)
      (?P<word>{_WORD})(?:\ ?(?:no\.?|number|id|\#))?\ ?[\[(]?
      )(?P<number>\d{{1,4}})(?:\ ?(?:/|of)\ ?\d{{1,4}})?(?P<closed>[\])】]?)
      (?P<rest>\ ?(?:[-=*_\#]{{2,20}}|[:：]|[.)>|—–-](?=\s|$)|(?=\()|$)(?:\ ?[:：])?(?:\*\*)?)?
    | (?P<bare>\[|【)(?P<bare_number>\d{{1,4}})[\]】]:?(?=\s|$|[^\s\[(.,;:)])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TITLE_IN_BRACKETS = re.compile(r"\ ?\((?:[^()\n]|\([^()\n]{0,80}\)){0,300}\)")
_BIBLIOGRAPHY = re.compile(
    r"\(\d{4}[a-z]?\)|\bdoi\b|https?://|\bpp?\.\s?\d|\bvol\.|\bet al\b|\bISBN\b|\barXiv\b|\bRetrieved\b",
    re.IGNORECASE,
)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_MOST_LISTS = 4  # that are looked at, the longest first
_LONGEST_TITLE = 160
_LONGEST_ENTRY = 400
_MEDIAN_BODY, _TOTAL_BODY = 60, 200
_MEDIAN_BARE_BODY = 120


@dataclass(frozen=True, slots=True)
class _Mark:
    style: str
    """What is the same in all marks of a list; empty for `[3]`."""
    number: int
    start: int
    end: int


def numbered(text: str, lines: Sequence[Line]) -> Collection | None:
    """The longest list of numbered documents of real length, or None."""
    best: Collection | None = None
    runs = sorted(_runs(_marks(lines)), key=lambda run: run[0].start - run[-1].start)
    for run in runs[:_MOST_LISTS]:
        found = _read(text, lines, run)
        if found and (best is None or found.size > best.size):
            best = found
    return best


def _marks(lines: Sequence[Line]) -> Iterator[_Mark]:
    for line in lines:
        start = line.content if line.label is Label.CONTEXT else line.start  # `Context: Source 1: …`
        text = line.text[start - line.start :]
        match = None if line.fenced else _MARK.match(text, 0, 120)
        if match is None:
            continue
        if match["bare"]:
            yield _Mark("", int(match["bare_number"]), start, start + match.end())
        elif match["closed"] or match["rest"] is not None:
            end = match.end()
            if "[" in match["open"] and not match["closed"]:  # `[Source 3 — topic (file)]`
                end = max(end, text.find("]", end, end + _LONGEST_TITLE) + 1)
            yield _Mark(match["style"].casefold().rstrip(), int(match["number"]), start, start + end)


def _runs(marks: Iterator[_Mark]) -> Iterator[list[_Mark]]:
    """Lists: marks of one style with numbers that don't come again, and ascend by one where it is a bare `[3]`."""
    open_runs: dict[str, list[_Mark]] = {}
    numbers: dict[str, set[int]] = {}
    for mark in marks:
        run = open_runs.setdefault(mark.style, [])
        known = numbers.setdefault(mark.style, set())
        follows = mark.number == run[-1].number + 1 if run and not mark.style else mark.number not in known
        if run and not follows:
            yield run
            run = open_runs[mark.style] = []
            known.clear()
        run.append(mark)
        known.add(mark.number)
    yield from open_runs.values()


def _read(text: str, lines: Sequence[Line], marks: Sequence[_Mark]) -> Collection | None:
    """The documents that begin with these marks, if they are what such a list should hold."""
    if len(marks) < 2:
        return None
    ends = [mark.start for mark in marks[1:]]
    found = [_document(text, mark, end) for mark, end in zip(marks, ends, strict=False)]
    bodies = [text[document.heads[0][1] : document.span[1]].strip() for document in found]
    last = _last_end(
        text,
        lines,
        marks[-1].end,
        blank=any(map(_BLANK_LINE.search, bodies)),
        broken=any("\n" in body for body in bodies),
    )
    documents = neighbours(text, [*found, _document(text, marks[-1], last)])
    bare = not marks[0].style
    if not substantial(
        documents, median_body=_MEDIAN_BARE_BODY if bare else _MEDIAN_BODY, total_body=_TOTAL_BODY
    ):
        return None
    found_here = collection(documents)
    if found_here is None or _is_bibliography(text, documents) or (bare and 2 * found_here.size < len(text)):
        return None
    return found_here


def _document(text: str, mark: _Mark, end: int) -> Document:
    start, end = trimmed(text, mark.start, end)
    end = _without_rule(text, mark.end, end)
    head = mark.end
    bracketed = _TITLE_IN_BRACKETS.match(text, head, end)
    if bracketed:
        head = bracketed.end()
    head = _title_end(text, head, end)
    head = content_start(text, head, end)
    return document((start, end), [(start, head), (content_end(text, head, end), end)])


def _without_rule(text: str, start: int, end: int) -> int:
    """`end` before the rules and blank lines that part a document from the next one."""
    while True:
        line = text.rfind("\n", start, end) + 1
        if line <= start or text[line:end].strip("-*_=# \t\r\n"):
            return end
        end = trimmed(text, start, line)[1]


def _title_end(text: str, start: int, end: int) -> int:
    """The end of a title in the rest of the mark's line, if more follows below it."""
    stop = text.find("\n", start, end)
    title = text[start:stop].strip() if stop >= 0 else ""
    if not title or len(title) > _LONGEST_TITLE or title.endswith((".", "!", "?", ",", ";")):
        return start
    return stop if end - stop > len(title) else start


def _last_end(text: str, lines: Sequence[Line], start: int, *, blank: bool, broken: bool) -> int:
    """Where the last document ends: no mark follows it, but what a prompt says behind its documents.

    Where nothing marks that, it ends like the others: with its first line or paragraph if none of them holds a
    line break (`broken`) or a blank line (`blank`). Else its last paragraph counts as no part of it, because a
    paragraph of a document had better stay than an instruction go.
    """
    end = ending(lines, start)
    rest = within(lines, start, end)
    for line in rest:
        if not line.fenced and (line.is_rule or line.text.startswith("</")):
            return line.start
    written = [index for index, line in enumerate(rest) if line.text]
    gaps = [rest[index].start for index in written[1:] if not rest[index - 1].text]
    if gaps and not blank:
        return gaps[0]
    if end < lines[-1].end:
        return end
    if not broken and len(written) > 1 and not _title_end(text, start, end) > start:
        return rest[written[1]].start
    return gaps[-1] if gaps else end


def _is_bibliography(text: str, documents: Sequence[Document]) -> bool:
    """Whether most are single lines that cite a publication."""
    entries = 0
    for found in documents:
        start, end = found.span
        if (
            end - start <= _LONGEST_ENTRY
            and "\n" not in text[start:end]
            and _BIBLIOGRAPHY.search(text, start, end)
        ):
            entries += 1
    return 2 * entries > len(documents)
