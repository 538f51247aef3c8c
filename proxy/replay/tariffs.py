"""As which models requests are billed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from policies.economics import Biller, ModelFacts, ModelRule, UnknownPriceError
from proxy.prices import facts_of

OWN = "own"
"""Stands for each request's own model."""


def billers(
    bill_as: Sequence[str], models: Collection[str], rules: Mapping[str, ModelRule], *, shared: bool
) -> dict[str, Biller]:
    """A biller for each of the models `bill_as`, by its name; for none, one that bills requests as their own `models`.

    Raises `UnknownPriceError` for a model without a price.
    """
    for model in bill_as or sorted(models):
        _priced(model, rules)
    if not bill_as:
        return {OWN: Biller(lambda model: _priced(model, rules), shared=shared)}
    return {name: Biller(_always(_priced(name, rules)), shared=shared) for name in bill_as}


def _priced(model: str, rules: Mapping[str, ModelRule]) -> ModelFacts:
    facts = facts_of(model, rules)
    if facts is None or facts.price is None:
        raise UnknownPriceError(
            f"no price is known of the model {model!r}; give one under `models` in the first configuration, "
            "or choose another model with --bill-as"
        )
    return facts


def _always(facts: ModelFacts) -> Callable[[str], ModelFacts]:
    return lambda _: facts
