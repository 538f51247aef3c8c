"""How long an upstream needs to read a token, as its streams tell."""

from __future__ import annotations

import random

import pytest

from proxy.speed import ReadingSpeeds
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, body, chat, config, metric, words
from tests.fakes.upstream import FakeUpstream


def test_the_slope_is_found_in_noise() -> None:
    speeds, chance = ReadingSpeeds(), random.Random(1)
    for _ in range(400):
        tokens = chance.randrange(100, 20_000)
        speeds.add("openai", "gpt-4o", tokens, 0.3 + tokens * 1e-4 + chance.uniform(-0.05, 0.05))
    assert speeds.seconds_per_token("openai", "gpt-4o") == pytest.approx(1e-4, rel=0.1)
    assert speeds.seconds_per_token("openai", "other") is None


def test_what_changes_is_learned_anew() -> None:
    speeds, chance = ReadingSpeeds(), random.Random(2)
    for per_token in (1e-4, 1e-5):
        for _ in range(400):
            tokens = chance.randrange(100, 20_000)
            speeds.add("openai", "gpt-4o", tokens, 0.3 + tokens * per_token)
    assert speeds.seconds_per_token("openai", "gpt-4o") == pytest.approx(1e-5, rel=0.1)


def test_few_or_equal_prompts_tell_nothing() -> None:
    speeds = ReadingSpeeds()
    for _ in range(100):
        speeds.add("a", "equal", 1000, 0.5)
    for tokens in range(100, 1000, 100):
        speeds.add("a", "few", tokens, tokens * 1e-4)
    assert speeds.seconds_per_token("a", "equal") is None
    assert speeds.seconds_per_token("a", "few") is None


def test_prompts_that_are_read_in_no_time_are_worth_nothing() -> None:
    speeds = ReadingSpeeds()
    for tokens in range(100, 10_000, 100):
        speeds.add("a", "m", tokens, 1.0 - tokens * 1e-5)
    assert speeds.seconds_per_token("a", "m") == 0


def test_both_speeds_are_measured_while_serving(upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with Laconic(config(upstream.base_url)) as laconic:
        for count in range(40, 440, 16):
            chat(laconic, body(words(count), stream=True))
        read = laconic.gateway.speeds.seconds_per_token("fake", "gpt-4o")
        assert metric(laconic.origin, "laconic_compressor_seconds_per_token", compressor="default") > 0
        assert read is not None
        assert metric(laconic.origin, "laconic_upstream_seconds_per_token", upstream="fake") == pytest.approx(
            read
        )
