"""What prompts cost: prices, providers' prompt caches, and bills of recorded conversations. No I/O."""

from policies.economics.billing import Bill, Biller, PrefixBreak, Turn, UnknownPriceError, bill_bodies
from policies.economics.caching import Caching, caching_of
from policies.economics.facts import ModelFacts, Price, Usage
from policies.economics.rule import ModelRule, with_rules

__all__ = [
    "Bill",
    "Biller",
    "Caching",
    "ModelFacts",
    "ModelRule",
    "PrefixBreak",
    "Price",
    "Turn",
    "UnknownPriceError",
    "Usage",
    "bill_bodies",
    "caching_of",
    "with_rules",
]
