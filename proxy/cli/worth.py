"""What the break-even weighs, for `laconic check`: what a token is worth and what a compressor needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from compressors import has_accelerator
from policies.break_even import token_s, usd_per_second
from policies.config import Compressor, Config
from policies.plan import TextPlan
from policies.routes import Choice
from policies.rules import BreakEven
from proxy.prices import facts_of


@dataclass(frozen=True, slots=True)
class Worth:
    """The inputs of the break-even, as far as they are known without traffic."""

    rule: BreakEven
    on_gpu: bool
    input_usd: float | None
    """Price of a prompt token of the request's model."""
    seconds_per_token: float | None
    """What the compressor needs for a token on this machine; None if it wasn't measured."""

    @property
    def token_s(self) -> float | None:
        """Seconds that a saved token is worth."""
        return token_s(self.rule, self.input_usd, None, on_gpu=self.on_gpu)

    def limit(self, plan: TextPlan, text: str) -> str:
        """How long shortening a text may take, and how long it takes if that was measured."""
        if plan.skip is not None:
            return "–"
        saved = plan.original_tokens - plan.expected_tokens
        limit = "any time" if self.token_s is None else f"{saved * self.token_s * 1000:,.0f} ms"
        if self.seconds_per_token is None:
            return limit
        return f"{limit}; needs {len(text) / 3 * self.seconds_per_token * 1000:,.0f} ms"

    def explained(self) -> str:
        """The inputs in words."""
        return f"Break-even: {self._value()}. {self._speed()}"

    def _value(self) -> str:
        if self.rule.value == "off":
            return "off, every saving is worth its time"
        if self.token_s is None:
            return (
                "the model's price isn't known, and an upstream's reading speed is only measured while serving; "
                "until then every saving is worth its time"
            )
        price = f"{(self.input_usd or 0) * 1e6:,.2f} USD per million tokens"
        second = f"{usd_per_second(self.rule, on_gpu=self.on_gpu):.5f} USD per second"
        first = "" if self.rule.value == "price" else "until the upstream's reading speed was measured, "
        return f"{first}a saved token is worth {self.token_s * 1000:.2f} ms of the compressor ({price}, {second})"

    def _speed(self) -> str:
        if self.seconds_per_token is None:
            return "Its speed is measured while serving, queue included; --measure times it alone."
        return f"It reads {1 / self.seconds_per_token:,.0f} tokens per second here, alone."


def worth_of(config: Config, choice: Choice, model: str, *, measure: bool) -> Worth:
    """The inputs for a request to `model`; with `measure`, the compressor is loaded and timed."""
    assert choice.policy is not None
    facts = facts_of(model, config.models)
    input_usd = facts.price.input_usd if facts is not None and facts.price is not None else None
    compressor = config.compressors[choice.policy.compressor]
    on_gpu = has_accelerator(compressor.device)
    return Worth(
        choice.policy.break_even, on_gpu, input_usd, asyncio.run(_timed(compressor)) if measure else None
    )


async def _timed(compressor: Compressor) -> float | None:
    from proxy.gateway import engine_of

    engine = engine_of(compressor)
    await engine.loaded()
    engine.close()
    return engine.speed.seconds_per_token or None
