"""Which route a request takes and what its headers may change."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from policies.config import Config
from policies.loading import ConfigError, load_config
from policies.routes import InvalidOverrideError, choice_of, find_route, override

CONFIG = Config.model_validate(
    {
        "upstreams": {"u": {"base_url": "http://u/v1"}},
        "policies": {
            "careful": {"ranges": [{"max_tokens": 500, "rate": 0.8}, {"rate": 0.6}]},
            "bold": {"ranges": [{"rate": 0.5}], "min_rate": 0.2, "mode": "shadow"},
        },
        "routes": [
            {"name": "rag", "path": "/rag/v1", "upstream": "u", "policy": "careful", "overrides": ["mode", "rate"]},
            {"name": "team", "match": {"header": {"X-Team": "sea*"}}, "upstream": "u", "policy": "bold",
             "overrides": ["rate", "policy"]},
            {"name": "mini", "match": {"model": ["*-mini", "o?"]}, "upstream": "u", "policy": "bold"},
            {"name": "rest", "upstream": "u"},
        ],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "headers", "model", "route"),
    [
        ("/rag/v1/chat/completions", {}, "gpt-4o", "rag"),
        ("/rag/v1", {}, None, "rag"),
        ("/rag/v10/chat/completions", {}, "gpt-4o", None),
        ("/v1/chat/completions", {"x-team": "search"}, "gpt-4o", "team"),
        ("/v1/chat/completions", {"x-team": "billing"}, "gpt-4o-mini", "mini"),
        ("/v1/chat/completions", {}, "o3", "mini"),
        ("/v1/chat/completions", {}, "gpt-4o", "rest"),
        ("/v1/chat/completions", {}, "", "rest"),
        ("/v1/models", {}, None, "mini"),
        ("/", {}, None, None),
    ],
)
def test_the_first_route_that_matches(
    path: str, headers: dict[str, str], model: str | None, route: str | None
) -> None:
    found = find_route(CONFIG.routes, path, headers, model)
    assert (found.name if found else None) == route


TEAM, OTHER = "sha256:" + "0a" * 16, "sha256:" + "1b" * 16
KEYED = Config.model_validate(
    {
        "upstreams": {"u": {"base_url": "http://u/v1"}},
        "routes": [
            {"name": "rag", "path": "/rag/v1", "upstream": "u"},
            {"name": "team", "match": {"key": TEAM, "model": "gpt-*"}, "upstream": "u"},
            {"name": "teams", "match": {"key": [OTHER, TEAM]}, "upstream": "u"},
            {"name": "rest", "upstream": "u"},
        ],
    }
)


@pytest.mark.parametrize(
    ("caller", "model", "route"),
    [
        (TEAM, "gpt-4o", "team"),
        (TEAM, "o3", "teams"),
        (TEAM, None, "team"),
        (OTHER, "gpt-4o", "teams"),
        ("sha256:" + "2c" * 16, "gpt-4o", "rest"),
        ("", "gpt-4o", "rest"),
    ],
)
def test_a_route_may_be_for_the_callers_with_certain_keys(caller: str, model: str | None, route: str) -> None:
    found = find_route(KEYED.routes, "/v1/chat/completions", {}, model, lambda: caller)
    assert found is not None
    assert found.name == route


def test_the_key_is_hashed_once_and_only_where_a_route_depends_on_it() -> None:
    asked: list[str] = []

    def caller() -> str:
        asked.append("")
        return ""

    find_route(KEYED.routes, "/rag/v1/chat/completions", {}, "gpt-4o", caller)
    find_route(CONFIG.routes, "/v1/chat/completions", {}, "gpt-4o", caller)
    assert not asked
    find_route(KEYED.routes, "/v1/chat/completions", {}, "gpt-4o", caller)
    assert len(asked) == 1


def test_a_caller_whose_key_is_unknown_takes_no_keyed_route() -> None:
    found = find_route(KEYED.routes, "/v1/chat/completions", {}, "gpt-4o")
    assert found is not None
    assert found.name == "rest"


@pytest.mark.parametrize(
    "value",
    [
        "sk-a-secret-of-a-team",
        ["sk-a-secret-of-a-team"],
        TEAM.upper(),
        TEAM[:-1],
        "sha256:sk-a-secret-of-a-team",
    ],
)
def test_a_key_in_the_place_of_its_hash_is_refused_but_never_shown(value: object) -> None:
    text = yaml.safe_dump(
        {
            "upstreams": {"u": {"base_url": "http://u/v1"}},
            "routes": [{"name": "team", "match": {"key": value}, "upstream": "u"}],
        }
    )
    with pytest.raises(
        ConfigError, match=r"laconic.yaml:\d+: routes\.0\.match\.key.*laconic key hash"
    ) as refused:
        load_config(text, "laconic.yaml", {})
    assert "secret" not in str(refused.value)
    assert TEAM[7:-1] not in str(refused.value).lower()


def _choice(route: int, **headers: str) -> Any:
    named = {f"x-laconic-{name}": value for name, value in headers.items()}
    return override(choice_of(CONFIG.routes[route], CONFIG), CONFIG, named)


def test_a_route_without_a_policy_is_off() -> None:
    choice = _choice(3, mode="on", rate="0.1", policy="bold")
    assert (choice.mode, choice.policy, choice.source) == ("off", None, "route:rest")


def test_allowed_headers_count_and_are_named_as_the_source() -> None:
    choice = _choice(0, mode="shadow", rate="0.7")
    assert (choice.mode, choice.source, choice.rate) == ("shadow", "header", 0.7)


def test_other_headers_have_no_effect() -> None:
    choice = _choice(2, mode="off", rate="0.9", policy="careful")
    assert (choice.mode, choice.source, choice.rate, choice.policy_name) == (
        "shadow",
        "route:mini",
        None,
        "bold",
    )


@pytest.mark.parametrize(
    ("route", "asked", "given"), [(0, "0.1", 0.6), (0, "1", 1.0), (1, "0.1", 0.2), (1, "0.3", 0.3)]
)
def test_a_rate_never_goes_below_the_operators_bound(route: int, asked: str, given: float) -> None:
    assert _choice(route, rate=asked).rate == given


def test_another_policy_brings_its_own_mode() -> None:
    choice = _choice(1, policy="careful")
    assert (choice.policy_name, choice.mode, choice.source) == ("careful", "on", "header")


@pytest.mark.parametrize(
    ("route", "header", "value", "allowed"),
    [
        (0, "mode", "maybe", "on, shadow, off"),
        (0, "rate", "half", "a number above 0, at most 1"),
        (0, "rate", "0", "a number above 0, at most 1"),
        (0, "rate", "nan", "a number above 0, at most 1"),
        (1, "policy", "careless", "bold, careful"),
    ],
)
def test_a_value_that_means_nothing_is_refused(route: int, header: str, value: str, allowed: str) -> None:
    with pytest.raises(InvalidOverrideError, match=f"x-laconic-{header}.*{value}.*{allowed}"):
        _choice(route, **{header: value})
