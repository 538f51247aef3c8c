"""What programs say about programs: stack traces, compilers' messages, test runs, diffs."""

from __future__ import annotations

DIFF = r"""(?:
    @@\ -\d | diff\ --git\s | diff\ -[a-zA-Z] | index\ [\da-f]{6,}\.\. | (?:\+\+\+|---)\ \S*[/.]
  | \*\*\*\ (?:Begin|Update|Add|Delete)\s
  | (?:new|deleted)\ file\ mode\ \d | old\ mode\ \d | new\ mode\ \d | similarity\ index\ \d | rename\ (?:from|to)\ \S
  | Binary\ files\ .*\ differ$
)"""
EDIT = r"\d+(?:,\d+)?[acd]\d+(?:,\d+)?$"

PANIC = r"thread\ '[^']*'\ panicked\ at"

LINES = {
    "Python": r"""
      Traceback\ \(most | File\ ".*",\ line\ \d | During\ handling\ of\ the\ above | The\ above\ exception\ was
      | (?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Warning|Interrupt)(?::|\s*$) | (?=[-~]*+\^)[-~^]++$
      | \[Previous\ line\ repeated | (?:[a-z_]\w*\.)+[A-Z]\w+:\s
    """,
    "JVM and .NET": r"""
      at\ [\w.$<>/`@]+\s?[\[(].*\)?\s*$ | (?:Caused\ by|Suppressed|Wrapped\ by): | Exception\ in\ thread\ "
      | \.\.\.\ \d+\ (?:more|common) | (?:[\w]+\.)+\w*(?:Exception|Error)(?::|\s*$)
      | Unhandled\ [Ee]xception[.:] | -{3}>\ [\w.]+: | ---\ End\ of\ .*---$ | at\ .*\sin\ .*:line\ \d+$
    """,
    "JavaScript": r"""
      at\ (?:async\ )?[\w.$<>]+\s?(?:\[as\ .*\]\s?)?\(.*\)(?:\s\{)?$ | at\ (?:async\ )?\S+:\d+(?::\d+)?$
      | Node\.js\ v\d | Error:\s\S | (?:Uncaught|Unhandled)\
    """,
    "Go": r"""
      goroutine\ \d+\ \[ | panic:\s | \[signal\ \w+ | created\ by\ [\w./(*)]+ | exit\ status\ \d+$
      | fatal\ error:\s | [\w./-]+(?:\.\(\*?\w+\))?(?:\.\w+)+\(.*\)$ | /\S+\.go:\d+
    """,
    "Rust": r"""
      stack\ backtrace:$ | \d+:\s+(?:0x[\da-f]+\s-\s)?[\w<]+::[\w:<>{}$\s]+ | at\ \S+:\d+(?::\d+)?$
      | note:\s.*(?:RUST_BACKTRACE|in\ this) | (?:error|warning)(?:\[\w+\])?:\s | -->\ \S+:\d+
      | \d*\s*\|(?:\s|$) | =\ (?:note|help|warning):\s
    """,
    "compilers": r"""
      [\w./\\+-]+\.\w{1,5}[:(]\d+(?:[:,)]|$) | [\w./+-]+\.\w+:\ In\ (?:function|member|constructor)
      | (?:make|ninja|gmake)(?:\[\d+\])?:\s | \d+\ (?:errors?|warnings?)\ generated
    """,
    "test runs": r"""
      ={5,}\s.*\s={5,}$ | _{5,}\s.*\s_{5,}$ | E\s{2,}\S | (?:FAILED|PASSED|ERROR|SKIPPED|XFAIL)\s\S*[:/.]
      | (?:---\ )?(?:FAIL|PASS|ok):?\s+\S+ | collected\ \d+\ items | platform\ \w+\ --\ Python
      | \S+\.py\s[.FEsx]+\s*(?:\[\s*\d+%\])?$ | >\s{3,}\S
    """,
}
