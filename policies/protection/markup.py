"""Tags and template markers; the prose between them is not theirs.

Every pattern stops at the character that could begin the next match, so a storm of openers stays linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

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


def tags(text: str) -> Iterator[Span]:
    """XML and HTML tags, comments and declarations; `{{…}}`, `{%…%}`, `<|…|>` and their likes."""
    return (match.span() for match in _MARKUP.finditer(text))
