"""What is read and written, worked out by hand for each provider's rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.economics import Caching, Price, Usage, caching_of
from policies.economics.cache import PromptCache
from policies.economics.caching import NO_CACHING, CachingKind, caching_of_kind
from policies.economics.prompt import Renderer
from policies.tokens import tokenizer
from tests.policies.economics.bodies import body, marked, message

RENDERER = Renderer(tokenizer("o200k_base"))
OPENAI = caching_of("openai", "gpt-4o")
ANTHROPIC = caching_of("anthropic", "claude-sonnet-4-5")
PRICE = Price(input_usd=8, cached_input_usd=1, write_usd=10, long_write_usd=16, output_usd=0)
DEEPSEEK = caching_of("deepseek", "deepseek-chat")


def usages(caching: Caching, *requests: dict[str, Any], gap_s: float = 30) -> list[Usage]:
    """How the requests, one after another, are billed."""
    cache = PromptCache(caching)
    return [cache.take(RENDERER.prompt(each), number * gap_s) for number, each in enumerate(requests)]


def growing(*tokens: int) -> list[dict[str, Any]]:
    """Requests of which each has one message more, with so many tokens."""
    messages = [message("user", count, f" {chr(97 + n)}") for n, count in enumerate(tokens)]
    return [body(*messages[: count + 1]) for count in range(len(messages))]


def test_openai_reads_from_1024_tokens_on_in_steps_of_128() -> None:
    assert usages(OPENAI, *growing(1000, 100, 200, 500)) == [
        Usage(1000, 0),
        Usage(1100, 0),  # the first was too short to be kept
        Usage(1300, 1024),
        Usage(1800, 1280),  # 1024 + 2 * 128 of the 1300
    ]


def test_openai_forgets_after_five_minutes_without_use() -> None:
    first, second = growing(1300, 100)
    assert usages(OPENAI, first, second, gap_s=300)[1].cached_tokens == 1280
    assert usages(OPENAI, first, second, gap_s=301)[1].cached_tokens == 0
    cache = PromptCache(OPENAI)
    read = [cache.take(RENDERER.prompt(first), at_s).cached_tokens for at_s in (0, 200, 400, 701)]
    assert read == [0, 1280, 1280, 0]  # each read renews it


def test_openai_reads_up_to_a_change() -> None:
    same, change = message("system", 1400), message("user", 400)
    later = body(same, message("user", 400, " blue"))
    assert usages(OPENAI, body(same, change), later)[1] == Usage(1800, 1280)


def test_deepseek_reads_units_of_64_tokens() -> None:
    assert usages(DEEPSEEK, *growing(63, 37, 30), gap_s=3600) == [Usage(63), Usage(100), Usage(130, 64)]


def test_gemini_reads_from_2048_tokens_on() -> None:
    gemini = caching_of("gemini", "gemini/gemini-2.5-flash")
    assert usages(gemini, *growing(2000, 100, 100)) == [Usage(2000), Usage(2100), Usage(2200, 2048)]


def test_anthropic_without_marks_writes_the_last_message_and_reads_it_on_the_next_turn() -> None:
    assert usages(ANTHROPIC, *growing(1000, 200, 300)) == [
        Usage(1000),  # below the minimum: neither written nor dearer
        Usage(1200, 0, 1200),
        Usage(1500, 1200, 300),
    ]


def test_anthropic_without_marks_keeps_tools_and_system_when_the_rest_changes() -> None:
    system = message("system", 1500)
    requests = [body(system, message("user", 200, word)) for word in (" red", " blue")]
    assert usages(ANTHROPIC, *requests) == [Usage(1700, 0, 1700), Usage(1700, 1500, 200)]
    tool = {"type": "function", "function": {"name": "look", "description": " red" * 1500}}
    tools_tokens = RENDERER.prompt({"tools": [tool]}).ends[-1]
    requests = [body(message("system", 200, word), tools=[tool]) for word in (" red", " blue")]
    assert usages(ANTHROPIC, *requests)[1] == Usage(tools_tokens + 200, tools_tokens, 200)


def test_anthropic_bills_only_up_to_the_last_mark() -> None:
    request = body(marked("system", 1500), message("user", 400))
    assert usages(ANTHROPIC, request, request) == [Usage(1900, 0, 1500), Usage(1900, 1500)]


def test_anthropic_writes_for_an_hour_where_a_mark_says_so() -> None:
    request = body(marked("system", 1500, ttl="1h"), marked("user", 400))
    first, second = usages(ANTHROPIC, request, request, gap_s=301)
    assert first == Usage(1900, 0, 400, 1500)
    assert second == Usage(1900, 1500, 400)  # the user's message is forgotten


def test_anthropic_looks_back_20_blocks() -> None:
    start = message("user", 1100)
    short = [message("assistant", 6, f" {chr(97 + n)}") for n in range(20)]
    near, far = body(start, *short[:19]), body(start, *short)
    assert usages(ANTHROPIC, body(start), near)[1] == Usage(1100 + 19 * 6, 1100, 19 * 6)
    assert usages(ANTHROPIC, body(start), far)[1] == Usage(1100 + 20 * 6, 0, 1100 + 20 * 6)


def test_anthropic_takes_the_last_four_of_more_marks() -> None:
    request = body(*(marked("user", 1100, f" {word}") for word in "abcde"))
    later = body(request["messages"][0], marked("user", 100, " z"))
    assert usages(ANTHROPIC, request, later)[1] == Usage(1200, 0, 1200)


@pytest.mark.parametrize(
    ("model", "minimum_tokens"),
    [
        ("claude-3-haiku-20240307", 2048),
        ("claude-3-5-haiku", 2048),
        ("claude-haiku-4-5", 4096),
        ("claude-opus-4-5", 4096),
        ("claude-opus-4-1", 1024),
        ("claude-sonnet-4", 1024),
    ],
)
def test_the_shortest_prefix_depends_on_the_model(model: str, minimum_tokens: int) -> None:
    for provider in ("anthropic", "bedrock", "vertex_ai"):
        rules = caching_of(provider, f"{provider}/{model}")
        assert (rules.kind, rules.minimum_tokens) == ("breakpoints", minimum_tokens)


def test_openai_bills_writes_where_its_prices_name_them() -> None:
    newer = caching_of("openai", "gpt-6-sol", bills_writes=True)
    request = body(message("system", 1500), message("user", 200))
    extended = body(
        *request["messages"], *(message("tool", 10, f" {w}") for w in "abcdefghijklmnopqrstuvwxyz")
    )
    changed = body(message("system", 1500), message("user", 200, " blue"))
    first, second, third = usages(newer, request, extended, changed, gap_s=1800)
    assert first == Usage(1700, 0, 1700)
    assert second == Usage(1960, 1700, 260)  # no limit of blocks
    assert third == Usage(1700, 0, 1700)  # no entry at the end of the system message


def test_nothing_is_cached_where_nothing_is() -> None:
    assert usages(NO_CACHING, *growing(2000, 100)) == [Usage(2000), Usage(2100)]


@given(
    lengths=st.lists(st.integers(5, 700), min_size=1, max_size=8),
    kind=st.sampled_from(["automatic", "breakpoints"]),
    place=st.integers(0, 7),
)
def test_an_extension_never_costs_more_than_when_cold_and_a_broken_one_never_less(
    lengths: list[int], kind: CachingKind, place: int
) -> None:
    caching = caching_of_kind(kind)
    requests = growing(*lengths)
    warm = usages(caching, *requests)
    cold = [usages(caching, request)[0] for request in requests]
    for with_cache, without in zip(warm, cold, strict=True):
        assert with_cache.input_tokens == without.input_tokens
        assert PRICE.cost_usd(with_cache) <= PRICE.cost_usd(without)
        assert without.cached_tokens == 0
        assert min(with_cache.uncached_tokens, with_cache.written_tokens) >= 0
    if place < len(lengths) - 1:  # another text of the same length in an early message of the last request
        last = requests[-1]["messages"]
        broken = body(*last[:place], message("user", lengths[place], " other"), *last[place + 1 :])
        changed = usages(caching, *requests[:-1], broken)[-1]
        assert changed.cached_tokens <= sum(lengths[:place]) + 2
        assert PRICE.cost_usd(changed) >= PRICE.cost_usd(warm[-1])
