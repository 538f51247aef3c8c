"""Where a prompt's context begins and ends: between what announces it and the question, the call for an answer
or the closing rule.

Knows the build of prompts, among them the defaults of LangChain (an instruction that speaks of pieces of
context, then the contents; or `Question: … Context: … Answer:`) and of LlamaIndex (a sentence, then the contents
between two rules, then instruction, query and `Answer:`). Does not know how documents are told apart in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from policies.documents.labels import Label, announces_context, directs, sets_task
from policies.documents.lines import Line
from policies.protection.spans import Span

_MOST_BEHIND = 1500  # characters from a label to the end of what follows the documents
_LONGEST_DIRECTION = 500  # characters of a paragraph
_LONGEST_INSTRUCTION = 8000  # characters before the context
_MOST_BETWEEN = 1500  # characters of instructions between a sentence that announces the context and its label


@dataclass(frozen=True, slots=True)
class Block:
    """The part of a prompt that holds its documents."""

    span: Span
    announced: bool
    """The prompt says that context begins here; else it is what surrounds a labelled question."""


def block(lines: Sequence[Line]) -> Block | None:
    """The context of a prompt, if something announces it near the start, or a question is labelled."""
    opening = _opening(lines)
    if opening is not None:
        start, rule = opening
        end = _closing(lines, start, rule)
        if start <= _LONGEST_INSTRUCTION and (rule is not None or _has_task(lines, start, end)):
            return Block((start, end), announced=True)
    start = _after_question(lines)
    end = ending(lines, start)
    asked = any(line.label is Label.QUESTION for line in lines if line.start < start or line.start >= end)
    return Block((start, end), announced=False) if asked else None


def _has_task(lines: Sequence[Line], start: int, end: int) -> bool:
    """Whether a question, an answer or a summary is spoken of right before or behind the context."""
    return any(
        sets_task(line.text)
        for line in lines
        if (start - _MOST_BETWEEN <= line.end and line.start < start)
        or end <= line.start <= end + _MOST_BEHIND
    )


def _opening(lines: Sequence[Line]) -> tuple[int, Line | None] | None:
    """Where the context begins, and the rule above it if there is one; None if nothing announces it.

    A label (`Context:`) counts only in company, because people put it before all kinds of things.
    """
    asked = any(line.label is Label.QUESTION for line in lines)
    announced: int | None = None  # where the sentence that does ends
    content: tuple[int, Line | None] | None = None
    for index, line in enumerate(lines):
        if line.label is Label.CONTEXT:
            if announced is not None and line.start - announced > _MOST_BETWEEN:
                break
            if asked or announced is not None or announces_context(line.text):
                return _content(lines, index, line.content)
        elif announced is None and not line.fenced and announces_context(line.text):
            last = _announcement_end(lines, index)
            announced = lines[last].end
            content = _content(lines, last, announced)
            if content[1] is not None:
                break
    return content


def _announcement_end(lines: Sequence[Line], index: int) -> int:
    """The last line of an announcement that begins in line `index`: before a rule or a blank line, or with a colon."""
    while (
        index + 1 < len(lines)
        and lines[index + 1].text
        and not lines[index + 1].is_rule
        and not lines[index].text.endswith((":", "："))
    ):
        index += 1
    return index


def _content(lines: Sequence[Line], index: int, start: int) -> tuple[int, Line | None]:
    """What follows offset `start` of a line: in that line, or beneath a question and a rule below it."""
    if start < lines[index].end:
        return start, None
    for line in lines[index + 1 :]:
        if line.is_rule:
            return line.end, line
        if line.label is Label.QUESTION:
            start = line.end
        elif line.text:
            break
    return start, None


def _closing(lines: Sequence[Line], start: int, rule: Line | None) -> int:
    """Where the context ends that begins at `start`, with the last rule like the one above it if there is one."""
    if rule is not None:
        for line in reversed(lines):
            if line.start <= start:
                break
            if line.is_rule and line.text == rule.text:
                return line.start
    return ending(lines, start)


def _after_question(lines: Sequence[Line]) -> int:
    """The end of the labelled question that a prompt begins with; 0 without one."""
    first = next((index for index, line in enumerate(lines) if line.text), 0)
    if lines[first].label is not Label.QUESTION:
        return 0
    last = first
    while last + 1 < len(lines) and lines[last + 1].text and lines[last + 1].label is None:
        last += 1
    return lines[last].end


def ending(lines: Sequence[Line], start: int) -> int:
    """Where behind `start` the documents give way to the question, an instruction or a call for an answer.

    Read from the end, because documents may hold such labels too: there they are followed by more than a
    prompt says behind its documents. The question is not looked for behind the documents if it stands before.
    """
    asked = _asked_before(lines, start)
    end, pending = lines[-1].end, 0
    for line in reversed(lines):
        if line.start < start or pending > _MOST_BEHIND or line.label is Label.CONTEXT:
            break
        if line.label is None or (line.label is Label.QUESTION and asked):
            pending += len(line.text)
            continue
        if line.label is Label.ANSWER and (pending or line.content < line.end):
            break
        asked |= line.label is Label.QUESTION
        end, pending = line.start, 0
    return _before_directions(lines, start, end)


def _before_directions(lines: Sequence[Line], start: int, end: int) -> int:
    """`end`, or where the last short paragraph before it begins if that says what to do with the documents.

    A document may end so too. Then its last paragraph just stays.
    """
    index = bisect_left(lines, end, key=lambda line: line.start) - 1
    while index >= 0 and not lines[index].text:
        index -= 1
    last = index
    while index > 0 and lines[index - 1].text and not lines[index - 1].is_rule:
        index -= 1
    if index < 0 or lines[index].start <= start or lines[last].end - lines[index].start > _LONGEST_DIRECTION:
        return end
    paragraph = lines[index : last + 1]
    is_direction = not any(line.fenced for line in paragraph) and any(
        directs(line.text) for line in paragraph
    )
    return lines[index].start if is_direction else end


def _asked_before(lines: Sequence[Line], start: int) -> bool:
    """Whether a labelled question stands before `start`, other than one of an example with its answer."""
    asked = False
    for line in lines:
        if line.start >= start:
            break
        if line.label in (Label.QUESTION, Label.ANSWER):
            asked = line.label is Label.QUESTION
    return asked
