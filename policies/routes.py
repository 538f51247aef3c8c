"""Which route a request takes, and what of its policy the request itself may change.

Knows paths, headers and model names; not sockets, not bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import cast, get_args

from policies.config import Config, Route
from policies.policy import Policy
from policies.rules import Mode

MODE_HEADER = "x-laconic-mode"
POLICY_HEADER = "x-laconic-policy"
RATE_HEADER = "x-laconic-rate"
OVERRIDE_HEADERS = frozenset((MODE_HEADER, POLICY_HEADER, RATE_HEADER))


class InvalidOverrideError(ValueError):
    """An `x-laconic-*` header that the route allows, with a value that means nothing."""

    def __init__(self, header: str, found: str, allowed: str) -> None:
        super().__init__(f"header {header}: found {found!r}; allowed: {allowed}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is done with one request."""

    route: Route
    policy_name: str
    """Empty on a route without a policy."""
    policy: Policy | None
    mode: Mode
    source: str
    """Who set the mode: `route:NAME` or `header`."""
    rate: float | None = None
    """The rate that the request asked for, within the operator's bounds."""


def find_route(
    routes: Iterable[Route],
    path: str,
    headers: Mapping[str, str],
    model: str | None = None,
    caller: Callable[[], str] | None = None,
) -> Route | None:
    """The first of `routes` that a request matches; None if there is none.

    `headers` has lower-case names. Without `model` (requests other than chat completions) conditions on the
    model are taken to hold. `caller` gives the hash of the caller's key, and is asked at most once, where a route
    depends on it; without it no condition on the key holds.
    """
    hashed: str | None = None
    for route in routes:
        if not path.startswith(route.path) or path[len(route.path) : len(route.path) + 1] not in ("", "/"):
            continue
        match = route.match
        if model is not None and match.model and not any(fnmatchcase(model, glob) for glob in match.model):
            continue
        if not all(fnmatchcase(headers.get(name, ""), glob) for name, glob in match.header.items()):
            continue
        if match.key and hashed is None:
            hashed = caller() if caller is not None else ""
        if not match.key or hashed in match.key:
            return route
    return None


def choice_of(route: Route, config: Config) -> Choice:
    """What the route does with a request that asks for nothing else."""
    policy = config.policies[route.policy] if route.policy is not None else None
    mode: Mode = policy.mode if policy is not None else "off"
    return Choice(route, route.policy or "", policy, mode, f"route:{route.name}")


def override(choice: Choice, config: Config, headers: Mapping[str, str]) -> Choice:
    """`choice` changed by those `x-laconic-*` headers that the route allows; others have no effect.

    A rate below the operator's bound is raised to it. Raises `InvalidOverrideError` for an allowed header with
    a value that isn't.
    """
    allowed = choice.route.overrides
    if "policy" in allowed and (name := headers.get(POLICY_HEADER)) is not None:
        if name not in config.policies:
            raise InvalidOverrideError(POLICY_HEADER, name, ", ".join(sorted(config.policies)))
        policy = config.policies[name]
        choice = replace(choice, policy_name=name, policy=policy, mode=policy.mode, source="header")
    if "mode" in allowed and choice.policy is not None and (mode := headers.get(MODE_HEADER)) is not None:
        if mode not in get_args(Mode):
            raise InvalidOverrideError(MODE_HEADER, mode, ", ".join(get_args(Mode)))
        choice = replace(choice, mode=cast(Mode, mode), source="header")
    if "rate" in allowed and (rate := headers.get(RATE_HEADER)) is not None and choice.policy is not None:
        choice = replace(choice, rate=max(_rate(rate), choice.policy.lowest_rate()))
    return choice


def _rate(value: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:
        raise InvalidOverrideError(RATE_HEADER, value, "a number above 0, at most 1")
    return rate
