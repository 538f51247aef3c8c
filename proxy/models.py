"""What is known of the models that callers name: prices and context windows, without waiting for a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from policies.economics import ModelFacts, ModelRule, with_rules
from proxy.prices import facts_of


class Models:
    """The configuration's word on models, and the price list's once it is read."""

    def __init__(self, rules: Mapping[str, ModelRule]) -> None:
        self._rules = rules
        self.is_read = False
        """Whether the price list is known."""

    async def read(self) -> None:
        """Read the price list in a thread."""
        await asyncio.get_running_loop().run_in_executor(None, facts_of, "")
        self.is_read = True

    def facts(self, model: str) -> ModelFacts | None:
        """What is known of `model`."""
        return facts_of(model, self._rules) if self.is_read else with_rules(model, None, self._rules)
