"""Comments are told from strings as Pygments tells them, in linear time, and in doubt there are none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import Comment, String  # type: ignore[import-untyped]

from policies.comments.syntax import comments, language
from tests.fakes.programs import PROGRAMS

LANGUAGES = [
    *["python", "javascript", "typescript", "go", "c", "cpp", "java", "dart", "csharp", "rust", "kotlin", "scala"],
    *["swift", "php", "css", "sql", "lua", "bash", "yaml", "toml", "r"],
]  # fmt: skip


def _by_pygments(source: str, name: str) -> set[int]:
    """The characters of comments and docstrings; of strings on lines of their own in brackets too, which are none."""
    return {
        at + offset
        for at, kind, value in get_lexer_by_name(name).get_tokens_unprocessed(source)
        if (kind in Comment and kind not in Comment.Preproc and kind not in Comment.PreprocFile)
        or kind in String.Doc
        for offset in range(len(value))
        if not value[offset].isspace()
    }


def _found(source: str, name: str) -> set[int]:
    return {at for span in comments(source, name) for at in range(*span) if not source[at].isspace()}


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "python"])
def test_comments_are_those_that_pygments_finds(name: str) -> None:
    source = PROGRAMS[name]
    assert comments(source, name)
    known = _by_pygments(source, name)
    assert _found(source, name) == known


def test_docstrings_are_statements_of_their_own() -> None:
    source = PROGRAMS["python"]
    found, known = _found(source, "python"), _by_pygments(source, "python")
    assert found < known
    lost = "".join(source[at] for at in sorted(known - found))
    assert all(start in lost for start in ("'''noristhisone", '"""andnotthisone'))
    assert "rosses" not in lost
    assert "crossed" not in lost


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("python", 'x = """never closed\n# words'),
        ("python", "x = 'never closed\n# words"),
        ("javascript", "x = `never closed\n// words"),
        ("javascript", "const a = <p>don't // words</p>;"),
        ("javascript", "const a = <a href='x'>http://words.example</a>;"),
        ("c", "/* never closed\nint x;"),
        ("cpp", 'auto s = R"(// no)"; // words'),
        ("rust", "/* one /* in */ another */ fn f() {}"),
        ("rust", 'let s = r#"// no"#; // words'),
        ("sql", "SELECT 'it\\'s -- no'; -- words"),
        ("sql", "SELECT $$ -- no $$; -- words"),
        ("sql", "# it's MySQL\nSELECT 1; -- words"),
        ("bash", "cat <<E\n# no\nE\n# words"),
        ("yaml", "a: |\n  # no\nb: 1 # words"),
        ("php", "<?php // words ?> it's # no"),
        ("lua", "x = [[ -- no ]] -- words"),
        ("swift", 'let a = #"// no"# // words'),
        ("javascript", "// words\rcode()"),
        ("go", "// words\u2028code()"),
    ],
)
def test_in_doubt_there_are_no_comments(name: str, source: str) -> None:
    assert comments(source, name) == []


@pytest.mark.parametrize(
    ("fence", "name"),
    [("python", "python"), ("PY", "python"), ("ts", "typescript"), ("C++", "cpp"), ("c#", "csharp"), ("mysql", "sql")],
)  # fmt: skip
def test_languages_go_by_several_names(fence: str, name: str) -> None:
    assert language(fence) == name


@pytest.mark.parametrize("fence", ["", "text", "diff", "json", "mermaid", "jsx", "perl"])
def test_other_languages_are_not_read(fence: str) -> None:
    assert language(fence) is None


@given(
    st.sampled_from(LANGUAGES),
    st.lists(
        st.sampled_from([*"\"'`/*#\\\n ${}[]<>-|ra1=", "'''", '"""', "//", "/*", "*/", "--", "word"])
    ).map("".join),
)
def test_comments_of_any_text_ascend(name: str, source: str) -> None:
    spans = comments(source, name)
    assert all(start < end for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize(
    "unit",
    [
        *['"', "'", "`", '"""', "'''", '"""a"""\n', '"\\"', "\\", "/", "/*", "/*/*", "*", "//", "//\\\n", "#", "--"],
        *["--[[", "\n", " ", " \n", "a", "a ", "a.", "'a", "=/[", "=/a", "return /", "$", "$a", "<<A\n", "${", "["],
        *["(", "{", " |\n", "r#", 'R"(', "é", "# \n", "x = 1\n", "<", "</"],
    ],
)  # fmt: skip
def test_a_quarter_of_a_megabyte_of_anything_is_read(name: str, unit: str) -> None:
    comments(unit * (2**18 // len(unit)), name)
