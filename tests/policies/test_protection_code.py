"""Code, traces, logs and data are found line by line between two paragraphs of prose, whatever language they are in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.protection import KINDS, ProtectKind, Span, protect
from policies.protection.spans import covers

_SNIPPETS = Path(__file__).parent / "snippets"
_BEFORE = "I have been looking at this for a while and can't tell what is wrong:\n\n"
_AFTER = "\n\nCould you explain it to me, and say what you would do instead? Thank you very much."
_KINDS: dict[str, ProtectKind] = {"logs": "logs", "data": "data"}
"""The kind that a file's snippets belong to, where that isn't `code`."""
_LANGUAGES = (  # noqa: SIM905
    "Python JavaScript TypeScript Java C C++ C# Go Rust Ruby PHP Swift Kotlin Scala R Shell SQL Perl Lua Haskell Dart "
    "Elixir MATLAB PowerShell HTML CSS"
).split()
_ELSEWHERE: dict[str, ProtectKind] = {  # found by other kinds than the rest of their file
    "logs: JSON lines": "json",
    "logs: Kubernetes: pods": "tables",
    "logs: Kubernetes: events": "tables",
    "data: CSV": "tables",
    "data: Markdown table": "tables",
    "data: console table": "tables",
    "data: reStructuredText table": "tables",
    "data: XML: a feed": "tags",
    "data: XML: Maven": "tags",
    "data: HTTP message": "code",
    "data: Dockerfile": "code",
    "data: Makefile": "code",
    "data: Terraform": "code",
}
_PROSE = {"Type help() for interactive help, or help(object) for help about object."}
"""Lines that are prose: the answer to the last prompt, with nothing after it that tells."""


def _snippets(*files: str) -> Iterator[tuple[str, str]]:
    for path in sorted(_SNIPPETS.glob("*.txt")):
        if not files or path.stem in files:
            for part in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
                title, _, body = part.partition("\n")
                yield f"{path.stem}: {title}", body.rstrip("\n")


def _lines(text: str, start: int) -> Iterator[Span]:
    for line in re.finditer(r"\S[^\n]*", text[start:]):
        if line[0].rstrip() not in _PROSE:
            yield start + line.start(), start + line.start() + len(line[0].rstrip())


def _lost(text: str, start: int, blocks: tuple[Span, ...]) -> list[str]:
    return [text[slice(*line)] for line in _lines(text, start) if not covers(blocks, [line])]


@pytest.mark.parametrize(("name", "body"), [pytest.param(*case, id=case[0]) for case in _snippets()])
def test_every_line_between_paragraphs_is_protected(name: str, body: str) -> None:
    text = _BEFORE + body + _AFTER
    blocks = protect(text, KINDS).blocks
    assert _lost(text[: -len(_AFTER)], len(_BEFORE), blocks) == []
    assert all(len(_BEFORE) <= start and end <= len(text) - len(_AFTER) for start, end in blocks)


@pytest.mark.parametrize(("name", "body"), [pytest.param(*case, id=case[0]) for case in _snippets()])
def test_every_line_of_a_text_that_is_nothing_else_is_protected(name: str, body: str) -> None:
    assert _lost(body, 0, protect(body, KINDS).blocks) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [pytest.param(*case, id=case[0]) for case in _snippets("c_family", "scripting", "traces")],
)
def test_code_alone_is_found_as_code(name: str, body: str) -> None:
    assert _lost(body, 0, protect(body, ["code"]).blocks) == []


@pytest.mark.parametrize(
    ("name", "body"), [pytest.param(*case, id=case[0]) for case in _snippets("logs", "data")]
)
def test_logs_and_data_are_kinds_of_their_own(name: str, body: str) -> None:
    kind: ProtectKind = _ELSEWHERE.get(name, _KINDS[name.partition(":")[0]])
    inner: ProtectKind = "code" if kind == "logs" else "json"  # what stands in them
    assert _lost(body, 0, protect(body, {kind, inner}).blocks) == []


def test_each_language_has_two_snippets() -> None:
    titles = [name.partition(": ")[2] for name, _ in _snippets()]
    assert {
        language for language in _LANGUAGES if sum(t.startswith(f"{language}: ") for t in titles) < 2
    } == set()


@pytest.mark.parametrize(("name", "body"), [pytest.param(*case, id=case[0]) for case in _snippets()])
def test_a_fence_protects_whatever_is_in_it(name: str, body: str) -> None:
    fenced = f"~~~\n{body}\n~~~"
    assert protect(f"Look:\n{fenced}\nand tell me.", ["code"]).blocks[0] == (6, 6 + len(fenced))
