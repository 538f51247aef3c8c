"""The configuration's own word on models, before or in place of the price list's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from policies.economics.caching import NO_CACHING, CachingKind, caching_of_kind
from policies.economics.facts import ModelFacts, Price
from policies.rules import Section

UsdPerMillion = Annotated[float, Field(ge=0)]


class ModelRule(Section):
    """What a model costs and takes; what isn't said here is taken from litellm's price list."""

    input_usd_per_million: UsdPerMillion | None = None
    """USD for a million input tokens."""
    cached_input_usd_per_million: UsdPerMillion | None = None
    """USD for a million tokens read from the provider's cache; by default no less than others."""
    cache_write_usd_per_million: UsdPerMillion | None = None
    """USD for a million tokens written to the provider's cache; by default no more than others."""
    output_usd_per_million: UsdPerMillion | None = None
    """USD for a million output tokens."""
    context_tokens: Annotated[int, Field(gt=0)] | None = None
    """Most tokens of a request."""
    caching: CachingKind | None = None
    """How the provider caches prefixes: as OpenAI (`automatic`), as Anthropic (`breakpoints`), or not (`none`)."""


def with_rules(model: str, known: ModelFacts | None, rules: Mapping[str, ModelRule]) -> ModelFacts | None:
    """`known` as the first of `rules` whose glob fits `model` changes it; None if neither says anything."""
    rule = next((rule for glob, rule in rules.items() if fnmatchcase(model, glob)), None)
    if rule is None:
        return known
    facts = known or ModelFacts(model, "", NO_CACHING)
    return replace(
        facts,
        price=_price(facts.price, rule),
        context_tokens=rule.context_tokens or facts.context_tokens,
        caching=caching_of_kind(rule.caching) if rule.caching else facts.caching,
    )


def _price(known: Price | None, rule: ModelRule) -> Price | None:
    said = {
        "input_usd": rule.input_usd_per_million,
        "cached_input_usd": rule.cached_input_usd_per_million,
        "write_usd": rule.cache_write_usd_per_million,
        "long_write_usd": rule.cache_write_usd_per_million,
        "output_usd": rule.output_usd_per_million,
    }
    changes = {name: usd / 1e6 for name, usd in said.items() if usd is not None}
    if "input_usd" in changes:  # the list's other prices belong to its own input price
        plain = changes["input_usd"]
        known = Price(plain, plain, plain, plain, known.output_usd if known else 0.0)
    return replace(known, **changes) if known is not None else None
