"""Tables in plain text: Markdown and console grids, columns that spaces align, CSV, TSV."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_LINE = re.compile(r"[^\n]+")
_QUOTED = re.compile(r'"[^"]*+"')
_IN_NUMBER = re.compile(r"(?<=\d),(?=\d)")
_GAP = re.compile(r"(?<![\s.?!:,;]) {2,}(?=\S)")
_WIDEST_FIELD = {",": 40, ";": 40, ", ": 20}  # characters, on average; clauses of a sentence are longer
_FEWEST_SEPARATORS = {",": 1, ";": 1, ", ": 3}
_WIDEST_ROW = 200  # characters of a row whose columns are aligned

Shape = tuple[str, int]
"""Separator and number of columns' separators; 0 where rows are framed and may differ."""
_FEWEST_ROWS = {"|": 2, "\t": 2, ",": 3, ";": 3, ", ": 4, "  ": 2, " ": 4}


def tables(text: str) -> Iterator[Span]:
    """Runs of adjacent lines of one shape."""
    start = end = rows = 0
    shape: Shape | None = None
    for line in _LINE.finditer(text):
        found = _shape(line[0])
        if found is not None and found == shape and line.start() == end + 1:
            end, rows = line.end(), rows + 1
            continue
        if shape is not None and rows >= _fewest_rows(shape):
            yield start, end
        shape, (start, end), rows = found, line.span(), 1
    if shape is not None and rows >= _fewest_rows(shape):
        yield start, end


def _fewest_rows(shape: Shape) -> int:
    return _FEWEST_ROWS[shape[0]] + (shape[0] == "|" and shape[1] > 0)


def _shape(line: str) -> Shape | None:
    line = line.strip(" \r")
    if line.startswith(("|", "+-", "+=")) and line[-1] in "|+":
        return "|", 0
    if "|" in line:
        return "|", line.count("|")
    if "\t" in line.strip():
        return "\t", line.count("\t")
    if "  " in line and len(line) <= _WIDEST_ROW:
        gaps = len(_GAP.findall(line))
        return ("  ", 0) if gaps > 1 else (" ", 0) if gaps else _comma_shape(line)
    return _comma_shape(line)


def _comma_shape(line: str) -> Shape | None:
    if "," not in line and ";" not in line:
        return None
    bare = _QUOTED.sub("", line) if '"' in line else line
    if " " in bare:
        bare = _IN_NUMBER.sub("", bare)
    if bare.endswith((".", ",", ";", ":", "?", "!")):
        return None
    for separator, width in _WIDEST_FIELD.items():
        count = bare.count(separator)
        if (
            count >= _FEWEST_SEPARATORS[separator]
            and separator + " " not in bare
            and len(bare) <= width * (count + 1)
        ):
            return separator, count
    return None
