"""Tags and template markers; the prose between them is not theirs.

Every pattern stops at the character that could begin the next match, so a storm of openers stays linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_LINE = re.compile(r"[^\n]+")
_TAG = re.compile(r"<[^<>]*>")
_LONGEST_TEXT = 60  # characters of a line outside its tags; longer text is prose
_MARKUP = re.compile(
    r"""
    </?[A-Za-z][\w:.-]*+                                            # XML, HTML: name …
      (?:\s++[\w:@.-]++(?:\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'|\{[^<{}]*+\}|[^\s"'<>=]++))?+)*+  # … attributes …
      \s*+/?>
  | <!--(?:[^<]|<(?!!--)){0,4000}?-->
  | <(?:!DOCTYPE|!doctype|\?)[^<>]{1,400}>
  | <!\[CDATA\[ | \]\]>
  | <\|[^|<>\n]{1,100}\|> | <</?SYS>> | \[/?INST\]                  # chat templates
  | <%[^<>%]{1,400}%>                                               # ERB, EJS
  | \{\{\{?[^{}]{0,400}\}\}\}? | \{%[^{}%]{0,400}%\} | \{\#[^{}\#]{0,400}\#\}  # Jinja, Handlebars
  | \$\{[A-Za-z_][\w.]{0,80}\}
    """,
    re.VERBOSE,
)


def elements(text: str) -> Iterator[Span]:
    """Runs of two lines or more that begin and end with a tag and have little text between."""
    start = end = 0
    for line in _LINE.finditer(text):
        content = line[0].strip()
        if not (content.startswith("<") and content.endswith(">") and _is_markup(content)):
            continue
        if line.start() > end + 1:
            if text.find("\n", start, end) >= 0:
                yield start, end
            start = line.start()
        end = line.end()
    if text.find("\n", start, end) >= 0:
        yield start, end


def _is_markup(line: str) -> bool:
    bare = _TAG.sub("", line)
    return len(bare) < len(line) and len(bare) <= _LONGEST_TEXT


def tags(text: str) -> Iterator[Span]:
    """XML and HTML tags, comments and declarations; `{{…}}`, `{%…%}`, `<|…|>` and their likes."""
    return (match.span() for match in _MARKUP.finditer(text))
