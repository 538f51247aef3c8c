"""Comments in code lose words, and code loses nothing."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import Comment, String  # type: ignore[import-untyped]

from compressors import render
from policies.comments import comment_sections
from policies.cuts import cut
from policies.groups import Text
from policies.plan import plan_text
from policies.policy import Policy
from policies.protection import KINDS, protect
from policies.protection.spans import union
from policies.tokens import tokenizer
from tests.fakes.programs import PROGRAMS

COUNTER = tokenizer("o200k_base")


def _marked(text: str) -> str:
    """`text` with ‹› around what may be shortened, and in it ⟦⟧ around what stays."""
    out = []
    for part in comment_sections(text, 0.5):
        at, end = part.span
        out.append("‹" if part.compress else "")
        for start, stop in part.fixed:
            out += [text[at:start], "⟦", text[start:stop], "⟧"]
            at = stop
        out += [text[at:end], "›" if part.compress else ""]
    return "".join(out)


def _torn(text: str, chance: random.Random) -> str:
    """`text` without some of the characters that may go."""
    kept = []
    for part in cut(text, tags=False, comments=0.5):
        content = text[slice(*part.span)]
        protection = protect(content, KINDS)
        fixed = [(start - part.span[0], end - part.span[0]) for start, end in part.fixed]
        stays = {
            at for span in union((*protection.blocks, *protection.inline, *fixed)) for at in range(*span)
        }
        words = {word.start(): word.end() for word in re.finditer(r"\S+", content)}
        gone = {at for start, end in words.items() if chance.random() < 0.6 for at in range(start, end)}
        kept += [c for at, c in enumerate(content) if not part.compress or at in stays or at not in gone]
    return "".join(kept)


def _code(source: str, name: str) -> str:
    """`source` without comments, docstrings and white space."""
    tokens = get_lexer_by_name(name).get_tokens_unprocessed(source)
    return "".join(
        "".join(value.split())
        for _, kind, value in tokens
        if not (kind in Comment and kind not in Comment.Preproc and kind not in Comment.PreprocFile)
        and not (kind in String.Doc and "brackets" not in value)
    )


def _fenced(name: str) -> str:
    return f"Look at this program, please, and say what it is for:\n\n```{name}\n{PROGRAMS[name]}```\nThank you all."


@pytest.mark.parametrize("name", PROGRAMS)
def test_code_outside_comments_stays_byte_for_byte(name: str) -> None:
    text = _fenced(name)
    source = PROGRAMS[name]
    assert any(part.rate == 0.5 for part in comment_sections(text, 0.5))
    for seed in range(30):
        result = _torn(text, random.Random(seed))
        program = result.partition(f"```{name}\n")[2].rpartition("```")[0]
        assert len(result) < len(text)
        assert _code(program, name) == _code(source, name)
        assert program.count("\n") == source.count("\n")
        for before, after in zip(source.split("\n"), program.split("\n"), strict=True):
            indentation = before[: len(before) - len(before.lstrip())]
            assert after.startswith(indentation)
        assert re.findall(r"\d", program) == re.findall(r"\d", source)


@pytest.mark.parametrize("name", ["python", "javascript", "go", "sql", "c", "java", "rust"])
def test_bare_code_is_shortened_where_its_language_is_certain(name: str) -> None:
    assert any(part.rate == 0.5 for part in comment_sections(PROGRAMS[name], 0.5))


WORDS = "one two three four five six seven eight"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"# {WORDS}", f"# ‹{WORDS}›"),
        (f"x = 1  # {WORDS}", f"x = 1  # ‹{WORDS}›"),
        (f"# {WORDS}\n  # {WORDS}", f"# ‹{WORDS}⟦\n  # ⟧{WORDS}›"),
        (f"# {WORDS}\n\n# {WORDS}", f"# ‹{WORDS}›\n\n# ‹{WORDS}›"),
        ("# one two three four five", "# one two three four five"),
        ("# one two three\n# four five six", "# ‹one two three⟦\n# ⟧four five six›"),
        (f"# noqa: E501 {WORDS}", f"# noqa: E501 {WORDS}"),
        (f"# type: ignore {WORDS}", f"# type: ignore {WORDS}"),
        (f"#!/bin/sh {WORDS}", f"#!/bin/sh {WORDS}"),
        (f"# cython: binding=True {WORDS}", f"# cython: binding=True {WORDS}"),
        (f"# TODO(ann): {WORDS}", f"# TODO(ann): ‹{WORDS}›"),
        (f"# Copyright 2020 {WORDS}", f"# Copyright 2020 {WORDS}"),
        (f"# - {WORDS}", f"# - ‹{WORDS}›"),
        (f"# {WORDS} a/b {WORDS}", f"# ‹{WORDS}⟦ a/b ⟧{WORDS}›"),
        (f"# if x == foo(1): {WORDS};", f"# if x == foo(1): {WORDS};"),
        (f'"""{WORDS}\n\n:param x: {WORDS}\n"""', f'"""‹{WORDS}⟦\n\n:param x: ⟧{WORDS}›\n"""'),
        (f'"""{WORDS}\n\n```\n{WORDS}\n```\n{WORDS}"""', f'"""‹{WORDS}⟦\n\n```\n{WORDS}\n```\n⟧{WORDS}›"""'),
    ],
)
def test_only_words_of_a_comment_may_go(source: str, expected: str) -> None:
    text = f"~~~python\n{source}\n~~~"
    assert _marked(text) == (f"~~~python\n{expected}\n~~~" if "‹" in expected else f"‹{text}›")


def test_a_go_preamble_is_code() -> None:
    text = f'```go\n/*\n{WORDS}\n*/\nimport "C"\n```'
    assert _marked(text) == f"‹{text}›"


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{WORDS} # {WORDS}",
        f"```\n# {WORDS}\n```",
        f"```text\n// {WORDS}\n```",
        f"```diff\n-x = 1\n+# {WORDS}\n```",
        f"```python\nx = 'unclosed\n# {WORDS}\n```",
        "```python\nx = 1  # one\n```\n",
        f"```python\n# {WORDS}\n" + "x = 1\n" * 40_000 + "```",
    ],
)
def test_other_texts_are_one_section(text: str) -> None:
    assert _marked(text) == f"‹{text}›"


def test_the_prose_around_code_keeps_its_distance() -> None:
    text = f"Look at this:\n\n```py\n# {WORDS}\n```\n\n- and this:\n  ```go\n  // {WORDS}\n  ```\n"
    assert _marked(text) == (
        f"‹Look at this:›\n\n```py\n# ‹{WORDS}›\n```\n\n‹- and this:›\n  ```go\n  // ‹{WORDS}›\n  ```\n"
    )


def test_tags_and_json_go_before_comments() -> None:
    text = (
        f"<laconic:keep>```py\n# {WORDS}\n```</laconic:keep>\n<llmlingua, rate=0.2>\n```py\n# {WORDS}\n# {WORDS}\n```\n"
        '</llmlingua>\n```json\n{"a": [1, 2]}\n```\n'
    )
    parts = cut(text, tags=True, layout="compact", comments=0.7)
    loose = [(text[slice(*part.span)], part.rate) for part in parts if part.compress]
    assert (f"{WORDS}\n# {WORDS}", 0.2) in loose
    assert all(rate == 0.2 for _, rate in loose)
    assert [text[slice(*span)] for part in parts for span in part.fixed] == ["\n# "]
    assert '```json\n{"a":[1,2]}\n```' in "".join(text[slice(*part.span)] for part in parts)


def _policy(**fields: Any) -> Policy:
    base = {"targets": [{"role": "tool"}], "ranges": [{"rate": 0.5}], "min_saved_tokens": 1}
    return Policy.model_validate(base | fields)


def test_a_plan_has_one_piece_for_each_comment_and_keeps_what_is_protected() -> None:
    text = _fenced("python")
    plan = plan_text(Text("tool", text), _policy(comments=0.4), COUNTER)
    pieces = {text[slice(*piece.span)]: piece for piece in plan.pieces}
    assert len(plan.pieces) == sum(part.compress for part in comment_sections(text, 0.4)) == 6
    comment = next(piece for content, piece in pieces.items() if content.startswith("the toll was raised"))
    assert comment.measure.rate == 0.4
    start = comment.span[0]
    assert "\n        # " in {text[start + a : start + b] for a, b in comment.blocks}
    assert {"3.5", "not"} <= {text[start + a : start + b] for a, b in comment.inline}
    assert render(text, plan.whole) == text


def test_the_expected_tokens_of_a_program_are_right() -> None:
    text = _fenced("go") * 5
    whole = plan_text(
        Text("tool", text), _policy(comments=1.0, ranges=[{"rate": 1.0}], min_saved_tokens=0), COUNTER
    )
    assert whole.expected_tokens == whole.original_tokens
    plan = plan_text(Text("tool", text), _policy(comments=0.5), COUNTER)
    pieces = {piece.span: piece for piece in plan.pieces}
    spans = []
    for start, end in plan.whole:
        words = [word.span() for word in re.finditer(r"\s*\S+", text[start:end])]
        keep = pieces.get((start, end))
        marks = {at for span in (*keep.blocks, *keep.inline) for at in range(*span)} if keep else set()
        spans += [
            (start + a, start + b)
            for number, (a, b) in enumerate(words)
            if keep is None or number % 2 or marks & set(range(a, b))
        ]
    assert plan.expected_tokens == pytest.approx(COUNTER.count(render(text, spans)), rel=0.1)


def test_without_the_field_code_stays_as_it_is() -> None:
    assert len(cut(_fenced("go"), tags=False)) == 1
    assert len(plan_text(Text("tool", _fenced("go")), _policy(), COUNTER).pieces) == 1


@pytest.mark.parametrize("rate", [0, 1.5, "all"])
def test_the_share_is_a_rate(rate: Any) -> None:
    with pytest.raises(ValidationError):
        _policy(comments=rate)


def test_no_lexer_is_imported() -> None:
    check = "import sys, policies.plan; sys.exit('pygments' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize(
    "unit",
    [
        f"# {WORDS}\n",
        f"```py\n# {WORDS}\n```\n",
        "```py\n",
        "# " + "a" * 2**17 + "\n",
        "// a/b ",
        "def f():\n    '''" + WORDS,
        '"""' + WORDS + '"""\n',
    ],
)
def test_a_megabyte_is_read(unit: str) -> None:
    text = "```python\n" + unit * (2**17 // len(unit)) + "\n```\n"
    text *= 2**20 // len(text)
    assert "".join(text[slice(*part.span)] for part in comment_sections(text, 0.5)) == text
