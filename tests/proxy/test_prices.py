"""Prices come from litellm's own list, without litellm, by whatever name a request gives the model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from policies.economics import ModelRule
from proxy.prices import facts_of


def test_a_models_facts() -> None:
    facts = facts_of("gpt-4o")
    assert facts is not None
    assert facts.price is not None
    assert (facts.provider, facts.context_tokens, facts.caching.kind) == ("openai", 128_000, "automatic")
    assert facts.price.input_usd == pytest.approx(2.5e-6)
    assert facts.price.cached_input_usd == pytest.approx(1.25e-6)
    assert facts.price.write_usd == facts.price.input_usd
    assert facts.price.output_usd == pytest.approx(1e-5)


@pytest.mark.parametrize(
    "model",
    ["claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", "claude-opus-4-5", "claude-3-5-sonnet-20241022"],
)
def test_anthropics_writes_and_reads(model: str) -> None:
    facts = facts_of(model)
    assert facts is not None
    assert facts.price is not None
    assert facts.caching.kind == "breakpoints"
    assert facts.caching.minimum_tokens == (4096 if "opus" in model else 1024)
    multiples = (facts.price.cached_input_usd, facts.price.write_usd, facts.price.long_write_usd)
    assert [usd / facts.price.input_usd for usd in multiples] == pytest.approx([0.1, 1.25, 2.0])


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o-2031-01-01", "gpt-4o"),
        ("ft:gpt-4o-mini:acme::abc", "gpt-4o-mini"),
        ("anthropic/claude-sonnet-4-5-latest", "claude-sonnet-4-5"),
        ("deepseek-chat", "deepseek/deepseek-chat"),
        ("openrouter/deepseek-chat", "deepseek/deepseek-chat"),
    ],
)
def test_names_that_arent_listed_find_those_that_are(model: str, listed: str) -> None:
    found, expected = facts_of(model), facts_of(listed)
    assert found is not None
    assert expected is not None
    assert (found.price, found.caching) == (expected.price, expected.caching)


def test_a_model_of_two_hosts_keeps_its_own_price() -> None:
    mini = facts_of("azure/gpt-4o-mini")
    assert mini is not None
    assert mini.provider == "azure"


@pytest.mark.parametrize("model", ["", "no-such-model", "sample_spec", "text-embedding-unknown"])
def test_an_unknown_model_has_no_facts(model: str) -> None:
    assert facts_of(model) is None


def test_the_configuration_comes_before_the_list() -> None:
    rules = {"no-such-*": ModelRule(input_usd_per_million=1, context_tokens=99, caching="breakpoints")}
    facts = facts_of("no-such-model", rules)
    assert facts is not None
    assert facts.price is not None
    assert (facts.price.input_usd, facts.context_tokens, facts.caching.kind) == (1e-6, 99, "breakpoints")


def test_the_list_is_read_without_litellm_and_not_at_start_up() -> None:
    code = (
        "import sys, proxy.prices as p; assert p._price_list.cache_info().currsize == 0;"
        "assert p.facts_of('gpt-4o'); print(*sorted({'litellm', 'torch', 'openai'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
