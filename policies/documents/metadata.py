"""What a document begins and ends with beside its content: title, source, date, score. Knows no shapes."""

from __future__ import annotations

import re

_FIELD = re.compile(
    r"""[-*•]?\ ?(?:\*\*|__)?
      (?P<key>(?:document |doc |page |file |source |chunk |relevance |similarity |published |publication |article )?
        (?:titles?|source|url|uri|link|website|filename|file|path|page|label|pages|authors?|date|time|timestamp
          |published|created|updated|score|relevance|similarity|distance|rank|id|number|index|section|category|type|tags|metadata|language|heading
          |topic|name|publisher|journal|year|titel|quelle|datum|seite|título|fuente|página|documento|titre|dokument
          |заголовок|источник|标题|来源|日期|タイトル|出典|제목|출처)
        | [A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]+)
      (?:\*\*|__)?\ ?[:：=]""",
    re.VERBOSE | re.IGNORECASE,
)
_CONTENT = re.compile(
    r"(?:\*\*|__)?(?:page[ _])?(?:content|text|excerpt|body|passage|snippet|inhalt|内容|本文|내용)"
    r"(?:\*\*|__)?\ ?[:：](?:\*\*|__)?\s*(?:-{3,}\s*\n\s*)?",
    re.IGNORECASE,
)
_TITLE = re.compile(r"#{1,6}\ .{1,200}$|\*\*[^*]{1,200}\*\*:?$|\[[^\[\]]{1,200}\]:?$")
_MARK = re.compile(r"\s*(?:\[\d{1,4}\]:?|\(\d{1,4}\)|\d{1,3}[.)]|[-*•])(?=\s)")
CONTENT = "content"
_LINE = re.compile(r"\S[^\n]*")
_LONGEST_FIELD = 400
_MOST_LINES = 24


def is_field(line: str) -> bool:
    """Whether a line without white space at its ends is `key: value` with a key that metadata has."""
    return len(line) <= _LONGEST_FIELD and _FIELD.match(line) is not None


def field_name(line: str) -> str | None:
    """The key of a line of metadata in lower case, `CONTENT` for the name of a content; None for other lines."""
    match = _FIELD.match(line) if len(line) <= _LONGEST_FIELD else None
    if match is not None:
        return match["key"].lower()
    return CONTENT if _CONTENT.match(line) else None


def content_start(text: str, start: int, end: int) -> int:
    """Where the mark and metadata end that the document `text[start:end]` may begin with; `start` without."""
    mark = _MARK.match(text, start, end)
    head = mark.end() if mark else start
    for _ in range(_MOST_LINES):
        line = _LINE.search(text, head, end)
        if line is None:
            return head
        content = _CONTENT.match(text, line.start(), end)
        if content is not None:
            return content.end()
        if not (is_field(line[0].rstrip()) or _TITLE.match(line[0].rstrip())):
            return head
        head = line.end()
    return head


def content_end(text: str, start: int, end: int) -> int:
    """Where the metadata begins that `text[start:end]` may end with, as in `Source: handbook.pdf`; `end` without."""
    for _ in range(_MOST_LINES):
        line = text.rfind("\n", start, end) + 1
        if line <= start or not is_field(text[line:end].strip()):
            return end
        end = line
        while text[end - 1].isspace():
            end -= 1
    return end
