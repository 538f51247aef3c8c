"""How providers' prompt caches work, as one table of rules.

Sources, read in November 2026:

- OpenAI, https://developers.openai.com/api/docs/guides/prompt-caching: automatic from 1,024 tokens on, in steps of
  128, forgotten after 5 to 10 minutes without use (the shorter is taken); since GPT-5.6 one breakpoint at the newest
  message, up to four in all, written at 1.25 times the input's price, read without a limit of blocks, kept for 30
  minutes.
- Anthropic, https://platform.claude.com/docs/en/build-with-claude/prompt-caching: up to four `cache_control`
  breakpoints, each looking for an entry at the end of its own and the 19 blocks before; 5 minutes or an hour, renewed
  by each read. Shortest prefix: 1,024 tokens; 2,048 for Haiku 3 and 3.5 and Opus 4.7; 4,096 for Haiku 4.5, Opus 4.5
  and 4.6. What litellm's list says (`prompt_cache_min_tokens`: 512 for the newest) comes first.
- Google, https://ai.google.dev/gemini-api/docs/caching: implicit from 2,048 tokens on (Gemini 2.5; later ones 4,096),
  kept for some minutes. Step and life aren't published; 128 tokens and 5 minutes are assumed.
- DeepSeek, https://api-docs.deepseek.com/guides/kv_cache and /news/news0802: on disk, in units of 64 tokens, kept for
  hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

CachingKind = Literal["automatic", "breakpoints", "none"]
Place = Literal["tools", "system", "last"]
LONG_LIFETIME_S = 3600.0


@dataclass(frozen=True, slots=True)
class Caching:
    """The rules of one prompt cache."""

    kind: CachingKind
    """`automatic` caches whatever begins alike, `breakpoints` up to marked places."""
    minimum_tokens: int = 1024
    """Shortest prefix that is cached."""
    step_tokens: int = 128
    """Automatic caches match prefixes of `minimum_tokens` and so many more, or twice as many …"""
    lifetime_s: float = 300.0
    """How long an entry lives after it was last used; a mark may ask for an hour."""
    look_back_blocks: int | None = 20
    """How many blocks, its own included, a breakpoint searches for an entry."""
    most_marks: int = 4
    """Breakpoints of a request; of more, the last count."""
    unmarked: tuple[Place, ...] = ("tools", "system", "last")
    """Where a request without marks gets them, because clients put them there: after the tools, after the leading
    system messages, after the last message."""


NO_CACHING = Caching("none")
_OPENAI = Caching("automatic")
_OPENAI_WRITES = Caching(
    "breakpoints", lifetime_s=1800.0, look_back_blocks=None, most_marks=4, unmarked=("last",)
)
_ANTHROPIC = Caching("breakpoints")
_GEMINI = Caching("automatic", minimum_tokens=2048)
_DEEPSEEK = Caching("automatic", minimum_tokens=64, step_tokens=64, lifetime_s=4 * 3600.0)
_BY_KIND = {"automatic": _OPENAI, "breakpoints": _ANTHROPIC, "none": NO_CACHING}

# The first glob that fits `provider/model` decides.
_RULES: tuple[tuple[str, Caching], ...] = (
    ("*claude-haiku-4*", replace(_ANTHROPIC, minimum_tokens=4096)),
    ("*claude-opus-4-[56]*", replace(_ANTHROPIC, minimum_tokens=4096)),
    ("*claude-opus-4-7*", replace(_ANTHROPIC, minimum_tokens=2048)),
    ("*claude-3*haiku*", replace(_ANTHROPIC, minimum_tokens=2048)),
    ("*claude*", _ANTHROPIC),
    ("anthropic/*", _ANTHROPIC),
    ("*gemini-[34]*", replace(_GEMINI, minimum_tokens=4096)),
    ("*gemini*", _GEMINI),
    ("deepseek/*", _DEEPSEEK),
)


def caching_of(
    provider: str, model: str, *, minimum_tokens: int | None = None, bills_writes: bool = False
) -> Caching:
    """The rules for a model; those of OpenAI where no other's are known.

    `minimum_tokens` stands in place of the table's. `bills_writes` says whether OpenAI's prices name writes.
    """
    name = f"{provider}/{model.rpartition('/')[2]}".lower()
    general = _OPENAI_WRITES if bills_writes and provider in ("openai", "azure") else _OPENAI
    found = next((rule for glob, rule in _RULES if fnmatchcase(name, glob)), general)
    return found if minimum_tokens is None else replace(found, minimum_tokens=minimum_tokens)


def caching_of_kind(kind: CachingKind) -> Caching:
    """The rules meant by a mere `automatic`, `breakpoints` or `none`: OpenAI's, Anthropic's, or nothing is cached."""
    return _BY_KIND[kind]
