"""Languages with braces: C, C++, C#, Java, JavaScript, TypeScript, Go, Rust, Swift, Kotlin, Dart, Scala, PHP."""

from __future__ import annotations

_MODIFIER = r"""(?:public|private|protected|internal|fileprivate|static|final|abstract|sealed|open|override|inline|
  readonly|const|constexpr|virtual|async|unsafe|extern|export|default|declare|data|case|inner|partial|implicit|
  lazy|pub(?:\([\w:\ ]+\))?|mut|late|required|external|native|transient|volatile|synchronized|suspend|weak|lateinit|
  @\w+(?:\([^()]*\))?)"""
_TYPE = r"(?:class|interface|struct|enum|trait|object|record|protocol|extension|namespace|union|mixin|actor|impl|type)"

LINES = {
    "types": rf"""
      (?:{_MODIFIER}\s+)*+{_TYPE}\s+(?:class\s+)?[A-Za-z_$][\w$.:']*+(?:<[^<>]*+(?:<[^<>]*+>[^<>]*+)*+>)?
        (?:\s*+(?:[{{(:;=].*)?$|\s+(?:extends|implements|with|where|final|permits|for|on|of|@\w+)\s.*[\w>{{)]$)
      | (?:\w+\s+)?typedef\s+\w.*;
    """,
    "functions": r"""
      (?:async\s+)?function\s*\*?\s*[\w$]*\s*\( | (?:pub\s+)?(?:async\s+|unsafe\s+|const\s+)*fn\s+\w+\s*[(<]
      | func\s+(?:\([^)]*\)\s*)?\w+\s*[(<\[] | (?:[\w@]+\s+){0,4}fun\s+(?:<[^>]*>\s*)?[\w.`\ ]+\(
      | (?:\w+\s+)*+operator\s*\S{1,3}\s*\( | (?:\w+\s+)?constructor\s*\( | (?:convenience\s+)?init[?!]?\s*\(
    """,
    "declarations": rf"""
      (?:{_MODIFIER}\s+)*+(?:let|const|var|val|auto|final|late|static|void|int|float|double|char|bool|boolean|string|
        long|short|byte|unsigned|size_t|constexpr|using|use|template|local)\b(?!.*[.?!]\s*$).*[=(){{}};<]
      | (?:{_MODIFIER}\s+)++(?!.*[.?!]\s*$).*[={{}}();<]
      | [A-Z]\w*(?:<[^=;]*>)?(?:\[\])?\??\s+\w+\s*(?:=\s|;$|\([^()]*\)\s*(?:async\s*)?\{{)
      | \w+(?:<[^=;]*>)?(?:::\w+)*\s*[*&]{{1,2}}\s*\w+\s*(?:=|;|\()
      | [\w*&<>,\s]{{1,80}}\w\([\w*&\s,<>:]*\)\s*;?$
    """,
    "modules": r"""
      package\s+[\w.]+;?$ | namespace\s+[\w.\\:]+\s*[;{]?$
      | import\s+(?:static\s+)?[\w.]+(?:\.[*_]|\.\{.*\})?;?$
      | (?:import|export)\s.*(?:\sfrom\s+['"]|['"];?$|[{}();]) | import\s*\($ | (?:import|export)\s+['"*{]
      | using\s+(?:namespace\s+)?[\w.:]+(?:\s*=\s*[\w.<>]+)?; | use\s+[\w:\\]+.*; | (?:pub\s+)?mod\s+\w+\s*[;{]
      | \#\s*(?:include|define|undef|if|ifdef|ifndef|elif|else|endif|pragma|error|line|region|endregion|nullable)\b
      | \#!?\[.*\]$ | <\?(?:php|=) | \?>$ | (?:module\.)?exports[.\s] | declare\(
    """,
    "statements": r"""
      (?:\}\s*)?(?:if|for|while|switch|catch|foreach|else\s+if|do|guard|when|match|lock|using|synchronized)
        \s*\(.*[{;),]\s*$
      | (?:\}\s*)?(?:else|do|try|finally|loop|unsafe|defer|init|get|set|catch|static)\s*\{?\s*$
      | (?:public|private|protected|signals|slots|default|else)\s*:\s*$ | case\s[^.?!]*:\s*(?:\S.*[;{])?$
      | (?:return|throw|yield|await|delete|new|echo|print|raise|assert|del)\b.*[\[\](){}=_;"'&|*]
      | return\s+[-!\w.:$]+;?\s*$ | return;$ | guard\s.*\belse\b | (?:go|defer)\s+[\w.]+\(
      | [\w$>-]++(?:\.[\w$]++)*+(?:\+\+|--);?$ | [$@%&*]?[\w.$:>-]+(?:\s[$@%&*]?[\w.$:>-]+)?;$
    """,
    "marks": r"""
      @[\w.]+(?:\(.*)?$ | @\w+\s+(?:def|class|var|let|val|fun|func|private|public)\b | /\*\*?(?:\s|$) | \*/
      | //(?:[/!\s]|$)
      | ["']use\s(?:strict|client|server)["'];?$ | _*[A-Z]+_[A-Z_\d]+;?$
      | \}[\w\s,;:.()]{0,20}$ | \}\s*(?://|/\*|\#|--).*$ | \.\w+\( | <!-- | -->$
    """,
}
