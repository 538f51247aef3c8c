"""When a saving is worth its time. Pure arithmetic: speeds and prices are measured and looked up elsewhere."""

from __future__ import annotations

from policies.policy import Policy
from policies.rules import BreakEven

# What a second costs to rent: an accelerator at 3.60 USD an hour, two processor cores at 0.11.
_GPU_USD, _CPU_USD = 0.001, 0.00003
_FEWEST_CHARACTERS = 3  # that a token has on average, in ASCII text


def usd_per_second(rule: BreakEven, *, on_gpu: bool) -> float:
    """What a second of the compressor costs."""
    return rule.usd_per_second or (_GPU_USD if on_gpu else _CPU_USD)


def token_s(
    rule: BreakEven, input_usd: float | None, prefill_s: float | None, *, on_gpu: bool
) -> float | None:
    """Seconds of compression that one saved token is worth.

    `input_usd` is the price of a token that the upstream reads, `prefill_s` the time that it takes to read one;
    None where unknown. Returns None if there is nothing to weigh with, and every saving counts as worth it.
    """
    by_price = input_usd / usd_per_second(rule, on_gpu=on_gpu) if input_usd is not None else None
    worths = {"price": (by_price, prefill_s), "latency": (prefill_s, by_price), "off": ()}[rule.value]
    return next((worth for worth in worths if worth is not None), None)


def most_saved_tokens(text: str, policy: Policy, rate: float | None) -> float:
    """More tokens than shortening `text`, if it is ordinary, can save; costs no look at its characters."""
    tokens = len(text) / _FEWEST_CHARACTERS if text.isascii() else len(text)
    if rate is not None:
        return tokens * (1 - rate)
    rates = [reach.rate or 0.0 for reach in policy.ranges]
    rates += [target.rate for target in policy.targets if target.rate is not None]
    return tokens * (1 - min(rates, default=0.0))
