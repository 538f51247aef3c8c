"""How much a single line looks like program text.

Covers the shapes that Python, the C family, JavaScript, Go, Rust, SQL, shells, diffs, compilers and stack
traces share. Knows nothing of the lines around it, except whether they are a diff's.
"""

from __future__ import annotations

import re
from enum import Enum, auto


class Look(Enum):
    """What a line may be."""

    BLANK = auto()
    PROSE = auto()
    HINT = auto()  # code if its neighbours are
    CODE = auto()
    PACKED = auto()  # code without line breaks; needs no neighbour
    DIFF = auto()  # code that makes lines after it with + and - a diff's


_DIFF = re.compile(
    r"@@ -\d|diff --git |index [\da-f]{6,}\.\.|(?:\+\+\+|---) \S*[/.]|\*\*\* (?:Begin|Update) "
)
_LISTING = r"(?:\s*+\d{1,6}(?:[:|→]|\t))?+"  # the line number of an editor's view
_CODE = re.compile(
    _LISTING
    + r"""\s*+(?:
    (?:async\s+)?def\s+\w+\s*\( | class\s+\w+\s*(?:\([^)]*\))?\s*[:{] | class\s+\w+\s+(?:extends|implements)\s
  | from\s+[\w.]+\s+import\s | import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+)*\s*;?\s*$
  | (?:import|export)\s.*(?:\sfrom\s+['"]|['"];|[{}();])
  | (?:if|elif|for|while|with|except|case)\b[^.?!]*[\[\]()=<>_"'].*:\s*(?:\#.*)?$
  | (?:for\s+\w+(?:,\s*\w+)*\s+in|while|except|if\s+not|if)\s+[\w.]+:\s*$ | (?:else|try|finally):\s*(?:\#.*)?$
  | (?:\}\s*)?(?:if|for|while|switch|catch|foreach|else\ if)\s*\(.*[{;)]\s*$ | \}.{0,20}$ | [\w\s.]{0,40}\{\s*$
  | (?:public|private|protected|static|final|const|let|var|function|fn|func|void|int|float|double|char|bool|
      string|auto|unsigned|struct|enum|interface|typedef|extern|export|impl|pub|namespace|using|use|package|
      template|type|local|declare|module)\b(?!.*[.?!]\s*$).*[={}();<]
  | (?:return|raise|throw|yield|await|assert|del|print|echo|new|delete)\b.*[\[\](){}=_;"'] | return\s+[\w.]+;?\s*$
  | (?:pass|break|continue|return|end|endif|fi|done|esac|begin)\s*;?\s*$
  | [\w$.\[\]'"*&:@-]+(?:\s*:\s*\w+(?:\[.*\])?)?(?:,\s*\w+)*\s*(?:[-+*/%|&^:]|\*\*|//|<<|>>)?=(?![=\s]*$)\s*\S
  | [\w.$:]++(?:\[[^\[\]]*+\](?:\.\w++)*+)*+\(.*\)\s*[;,:{]?$ | [\w.$:]++\([^()]*+$ | \.\w+\(
  | \#!/ | <\?php | \#(?:include|define|ifdef|ifndef|endif|pragma)\b | @[\w.]+(?:\(.*)?$ | /\*\* | \*/
  | (?:>>>\s|\$\s+(?:[a-z.~/]|[A-Z_]+=)|[\w.-]+@[\w.-]+[:~]\S*[$\#](?:\s|$)|bash[-\d.]*\$|In\ \[\d+\]:|PS\ [A-Z]:)
  | Traceback\ \(most | File\ ".*",\ line\ \d | at\ [\w.$<>/]+\s?\(.*\)\s*$ | Caused\ by: | goroutine\ \d
  | (?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Warning)(?::|\s*$) | (?=[-~]*+\^)[-~^]++$
  | [\w./-]+\.\w{1,5}[:(]\d+(?:[:)]|$)
  | SELECT\s.*|(?:INSERT\ INTO|DELETE\ FROM|CREATE\ TABLE|CREATE\ INDEX|ALTER\ TABLE|DROP\ TABLE|GROUP\ BY|ORDER\ BY
      |(?:LEFT\ |RIGHT\ |INNER\ |OUTER\ )*JOIN|FROM|WHERE|VALUES|UPDATE\ \w+\ SET)\s+[\w(`"]
  | (?:pip3?|npm|yarn|conda|brew|apt|apt-get|cargo|go|git|docker|kubectl)\s+(?:install|add|run|build|clone|commit|push
      |pull|checkout|status|diff|log|exec|apply|get|test|init|start|mod)\b(?!.*[.?!]$)
  | (?:curl|wget|sudo|python3?|node|bash|sh|cd|ls|cat|mkdir|rm|cp|mv|chmod|grep)\s+(?:-\w|\S*[./]\w)\S*(?:\s\S+){0,8}$
  )""",
    re.VERBOSE,
)
_STATEMENT = re.compile(r"[^=(){}\[\]<>]*+[=(){}\[\]<>].*[)\]\"'\w}];|.*(?:=>|->|[)\w])\s?\{|.*=>\s?\(")
_SYMBOL = re.compile(r"[{}();=<>|&!+]")
_BULLET = re.compile(r"\s*(?:[-*+•‣◦–]|\(?\w{1,3}[.)])\s")
_HINT = re.compile(
    _LISTING + r"(?:\s*(?:[)\]},;(\[{]+$|//|/\*|\*\s|\#\s?\w|--\s|[\"']{3})|  +\S|\t+\S)|\s*\d{1,6}[:|→]"
)


def look_at(line: str, *, in_diff: bool) -> Look:
    """What `line`, without its line break, looks like; `in_diff` if a diff's header precedes it."""
    line = line.rstrip()
    if not line:
        return Look.BLANK
    if _DIFF.match(line):
        return Look.DIFF
    if in_diff and line[0] in "+- ":
        return Look.CODE if line[0] != " " else Look.HINT
    return _look_at_statement(line)


def _look_at_statement(line: str) -> Look:
    if len(line) >= 200 and 10 * len(_SYMBOL.findall(line)) > len(line):
        return Look.PACKED
    if _BULLET.match(line):
        return Look.PROSE
    if _CODE.match(line) or (line[-1] in ";{(" and _STATEMENT.fullmatch(line)):
        return Look.CODE
    return Look.HINT if _HINT.match(line) else Look.PROSE
