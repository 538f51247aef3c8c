"""A provider's prompt cache, simulated: what of a request is read from it and what is written to it.

Deterministic, with a virtual clock. Entries are digests of prefixes, so that a prefix is found if and only if it is the
same token for token. Knows no prices.
"""

from __future__ import annotations

from policies.economics.caching import LONG_LIFETIME_S, Caching
from policies.economics.facts import Usage
from policies.economics.prompt import Prompt


class PromptCache:
    """What a provider remembers of the prompts of one model; cold at first."""

    def __init__(self, caching: Caching) -> None:
        self._caching = caching
        self._ends_s: dict[bytes, float] = {}
        """For each entry when it is forgotten."""
        self._lifetimes_s: dict[bytes, float] = {}

    def take(self, prompt: Prompt, at_s: float) -> Usage:
        """How `prompt` is billed at `at_s`; afterwards the cache holds it. `at_s` must not decrease."""
        match self._caching.kind:
            case "automatic":
                return self._take_automatically(prompt, at_s)
            case "breakpoints":
                return self._take_by_marks(prompt, at_s)
            case _:
                return Usage(len(prompt.ids))

    def _take_automatically(self, prompt: Prompt, at_s: float) -> Usage:
        rules = self._caching
        ends = range(rules.minimum_tokens, len(prompt.ids) + 1, rules.step_tokens)
        cached = 0
        unbroken = True
        for end, digest in zip(ends, prompt.digests(ends), strict=True):
            unbroken = unbroken and self._holds(digest, at_s)
            cached = end if unbroken else cached
            self._keep(digest, at_s, rules.lifetime_s)
        return Usage(len(prompt.ids), cached)

    def _take_by_marks(self, prompt: Prompt, at_s: float) -> Usage:
        rules = self._caching
        digests = list(prompt.digests(prompt.ends))
        marks = {n: s for n, s in self._marks(prompt).items() if prompt.ends[n] >= rules.minimum_tokens}
        found = max((self._found_from(mark, digests, at_s) for mark in marks), default=-1)
        cached = end = prompt.ends[found] if found >= 0 else 0
        written = long_written = 0
        if found >= 0:
            self._keep(digests[found], at_s, self._lifetimes_s[digests[found]])
        for number, lifetime_s in marks.items():
            more = max(prompt.ends[number] - end, 0)
            end += more
            if lifetime_s >= LONG_LIFETIME_S:
                long_written += more
            else:
                written += more
            self._keep(digests[number], at_s, lifetime_s)
        return Usage(len(prompt.ids), cached, written, long_written)

    def _found_from(self, mark: int, digests: list[bytes], at_s: float) -> int:
        """The last block at or before `mark`, as far as it looks back, where an entry ends; -1 if there is none."""
        reach = self._caching.look_back_blocks
        first = 0 if reach is None else max(mark - reach + 1, 0)
        return next((n for n in range(mark, first - 1, -1) if self._holds(digests[n], at_s)), -1)

    def _marks(self, prompt: Prompt) -> dict[int, float]:
        """The blocks that end with a breakpoint, ascending, and the lifetime each asks for, in seconds."""
        usual_s = self._caching.lifetime_s
        marked = {
            n: block.mark_s or usual_s for n, block in enumerate(prompt.blocks) if block.mark_s is not None
        }
        if not marked:
            places = {
                "tools": prompt.last_block_of_tools(),
                "system": prompt.last_block_of_system(),
                "last": len(prompt.blocks) - 1 if prompt.blocks else None,
            }
            chosen = sorted({n for place in self._caching.unmarked if (n := places[place]) is not None})
            marked = dict.fromkeys(chosen, usual_s)
        return dict(list(marked.items())[-self._caching.most_marks :])

    def _holds(self, digest: bytes, at_s: float) -> bool:
        return self._ends_s.get(digest, -1.0) >= at_s

    def _keep(self, digest: bytes, at_s: float, lifetime_s: float) -> None:
        self._ends_s[digest] = at_s + lifetime_s
        self._lifetimes_s[digest] = lifetime_s
