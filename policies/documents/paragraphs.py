"""Documents joined by blank lines, as LangChain and LlamaIndex join them, within a prompt's context.

Nothing in such a text says where one document ends, unless each begins with metadata or the name of a field;
else each paragraph is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from policies.documents.document import Collection, collection, substantial, trimmed
from policies.documents.lines import Line, within
from policies.documents.metadata import field_name
from policies.documents.sections import passage
from policies.protection.spans import Span

_SHORT = 60  # characters of a paragraph that is a title or an introduction of the next one
_MEDIAN_BODY, _TOTAL_BODY = 60, 200


def paragraphs(text: str, lines: Sequence[Line], span: Span) -> Collection | None:
    """The documents in `span`, or None if there are no two of real length."""
    runs = _runs(within(lines, *span))
    starts = _starts(runs)
    ends = [*starts[1:], span[1]]
    spans = [trimmed(text, start, end) for start, end in zip(starts, ends, strict=False)]
    documents = [passage(text, *found) for found in spans]
    if not substantial(documents, median_body=_MEDIAN_BODY, total_body=_TOTAL_BODY):
        return None
    return collection(documents)


def _runs(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of each paragraph; blank lines in code part nothing."""
    runs: list[list[Line]] = []
    open_run = False
    for line in lines:
        if not line.text and not line.fenced:
            open_run = False
        elif line.text or open_run:
            if not open_run:
                runs.append([])
            runs[-1].append(line)
            open_run = True
    return runs


def _starts(runs: Sequence[Sequence[Line]]) -> list[int]:
    """Where documents begin: at paragraphs of the field that most begin with, if two do; else at each paragraph."""
    fields = Counter(name for run in runs if (name := field_name(run[0].text)))
    first = next((name for run in runs if (name := field_name(run[0].text))), None)
    if first is not None and fields[first] > 1:
        return [run[0].start for run in runs if field_name(run[0].text) == first]
    starts: list[int] = []
    continues = False
    for run in runs:
        if not continues:
            starts.append(run[0].start)
        continues = run[-1].end - run[0].start < _SHORT or run[-1].text.endswith((":", "："))
    return starts
