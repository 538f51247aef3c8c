"""What of the comments and docstrings in a text's code may be shortened.

Owns what in a comment is no prose: its marks, line breaks and indentation, directives to tools, tags, licences,
and code. Knows neither languages (`syntax`) nor where programs stand (`programs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from policies.comments.programs import Program, programs
from policies.comments.syntax import comments
from policies.loose import UNSPACED, shortenable
from policies.protection import Span
from policies.protection.code_lines import Look, look_at
from policies.protection.spans import subtract
from policies.segments import Section, with_rest_kept

__all__ = ["comment_sections"]

_FEWEST_WORDS = 6
"""A comment with fewer words is left alone."""
_LINE = re.compile(r"[^\n]+")
_WORD = re.compile(r"\S+")
_MARK = re.compile(
    r"""[ \t>]*+(?:/\*++!?|\*++(?!/)|//[/!]*+|\#++|--++(?:\[\[)?|[rRuU]?(?:"{3}|'{3}))?[ \t]*+"""
)
_CLOSERS = ("*/", '"""', "'''", "]]")
# What begins a line and stays: a tag with the name it speaks of, a label, a bullet.
_LABEL = re.compile(
    r"(?:[@\\]\w++(?:[ \t]\{[^{}\n]{0,100}\})?(?:[ \t]++[\w.$\[\]]++)?|:\w[^:\n]{0,80}:(?=\s|$)"
    r"|[\w.*]{1,60}(?:[ \t]?\([^()\n]{0,80}\))?[ \t]?:(?=\s|$)|[-*+•](?=\s)|\(?\w{1,3}[.)](?=\s))[ \t]*+"
)
_DIRECTIVE = re.compile(
    r"""[!+%|$]|\[\[|-\*-|>>>|\.{3}|@\w+-|\w[\w-]*:\S|\w+:\s*[\w-]+=|line\s+\S+:\d|(?:end)?region\b|export\s+\w+$|globals?\s
    |(?:noqa|nosec|nolint|nosonar|noinspection|eslint|jshint|jslint|tslint|prettier|istanbul|webpack|sourceMappingURL
    |sourceURL|clang-|cppcheck|rubocop|shellcheck|phpcs|phpstan|psalm|swiftlint|ktlint|detekt|sqlfluff|yamllint)
    |(?:type|fmt|yapf|ruff|isort|mypy|pylint|flake8|pyright|pragma|coding|encoding|language|dialect|vim?|lint)\s*[:=]""",
    re.IGNORECASE | re.VERBOSE,
)
_LICENCE = re.compile(r"copyright|licen[sc]e|SPDX|©|all rights reserved|\(c\)", re.IGNORECASE)
_CODE_END = re.compile(r"[;{}]\s*$|::\s*$")
_CODE = frozenset((Look.CODE, Look.PACKED, Look.DIFF))
_HEAD = 250  # characters of a line that are looked at
# A word with more in it than letters, digits and what ends words: it could end a comment or a string, or is a name.
_ODD = re.compile(r"[^\w\s.,;:!?()'’-]|'\w{3}|^'|'$|TODO|FIXME|XXX|HACK|\bBUG\b")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_GO_PREAMBLE = re.compile(r'\s*import\s+"C"')


def comment_sections(text: str, rate: float) -> tuple[Section, ...]:
    """Split `text` so that of code in a known language only the prose of comments may be shortened, to `rate`.

    A comment, or lines of comments without code between them, is one section; what must stay in it is its `fixed`.
    All else of such code must stay, what stands around it may be shortened as the policy says. A text without
    such comments is one section, even if empty. Linear in the length of `text`.
    """
    loose: list[Section] = []
    regions: list[Span] = []
    for program in programs(text):
        if found := list(_loose(text, program, rate)):
            loose += found
            regions.append(program.region)
    if not loose:
        return (Section((0, len(text)), None, True),)
    around = shortenable(text, subtract([(0, len(text))], regions))
    loose += [Section(span, None, True) for span in around]
    return with_rest_kept(text, loose)


def _loose(text: str, program: Program, rate: float) -> Iterator[Section]:
    """A section for each comment of a program that has enough words to lose."""
    start, end = program.source
    found = [(start + a, start + b) for a, b in comments(text[start:end], program.language)]
    for block in _blocks(text, found):
        if _GO_PREAMBLE.match(text, block[1]):
            continue
        runs = list(chain.from_iterable(_runs(text, line) for line in _prose(text, block)))
        words = sum(len(text[a:b].split()) + len(_UNSPACED.findall(text, a, b)) // 2 for a, b in runs)
        if words >= _FEWEST_WORDS:
            span = runs[0][0], runs[-1][1]
            yield Section(span, rate, True, tuple(subtract([span], runs)))


def _blocks(text: str, found: Sequence[Span]) -> Iterator[Span]:
    """Comments, those together that only a line break and indentation separate."""
    block: Span | None = None
    for start, end in found:
        if block and (gap := text[block[1] : start]).count("\n") <= 1 and not gap.strip():
            block = block[0], end
            continue
        if block:
            yield block
        block = start, end
    if block:
        yield block


def _prose(text: str, block: Span) -> Iterator[Span]:
    """The lines of a comment without marks and labels, but for those that are no prose."""
    fence = False
    for line in _LINE.finditer(text, *block):
        start, end = _bare(text, line.span())
        body = text[start:end]
        if body.startswith(("```", "~~~")):
            fence = not fence
        elif not fence and not _DIRECTIVE.match(body) and not _LICENCE.search(body):
            label = _LABEL.match(text, start, end)
            first = label.end() if label else start
            if not _is_code(text[first:end]):
                yield first, end


def _bare(text: str, line: Span) -> Span:
    """A line without what marks it as a comment, and white space."""
    mark = _MARK.match(text, *line)
    start = mark.end() if mark else line[0]
    body = text[start : line[1]].rstrip()
    if body.endswith(_CLOSERS):
        body = body.rstrip("*/\"'] \t")
    return start, start + len(body)


def _is_code(line: str) -> bool:
    return _CODE_END.search(line[-_HEAD:]) is not None or look_at(line[:_HEAD], in_diff=False) in _CODE


def _runs(text: str, line: Span) -> Iterator[Span]:
    """The plain words of a line that stand together; those with odd signs stay, with the white space around."""
    run: Span | None = None
    for word in _WORD.finditer(text, *line):
        if _ODD.search(word[0]):
            if run:
                yield run
            run = None
        else:
            run = (run or word.span())[0], word.end()
    if run:
        yield run
