"""Where the comments of a program stand, by what comments and strings look like in its language.

One regular expression a language passes over its strings. Whatever it begins it must end, or there is doubt, and
then no comments: so any text is read once, and no string is taken for a comment. Knows nothing of what comments
say. (Pygments would tell the same, but its lexers take quadratic time where a text is made for that.)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from policies.protection import Span

_SLASHES = r"//[^\n]*+"
_CONTINUED = r"//(?:[^\\\n]++|\\.)*+"  # with a backslash at a line's end it goes on
_BLOCK = r"/\*(?:[^*]++|\*(?!/))*+\*/"
_NESTABLE = r"/\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/"  # one with another in it is in doubt
_HASH = r"\#[^\n]*+"
_WORD_HASH = r"(?<![^\s;&|()])\#[^\n]*+"  # at the beginning of a word

_DOUBLE, _SINGLE = r'"(?:[^"\\\n]++|\\.)*+"', r"'(?:[^'\\\n]++|\\.)*+'"
_TRIPLE_DOUBLE, _TRIPLE_SINGLE = r'"{3}(?:[^"\\]++|\\.|"(?!""))*+"{3}', r"'{3}(?:[^'\\]++|\\.|'(?!''))*+'{3}"
_RAW_TRIPLE = r'"{3}(?:[^"]++|"(?!""))*+"{3}'
_BACKTICKS, _RAW_BACKTICKS = r"`(?:[^`\\]++|\\.)*+`", r"`[^`]*+`"
_CHARACTER = r"'(?:[^'\\\n]|\\[^\n'][^'\n]{0,10}|\\')'|'\w++(?!')"  # or a lifetime, or a symbol
_JS_PATTERN = r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,100}+\]){1,300}+/"
_JSX = r"</[\w>]|/>|<!--|(?<=:)//|(?<![\w.)\]])<[A-Za-z][\w.]*+[\s/>]"
_JS_REGEX = rf"(?:[=(,:;!&|?\[{{}}+]|\b(?:return|typeof|case))[ \t]*+{_JS_PATTERN}"


class Syntax(NamedTuple):
    """A language's comments, the strings that are passed over, and what else makes it hard to tell them."""

    comments: str
    strings: str
    doubts: str = r"(?!)"

    def compiled(self) -> re.Pattern[str]:
        """Finds comments and strings, openers without an end, and brackets."""
        return re.compile(
            rf"(?P<comment>{self.comments})|(?P<doubt>{self.doubts})|(?P<string>{self.strings})"
            r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<unclosed>[\"'`]|/\*)",
            re.DOTALL | re.MULTILINE,
        )


_C = Syntax(f"{_CONTINUED}|{_BLOCK}", f"{_DOUBLE}|{_SINGLE}", r"\bu?8?[LU]?R\"")
_JAVASCRIPT = Syntax(
    f"{_SLASHES}|{_BLOCK}",
    f"{_DOUBLE}|{_SINGLE}|{_BACKTICKS}|{_JS_REGEX}",
    _JSX,
)
_SYNTAXES = {
    "python": Syntax(_HASH, f"{_TRIPLE_DOUBLE}|{_TRIPLE_SINGLE}|{_DOUBLE}|{_SINGLE}"),
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "go": Syntax(f"{_SLASHES}|{_BLOCK}", f"{_DOUBLE}|{_SINGLE}|{_RAW_BACKTICKS}"),
    "c": _C,
    "cpp": _C,
    "java": Syntax(f"{_SLASHES}|{_BLOCK}", f"{_TRIPLE_DOUBLE}|{_DOUBLE}|{_SINGLE}"),
    "dart": Syntax(
        f"{_SLASHES}|{_NESTABLE}", f"{_TRIPLE_DOUBLE}|{_TRIPLE_SINGLE}|{_DOUBLE}|{_SINGLE}", r"\br[\"']"
    ),
    "csharp": Syntax(f"{_SLASHES}|{_BLOCK}", rf'(?:@\$?|\$@)"[^"]*+"|{_RAW_TRIPLE}|{_DOUBLE}|{_SINGLE}'),
    "rust": Syntax(f"{_SLASHES}|{_NESTABLE}", f"{_DOUBLE}|{_CHARACTER}", r"\b[bc]?r\#*+\""),
    "kotlin": Syntax(f"{_SLASHES}|{_NESTABLE}", f"{_RAW_TRIPLE}|{_DOUBLE}|{_SINGLE}"),
    "scala": Syntax(f"{_SLASHES}|{_NESTABLE}", f"{_RAW_TRIPLE}|{_DOUBLE}|{_CHARACTER}"),
    "swift": Syntax(f"{_SLASHES}|{_NESTABLE}", f"{_TRIPLE_DOUBLE}|{_DOUBLE}", r"(?<!\#)\#++[\"/]"),
    "php": Syntax(rf"(?://|\#(?!\[))(?:(?!\?>)[^\n])*+|{_BLOCK}", f"{_DOUBLE}|{_SINGLE}", r"\?>|<<<"),
    "css": Syntax(_BLOCK, f"{_DOUBLE}|{_SINGLE}"),
    "sql": Syntax(rf"--[^\n]*+|{_BLOCK}", r"'[^'\\\n]*+'|\"[^\"\\\n]*+\"|`[^`\n]*+`", r"\$\w*+\$|^[ \t]*+\#"),
    "lua": Syntax(
        r"--\[\[(?:[^\]]++|\](?!\]))*+\]\]|--(?!\[=*+\[)[^\n]*+", f"{_DOUBLE}|{_SINGLE}", r"\[=*+\["
    ),
    "bash": Syntax(_WORD_HASH, rf"\\.|\"(?:[^\"\\]++|\\.)*+\"|(?<!\$)'[^']*+'|{_BACKTICKS}", r"<<|\$'"),
    "yaml": Syntax(
        _WORD_HASH,
        rf"(?<=[\s\[{{,:])(?:{_DOUBLE}|'(?:[^'\n]++|'')*+')|(?<=\S)[\"'`]",
        r"[|>][-+\d]*+[ \t]*+(?:\#[^\n]*+)?$",
    ),
    "toml": Syntax(_HASH, rf"{_TRIPLE_DOUBLE}|'{{3}}(?:[^']++|'(?!''))*+'{{3}}|{_DOUBLE}|'[^'\n]*+'"),
    "r": Syntax(_HASH, f"{_DOUBLE}|{_SINGLE}|{_RAW_BACKTICKS}", r"\b[rR][\"']"),
}  # fmt: skip
_NAMES = {
    "py": "python", "python3": "python", "js": "javascript", "mjs": "javascript", "node": "javascript",
    "ts": "typescript", "golang": "go", "h": "c", "c++": "cpp", "cc": "cpp", "hpp": "cpp", "cxx": "cpp",
    "cs": "csharp", "c#": "csharp", "rs": "rust", "kt": "kotlin", "sh": "bash", "shell": "bash", "zsh": "bash",
    "yml": "yaml", "postgresql": "sql", "postgres": "sql", "mysql": "sql", "sqlite": "sql", "plpgsql": "sql",
}  # fmt: skip
_COMPILED = {name: syntax.compiled() for name, syntax in _SYNTAXES.items()}
_ODD_BREAKS = re.compile(r"\r(?!\n)|[\x85\u2028\u2029]")  # end a line in some languages only
_INDENTATION = re.compile(r"[ \t]*+[rRuU]?")  # and what may stand before a docstring's quotes
_REST = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\n|\Z)")


def language(name: str) -> str | None:
    """The language that goes by `name` in the first line of a fence; None for one whose comments aren't known."""
    name = _NAMES.get(name.lower(), name.lower())
    return name if name in _SYNTAXES else None


def comments(source: str, name: str) -> list[Span]:
    """The comments and docstrings of `source`, a program in the language `name`, with their marks.

    Ascending and disjoint; none at all where it is in doubt what is a string. Linear in the length of `source`.
    """
    if _ODD_BREAKS.search(source):
        return []
    found: list[Span] = []
    depth = last = 0
    for match in _COMPILED[name].finditer(source):
        kind = match.lastgroup
        if kind in ("doubt", "unclosed"):
            return []
        if kind == "comment" or (name == "python" and not depth and _is_docstring(source, last, match)):
            found.append(match.span())
        depth += (kind == "open") - (kind == "close")
        last = match.end()
    return found


def _is_docstring(source: str, last: int, string: re.Match[str]) -> bool:
    """Whether what follows `last` outside brackets is a statement of nothing but a string in three quotes."""
    if not string[0].startswith(('"""', "'''")):
        return False
    before, line, indentation = source[last : string.start()].rpartition("\n")
    begins = not before.endswith("\\") if line else last == 0
    alone = _INDENTATION.fullmatch(indentation) and _REST.match(source, string.end())
    return begins and alone is not None
