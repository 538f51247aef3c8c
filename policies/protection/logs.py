"""Log files: syslog, access and error logs of web servers, and what logging libraries of many languages write.

A line counts by how it begins. A time alone doesn't make a log, for transcripts and chats have one too. Indented
lines after a record belong to it; JSON records are found as JSON, stack traces as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.protection.spans import Span

_DAY = r"\d{4}[-/]\d\d[-/]\d\d"
_CLOCK = r"\d\d:\d\d:\d\d"
_ZONE = r"(?:Z|\ ?[+-]\d\d:?\d\d|\ [A-Z]{3,4})?"
_LEVEL = r"""(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE|EMERG|ALERT|PANIC|LOG
  |STATEMENT|VERBOSE|trace|debug|info|notice|warn|warning|error|err|crit|critical|alert|emerg|fatal|panic)\b"""
_RECORD = re.compile(
    rf"""
    ^(?:[\w.-]{{1,40}}\s{{1,20}}\|\ )?+(?:                                     # service, as docker compose puts it
      {_DAY}T{_CLOCK}\S*+\s                                                    # 2026-11-23T04:00:00Z …
    | {_DAY}\ {_CLOCK}(?:[.,]\d{{1,9}})?+{_ZONE}\s++(?:-\ )?(?:[\w.-]++\ +-?\ *)?\W?{_LEVEL}  # … - name - INFO
    | {_DAY}\ {_CLOCK}(?:[.,]\d{{3,9}}{_ZONE}\s*+[\[|-]|{_ZONE}\ \[)           # … [main]
    | \d{{4}}/\d\d/\d\d\ {_CLOCK}(?:\.\d++)?\s                                 # 2026/11/23 04:00:00, as Go's
    | {_CLOCK}[.,]\d{{3,6}}\s++(?:\[|\W?{_LEVEL})                              # 04:00:00.123 [main]
    | \[{_DAY}[T\ ,]\ ?{_CLOCK}[^\]\n]{{0,40}}\]\ (?:\[|\w*+\.?{_LEVEL})       # [2026-11-23 04:00:00 +0000] [7]
    | \[(?:[A-Z][a-z]{{2}}\ )?[A-Z][a-z]{{2}}\ [\d\ ]\d\ {_CLOCK}[^\]\n]{{0,20}}\]\ \[         # Apache's errors
    | (?:<\d{{1,3}}>)?(?:[A-Z][a-z]{{2}}\ )?[A-Z][a-z]{{2}}\ [\d\ ]\d\ {_CLOCK}                 # syslog
        \ [\w.:-]++\ [\w./()@-]++(?:\[\d++\])?:
    | <\d{{1,3}}>1\ {_DAY}T
    | \S{{1,60}}\ \S{{1,40}}\ \S{{1,40}}\ \[\d\d/[A-Z][a-z]{{2}}/\d{{4}}:{_CLOCK}              # access logs
    | [IWEF]\d{{4}}\ {_CLOCK}\.\d++\ ++\d++\ [\w./-]++:\d++\]                       # klog
    | \[\s*+\d++\.\d{{6}}\]\                                                   # dmesg
    | (?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)(?::[\w.-]++:|:\ {{2,}}|\ {{2,}}\[|\s+[\w.]+\.\w+:\d+\ )
    | \[(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\]\s | npm\ (?:ERR!|WARN|error|warn|notice)\s
    | (?:[\w.]++=(?:"(?:[^"\\\n]|\\.)*+"|[^\s"]*+)\ ){{2,}}+[\w.]++=(?=\S)                  # logfmt
    )[^\n]*+(?:\n[ \t]++\S[^\n]*+){{0,30}}+
    """,
    re.VERBOSE | re.MULTILINE,
)


def logs(text: str) -> Iterator[Span]:
    """Records of logs, each with its line's end."""
    return (match.span() for match in _RECORD.finditer(text))
