"""Scripting languages: Python, Ruby, Perl, Lua, R, Elixir, MATLAB, Julia."""

from __future__ import annotations

# Words that stand between the operands of a condition; two others in a row are prose.
_BETWEEN = r"(?:in|not|and|or|is|as|if|else|for|lambda|async|await|of|then|do)\b"
_NO_PROSE = rf"(?!.*\b(?!{_BETWEEN})[A-Za-z]+\s(?!{_BETWEEN})[A-Za-z]+)"

LINES = {
    "Python": rf"""
      (?:async\s+)?def\s+\w+\s*[(\[] | class\s+\w++\s*+(?:\([^)]*+\)?)?+\s*+[:{{]?+\s*+(?:\#.*)?$
      | from\s+[\w.]+\s+import\s | import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+(?:\s+as\s+\w+)?)*\s*;?\s*$
      | (?:if|elif|for|while|with|except|case|match|async\s+for|async\s+with)\b{_NO_PROSE}.*:\s*(?:\S.*|\#.*)?$
      | (?:for\s+\w+(?:,\s*\w+)*\s+in\b|while|except|if\s+not|if)\s+[\w.]+:\s*$
      | (?:else|try|finally):\s*(?:\#.*)?$
      | (?:pass|break|continue|return|global\s+\w+|nonlocal\s+\w+|del\s+[\w.,\s]+)\s*;?\s*(?:\#.*)?$
      | %(?:matplotlib|load_ext|autoreload|timeit|run|cd|env|pip|conda)\b | !(?:pip|python|ls|cd|wget|git|apt)\s
    """,
    "Ruby": r"""
      require(?:_relative)?\s+['"] | (?:class|module)\s+[A-Z][\w:]*+(?:\s*<<?\s*[\w:]+)?$
      | def\s+(?:self\.)?[\w?!=<>+*\[\]-]+(?:\(.*|\s*$|\s+\w+(?:,\s*\w+)*$|\s*=.*) | attr_\w+\s+:
      | include\s+[A-Z][\w:]*$ | (?:.*\s)?do\s*\|[^|]*\|$ | (?:\S+\s+){1,2}do$ | .*[(:"'@;=].*\sdo$
      | puts\s.*[\"'\[(@.#] | \w+\s+:\w+(?:,\s|\s|$)
      | (?:rescue|ensure|elsif|unless|until|when)\b(?:\s+[A-Z]|\s*$|.*[=<>@?"'(\[]) | =(?:begin|end)$
      | end(?:[.)].*)?$ | [\w.]+(?:\(.*\))?\s\{\s.*[.(|:=].*\s\}$
    """,
    "Perl": r"""
      (?:my|our|local|state)\s*[$@%(] | (?:use|no)\s+[\w:.]+(?:\s.*)?; | sub\s+\w+\s*(?:\(.*\)\s*)?(?:\{.*)?$
      | =(?:head[1-4]|pod|cut|over|item|back|encoding|begin|end|for)\b | __(?:END|DATA)__$
      | [$@%]\w+(?:->|\{|\[|\s*[=.+-]) | (?:foreach|unless|until|while|if|elsif)\s*(?:my\s+)?[$@%(] | next\s
      | last\s+(?:if|unless)\b.*[$=(]
    """,
    "Lua": r"""
      local\s+(?:function\s+)?[\w,\s]+(?:<\w+>)?(?:=|\(|$) | function\s*[\w.:]*\( | --\[=*\[ | (?:--)?\]\]
      | (?:if|elseif|while|for)\b.*[=<>~#(.].*\s(?:then|do)$ | (?:if|while)\s+(?:not\s+)?[\w.]+\s+(?:then|do)$
      | (?:else|repeat|end|do)[;,)]*$ | until\s+(?:not\s+)?\S+$
    """,
    "R": r"""
      [\w.$\[\]"'`@]+\s*<<?-\s*\S | [^?!]*(?:%>%|%in%|%o%).* | \#'.*$ | (?:library|require|source|setwd|rm)\(
      | [\w.]+\(.*\)\s*\+$ | (?:for|if|while)\s*\(.*\)\s*\S | repeat\s*\{?$ | \w+\s*<-\s*function
    """,
    "Elixir": r"""
      def(?:module|p|macrop?|struct|protocol|impl|delegate|guardp?|exception)?\s+[\w.@:%{]++.*(?:\bdo$|,\s*do:|[\])},]$)
      | @\w+\s+\S+$ | @(?:moduledoc|doc|spec|type|impl|callback)\b | \|>\s*
      | (?:alias|import|use|require)\s+[A-Z][\w.]*.*
        (?:$(?<=[\w}\])]))(?<![a-z]\s[a-z]{4})
      | (?:cond|receive|quote|with)\s.*\bdo$ | [{:%][^.?!]*->$ | \w+\s*->\s*\S
    """,
    "MATLAB": r"""
      function\s+(?:\[[^\]]*\]\s*=|\w+\s*=|\w+\s*\()
      | (?:clear|close|clc|hold|figure|format|grid|axis)(?:\s+\w+)?
        (?:\s*[;,]\s*(?:clear|close|clc|hold|figure|format|grid|axis)?(?:\s+\w+)?)*$
      | (?:if|elseif|while|for|switch|parfor)\s+~?\w[\w.(),:]*\s*(?:==|~=|!=|<=?|>=?|&&|\|\||=)\s*\S+$
      | (?:if|elseif|while|switch)\s+[~!]?\w+\(.*\)$ | (?:end|endfunction|endif|endfor|otherwise)[;,]?$
      | %%?(?:\{|\})$ | %%\s\S | [A-Z]\w*\s*=\s*\[
    """,
    "calls": r"""
      [\w.$:@]++(?:\[[^\[\]]*+\](?:\.\w++)*+)*+\(.*\)[\w.\[\]"'()!]*\s*(?:[;,:{]|\#.*|//.*)?$
      | [\w.$:]++\([^()]*+$ | [\w.$:]++\(.*[,({\[]$
    """,
    "assignments": r"""
      [\w$.\[\]'"*&:@%-]+(?:\s*:\s*\w+(?:\[.*\])?)?(?:,\s*[\w$.*]+)*+\s*
        (?:[-+*/%|&^:?]|\*\*|//|<<|>>|\|\||\?\?|\.\.)?=(?![=\s]*$)\s*\S
      | [A-Z][A-Z0-9_]+=\S*$ | [$@]\w+(?:\s*[.\[{][^=]{0,60})?\s*=
    """,
}
