"""The schema of a policy: which texts are shortened, how far, what is protected, and when it is worth it.

Owns the section of a policy itself; those within it are in `rules.py`. Knows nothing of what is served (`config.py`),
neither files nor YAML (`loading.py`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policies.protection import KINDS, ProtectKind
from policies.rules import (
    BreakEven,
    Documents,
    JsonLayout,
    JsonRule,
    Mode,
    Range,
    Rate,
    Section,
    Strategy,
    Target,
    Tokens,
)


class Policy(Section):
    """What is shortened, how far, what is protected, and what happens when it doesn't work."""

    extends: Literal["agents", "chat", "meetings", "rag"] | None = None
    """A built-in policy, whose settings hold where the policy gives none of its own."""
    compressor: str = "default"
    """A name from `compressors`."""
    mode: Mode = "on"
    """`on`; `shadow` compresses and records but sends the original; `off`."""
    targets: tuple[Target, ...] = (
        Target(role=("user", "tool"), min_tokens=200),
        Target(role=("system",), mode="off"),
    )
    """Which texts; the first rule that fits decides, a text that no rule fits is left alone."""
    ranges: tuple[Range, ...] = (
        Range(min_tokens=200, max_tokens=1000, rate=0.7),
        Range(min_tokens=1000, rate=0.5),
    )
    """How far, by the text's own length; the first that fits decides."""
    protect: frozenset[ProtectKind] = frozenset(KINDS)
    """What is never dropped."""
    json_rules: tuple[JsonRule, ...] = ()
    """For pairs in JSON; the first that fits a key decides, what none fits stays. Without rules, see `protect`."""
    json_layout: JsonLayout = "as_is"
    """How JSON is written: `compact` without white space, `tabular` also with the keys of like objects named once."""
    comments: Rate | None = None
    """Share of the words in code's comments and docstrings that stays; without it, code stays as `protect` says."""
    strategy: Strategy = Strategy()
    """For compressors with a causal model; of it LLMLingua-2 looks at what chooses documents, and `question_aware`."""
    documents: Documents | None = None
    """Where documents and the question stand; without it a text has neither."""
    force_tokens: tuple[str, ...] = ("\n", "?")
    """Words or characters that always stay."""
    force_reserve_digit: bool = False
    """Whether every word with a digit stays, protected or not."""
    drop_consecutive: bool = False
    """Whether force tokens are dropped where nothing between them was kept."""
    chunk_end_tokens: tuple[str, ...] = (".", "\n")
    """Where a text longer than the model's window is preferably cut."""
    token_to_word: Literal["mean", "first"] = "mean"
    """How a word's probability follows from those of its pieces."""
    min_rate: Rate | None = None
    """Lowest rate that a request may ask for; by default the lowest of `ranges`."""
    min_saved_tokens: Tokens = 50
    """A text that would save fewer tokens is left alone."""
    deadline_ms: float = Field(default=300.0, gt=0)
    """What isn't shortened by then goes up as it is, now and on later turns."""
    on_failure: Literal["forward", "reject", "forward_unless_overflow"] = "forward"
    """What happens when compression fails: `forward` sends the original, `reject` answers 503, and
    `forward_unless_overflow` answers 503 only where the original would not fit the model's context window."""
    adopt: Literal["new_messages_only", "all"] = "new_messages_only"
    """Which messages of a conversation that was running before laconic saw it are shortened: those that arrive from
    then on, or `all`, which sends other bytes for the old ones once."""
    keep_cacheable: bool = True
    """Whether only so much is saved as the cache of a conversation's provider can't take back: what is sent stays long
    enough to be cached (1,024 tokens as a rule), and all savings together make two of its steps (of 128) or none."""
    holdout: float = Field(default=0.0, ge=0, lt=1)
    """Share of conversations that go up as they came, so that savings can be measured against them."""
    break_even: BreakEven = BreakEven()
    """When a saving is worth the time that it takes."""
    recover: bool = False
    """Whether an answer that repeats words of a shortened text gets back what was dropped between them."""

    @property
    def looks_at_tools(self) -> bool:
        """Whether a rule speaks of tool definitions."""
        return any("tools" in target.role for target in self.targets)

    @property
    def reshapes_json(self) -> bool:
        """Whether something may go that no compressor needs to be asked about."""
        return bool(self.json_rules) or self.json_layout != "as_is"

    def lowest_rate(self) -> float:
        """The strongest compression that a request may ask for, in (0, 1]."""
        if self.min_rate is not None:
            return self.min_rate
        return min((r.rate for r in self.ranges if r.rate is not None), default=1.0)
