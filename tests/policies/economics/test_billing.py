"""Bills in USD, prefix breaks, and what a configuration says of a model."""

from __future__ import annotations

import pytest

from policies.economics import (
    Biller,
    Caching,
    ModelFacts,
    ModelRule,
    PrefixBreak,
    Price,
    Turn,
    UnknownPriceError,
    Usage,
    bill_bodies,
    caching_of,
    with_rules,
)
from policies.economics.caching import NO_CACHING
from tests.conftest import conversations
from tests.policies.economics.bodies import body, message

GPT = ModelFacts("gpt-4o", "openai", caching_of("openai", "gpt-4o"), Price(2e-6, 1e-6, 2e-6, 2e-6, 8e-6))
CLAUDE = ModelFacts(
    "claude-sonnet-4",
    "anthropic",
    caching_of("anthropic", "claude-sonnet-4"),
    Price(4e-6, 4e-7, 5e-6, 8e-6, 2e-5),
)
LONG, SHORT = message("user", 2048), message("user", 1024)
MORE = message("assistant", 100, " blue")
THIRD = message("user", 100, " green")


def test_a_price_by_hand() -> None:
    usage = Usage(input_tokens=1000, cached_tokens=300, written_tokens=200, long_written_tokens=100)
    assert usage.uncached_tokens == 400
    assert CLAUDE.price is not None
    assert CLAUDE.price.cost_usd(usage) == pytest.approx(400 * 4e-6 + 300 * 4e-7 + 200 * 5e-6 + 100 * 8e-6)


def test_a_conversation_by_hand() -> None:
    pairs = [(body(LONG), body(SHORT)), (body(LONG, MORE), body(SHORT, MORE))]
    first, second = bill_bodies([pairs], lambda _: GPT)[0]
    assert (first.original, first.sent) == (Usage(2048), Usage(1024))
    assert (second.original, second.sent) == (Usage(2148, 2048), Usage(1124, 1024))
    assert second.original_usd == pytest.approx(100 * 2e-6 + 2048 * 1e-6)
    assert second.sent_usd == pytest.approx(100 * 2e-6 + 1024 * 1e-6)
    assert (first.prefix_break, second.prefix_break) == (None, None)
    first, second = bill_bodies([pairs], lambda _: CLAUDE)[0]
    assert first.original_usd == pytest.approx(2048 * 5e-6)
    assert second.original_usd == pytest.approx(2048 * 4e-7 + 100 * 5e-6)


@pytest.mark.parametrize("facts", [GPT, CLAUDE])
def test_a_broken_prefix_costs_more_than_it_saves_and_is_named(facts: ModelFacts) -> None:
    kept = [(body(LONG), body(LONG)), (body(LONG, MORE), body(LONG, MORE))]
    # The first message is shortened only once it is history.
    broken = [kept[0], (body(LONG, MORE), body(message("user", 2000, " green"), MORE))]
    stable, late = (bill_bodies([pairs], lambda _: facts)[0] for pairs in (kept, broken))
    assert late[1].sent.input_tokens < stable[1].sent.input_tokens
    assert late[1].sent_usd > stable[1].sent_usd
    assert late[1].prefix_break == PrefixBreak(0, "user")
    assert stable[1].prefix_break is None


def test_a_conversation_that_didnt_go_on_itself_has_no_break() -> None:
    pairs = [(body(LONG), body(LONG)), (body(SHORT), body(SHORT))]
    assert [bill.prefix_break for bill in bill_bodies([pairs], lambda _: GPT)[0]] == [None, None]


def test_a_break_is_counted_once_for_each_turn_that_breaks() -> None:
    originals = [body(LONG), body(LONG, MORE), body(LONG, MORE, THIRD)]
    sent = [body(LONG), body(SHORT, MORE), body(SHORT, MORE, THIRD)]
    bills = bill_bodies([list(zip(originals, sent, strict=True))], lambda _: GPT)[0]
    assert [bill.prefix_break for bill in bills] == [None, PrefixBreak(0, "user"), None]


def test_a_refused_request_is_billed_as_it_came_and_breaks_nothing() -> None:
    pairs = [
        (body(LONG), body(SHORT)),
        (body(LONG, MORE), None),
        (body(LONG, MORE, THIRD), body(SHORT, MORE, THIRD)),
    ]
    bills = bill_bodies([pairs], lambda _: GPT)[0]
    assert bills[1].sent.input_tokens == bills[1].original.input_tokens == 2148
    assert [bill.prefix_break for bill in bills] == [None, None, None]


def test_conversations_share_a_cache_only_where_asked() -> None:
    pairs = [[(body(LONG), body(LONG))], [(body(LONG, MORE), body(LONG, MORE))]]
    assert [bill.original.cached_tokens for (bill,) in bill_bodies(pairs, lambda _: GPT)] == [0, 0]
    assert [bill.original.cached_tokens for (bill,) in bill_bodies(pairs, lambda _: GPT, shared=True)] == [
        0,
        2048,
    ]


def test_a_shared_cache_sees_requests_in_the_order_of_their_times() -> None:
    late, early = [[Turn(body(LONG), body(LONG), at_s)] for at_s in (100.0, 50.0)]
    bills = Biller(lambda _: GPT, shared=True).bill([late, early])
    assert [bill.original.cached_tokens for (bill,) in bills] == [2048, 0]


def test_each_model_has_a_cache_of_its_own() -> None:
    facts = {name: ModelFacts(name, "openai", GPT.caching, GPT.price) for name in ("gpt-4o", "gpt-4.1")}
    pairs = [(request := body(LONG) | {"model": name}, request) for name in ("gpt-4o", "gpt-4.1", "gpt-4o")]
    bills = bill_bodies([pairs], facts.__getitem__)[0]
    assert [bill.sent.cached_tokens for bill in bills] == [0, 0, 2048]


def test_without_a_price_there_is_no_bill() -> None:
    with pytest.raises(UnknownPriceError, match="'nothing'"):
        bill_bodies([[(body(LONG), None)]], lambda _: ModelFacts("nothing", "", NO_CACHING))


def test_a_configuration_has_the_last_word() -> None:
    rules = {
        "own-*": ModelRule(input_usd_per_million=3, cached_input_usd_per_million=1, caching="automatic"),
        "gpt-*": ModelRule(context_tokens=1000, output_usd_per_million=5),
    }
    own = with_rules("own-1", None, rules)
    assert own is not None
    assert own.price == Price(3e-6, 1e-6, 3e-6, 3e-6, 0.0)
    assert own.caching == Caching("automatic")
    known = with_rules("gpt-4o", GPT, rules)
    assert known is not None
    assert (known.context_tokens, known.caching) == (1000, GPT.caching)
    assert known.price == Price(2e-6, 1e-6, 2e-6, 2e-6, 5e-6)
    assert with_rules("other", None, rules) is None
    assert with_rules("other", GPT, rules) is GPT


def test_real_traffic_as_it_is_never_breaks_and_mostly_reads() -> None:
    traffic = [[(request, request) for request in turns] for turns in conversations("agent_airline", 10)]
    bills = [bill for turns in bill_bodies(traffic, lambda _: GPT) for bill in turns]
    assert not [bill for bill in bills if bill.prefix_break]
    total = sum((bill.original for bill in bills), Usage())
    assert total.cached_tokens > 0.8 * total.input_tokens
