"""What a conversation has sent stays sent: whoever sent it, under whatever policy, and whatever is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policies.config import Config
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Answer, Laconic, chat, config, metric, words
from tests.fakes.redis import RedisServer
from tests.fakes.upstream import FakeUpstream

Message = dict[str, Any]


def user(name: str, count: int = 60) -> Message:
    """A user's message, long enough to be shortened."""
    return {"role": "user", "content": words(count, name)}


def answer(name: str) -> Message:
    """The model's answer."""
    return {"role": "assistant", "content": f"answer {name}"}


SYSTEM: Message = {"role": "system", "content": words(80, "system")}
RUNNING = [SYSTEM, user("a"), answer("a"), user("b")]
FOLLOWING = [*RUNNING, answer("b"), user("c")]


class Wire:
    """Sends messages through laconic and tells what arrived."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self._upstream = upstream
        self.answer: Answer | None = None

    def send(self, laconic: Laconic, messages: list[Message], **headers: str) -> list[Any]:
        """The contents of the messages as the upstream got them."""
        body = json.dumps({"model": "gpt-4o", "messages": messages}).encode()
        self.answer = chat(laconic, body, **headers)
        assert self.answer.status == 200
        return [message["content"] for message in json.loads(self._upstream.requests[-1].body)["messages"]]

    @property
    def skipped(self) -> str:
        """Why texts were left alone in the last request."""
        assert self.answer is not None
        return self.answer.headers.get("x-laconic-skipped", "")


@pytest.fixture
def wire(upstream: FakeUpstream, compressor: EverySecondWord) -> Wire:
    """A wire to a fresh upstream."""
    return Wire(upstream)


def served(upstream: FakeUpstream, **policy: Any) -> Config:
    """A configuration that shortens system, user and tool texts."""
    more = {"targets": [{"role": ["system", "user", "tool"], "min_tokens": 20}], **policy}
    store = more.pop("store", "memory:")
    return config(upstream.base_url, policy=more, store=store)


def contents(messages: list[Message]) -> list[Any]:
    """The messages' texts as they were written."""
    return [message["content"] for message in messages]


def test_a_running_conversation_is_adopted_as_it_is(upstream: FakeUpstream, wire: Wire) -> None:
    with Laconic(served(upstream)) as laconic:
        assert wire.send(laconic, RUNNING) == contents(RUNNING)
        assert wire.skipped == "adopted=4"
        assert wire.send(laconic, RUNNING) == contents(RUNNING)  # tried again
        later = wire.send(laconic, FOLLOWING)
    assert later[:-1] == contents(FOLLOWING)[:-1]
    assert len(later[-1]) < len(FOLLOWING[-1]["content"])


def test_or_shortened_where_the_policy_says_so(upstream: FakeUpstream, wire: Wire) -> None:
    with Laconic(served(upstream, adopt="all")) as laconic:
        first = wire.send(laconic, RUNNING)
        assert wire.send(laconic, FOLLOWING)[:4] == first
    assert [len(sent) < len(text) for sent, text in zip(first, contents(RUNNING), strict=True)] == [
        True, True, False, True,
    ]  # fmt: skip


def test_one_text_may_be_shortened_in_one_conversation_and_whole_in_another(
    upstream: FakeUpstream, wire: Wire
) -> None:
    with Laconic(served(upstream)) as laconic:
        short = wire.send(laconic, [SYSTEM, user("new")])[0]
        assert wire.send(laconic, RUNNING)[0] == SYSTEM["content"]
        assert wire.send(laconic, [SYSTEM, user("new"), answer("new"), user("x")])[0] == short
        assert wire.send(laconic, FOLLOWING)[0] == SYSTEM["content"]
    assert len(short) < len(SYSTEM["content"])


def test_a_changed_policy_leaves_what_was_sent(upstream: FakeUpstream, wire: Wire, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/laconic.db"
    with Laconic(served(upstream, store=store)) as laconic:
        first = wire.send(laconic, [SYSTEM, user("a")])
    with Laconic(served(upstream, store=store, protect=["numbers", "quotes"], min_saved_tokens=3)) as laconic:
        second = wire.send(laconic, RUNNING)
        third = wire.send(laconic, FOLLOWING)
        fresh = wire.send(laconic, [SYSTEM, user("z")])
    with Laconic(served(upstream, store=store)) as laconic:  # and back
        fourth = wire.send(laconic, [*FOLLOWING, answer("c"), user("d")])
    assert second[:2] == first
    assert third[:4] == second
    assert fourth[:6] == third
    assert all(
        len(sent) < len(text["content"])
        for sent, text in ((second[3], RUNNING[3]), (third[5], FOLLOWING[5]), (fresh[0], SYSTEM))
    )


def test_turns_that_went_elsewhere_stay_as_they_came(upstream: FakeUpstream, wire: Wire) -> None:
    with Laconic(config(upstream.base_url, policy={}, route={"overrides": ["mode"]})) as laconic:
        first = wire.send(laconic, [user("a")])
        passed = wire.send(laconic, [user("a"), answer("a"), user("b")], x_laconic_mode="off")
        later = wire.send(laconic, [user("a"), answer("a"), user("b"), answer("b"), user("c")])
    assert passed[2] == user("b")["content"]
    assert later[0] == first[0]
    assert later[2] == passed[2]
    assert len(later[4]) < len(user("c")["content"])


def test_a_lost_store_breaks_a_prefix_once(upstream: FakeUpstream, wire: Wire, tmp_path: Path) -> None:
    sent = []
    for number, messages in enumerate(([SYSTEM, user("a")], RUNNING, FOLLOWING)):
        store = f"sqlite:///{tmp_path}/{min(number, 1)}.db"
        with Laconic(served(upstream, store=store)) as laconic:
            sent.append(wire.send(laconic, messages))
    assert sent[1] == contents(RUNNING)
    assert sent[2][:4] == sent[1]


def test_a_store_that_is_down_is_not_a_store_that_forgot(
    upstream: FakeUpstream, wire: Wire, redis_server: RedisServer
) -> None:
    shared = served(upstream, store=redis_server.url)
    with Laconic(shared) as one, Laconic(shared) as other:
        first = wire.send(one, [SYSTEM, user("a")])
        redis_server.kill()
        second = wire.send(other, RUNNING)
        redis_server.restart()
    assert second[:2] == first


def test_conversations_are_held_out_as_a_whole(upstream: FakeUpstream, wire: Wire) -> None:
    arms = []
    with Laconic(served(upstream, holdout=0.5)) as laconic:
        for number in range(30):
            turn = [user(f"first {'abcdefghij'[number // 10]} {'klmnopqrst'[number % 10]}")]
            first = wire.send(laconic, turn)
            held_out = wire.skipped == "holdout=1"
            assert (first == contents(turn)) == held_out
            later = wire.send(laconic, [*turn, answer("x"), user("b")])
            assert later[0] == first[0]
            assert (later[2] == user("b")["content"]) == held_out
            arms.append(held_out)
    assert 5 <= sum(arms) <= 25


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.99), (0.99, 0.0)])
def test_another_share_holds_out_no_running_conversation(
    upstream: FakeUpstream, wire: Wire, tmp_path: Path, before: float, after: float
) -> None:
    store = f"sqlite:///{tmp_path}/laconic.db"
    with Laconic(served(upstream, store=store, holdout=before)) as laconic:
        first = wire.send(laconic, [user("a")])
    with Laconic(served(upstream, store=store, holdout=after)) as laconic:
        later = wire.send(laconic, [user("a"), answer("a"), user("b")])
    assert later[0] == first[0]
    assert (later[2] == user("b")["content"]) == (before == 0.99)


def test_what_seemed_not_worth_it_once_is_left_for_good(
    upstream: FakeUpstream, wire: Wire, compressor: EverySecondWord
) -> None:
    rule = {"value": "price", "usd_per_second": 0.001}
    with Laconic(served(upstream, break_even=rule)) as laconic:
        engine = next(iter(laconic.gateway.engines.values()))
        engine.speed.add(10_000_000, 10_000_000.0)  # a second for each token
        assert wire.send(laconic, [SYSTEM, user("a")]) == [SYSTEM["content"], user("a")["content"]]
        assert wire.skipped == "not_worth=2"
        engine.speed.add(1_000_000_000, 1.0)
        later = wire.send(laconic, [SYSTEM, user("a"), answer("a"), user("b")])
        counted = metric(laconic.origin, "laconic_break_even_total", verdict="not_worth")
    assert later[:2] == [SYSTEM["content"], user("a")["content"]]
    assert len(later[3]) < len(user("b")["content"])
    assert counted >= 2


def test_break_even_may_be_off(upstream: FakeUpstream, wire: Wire) -> None:
    with Laconic(served(upstream, break_even={"value": "off"})) as laconic:
        next(iter(laconic.gateway.engines.values())).speed.add(10_000_000, 10_000_000.0)
        assert len(wire.send(laconic, [user("a")])[0]) < len(user("a")["content"])


def _marked(text: str) -> Message:
    part = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
    return {"role": "user", "content": [part]}


def _asking(upstream: FakeUpstream) -> Config:
    """A configuration whose decisions depend on the question."""
    compressors = {"default": {"method": "longllmlingua", "device": "cpu"}}
    return config(upstream.base_url, compressors=compressors)


def test_what_lies_before_a_cache_mark_does_not_depend_on_the_question(
    upstream: FakeUpstream, wire: Wire
) -> None:
    documents = _marked(words(200, "document"))
    with Laconic(_asking(upstream)) as laconic:
        sent = {
            wire.send(laconic, [documents, {"role": "user", "content": question}])[0][0]["text"]
            for question in ("when?", "where?", "who?", "why?")
        }
    assert len(sent) == 1
    assert len(sent.pop()) < len(documents["content"][0]["text"])


def test_a_cache_mark_that_moves_on_changes_nothing(upstream: FakeUpstream, wire: Wire) -> None:
    result = {"role": "tool", "tool_call_id": "1", "content": words(200, "tool")}
    plain = [user("a"), answer("a"), result, {"role": "user", "content": "and where?"}]
    with Laconic(_asking(upstream)) as laconic:
        wire.send(laconic, plain[:1])
        before = wire.send(laconic, plain)
        after = wire.send(laconic, [*plain, answer("b"), _marked("go on")])
    assert after[: len(plain)] == before
    assert len(before[2]) < len(result["content"])


def test_a_text_left_in_one_conversation_is_shortened_in_the_next(
    upstream: FakeUpstream, wire: Wire, compressor: EverySecondWord
) -> None:
    with Laconic(served(upstream)) as laconic:
        compressor.error = RuntimeError()
        assert wire.send(laconic, [SYSTEM, user("a")])[0] == SYSTEM["content"]
        compressor.error = None
        short = wire.send(laconic, [SYSTEM, user("b")])[0]
        assert wire.send(laconic, [SYSTEM, user("a"), answer("a"), user("c")])[0] == SYSTEM["content"]
        assert wire.skipped == "failed=2, role=1"
    assert len(short) < len(SYSTEM["content"])


def test_markup_goes_from_texts_that_stay_as_they_came(upstream: FakeUpstream, wire: Wire) -> None:
    tagged = {"role": "user", "content": f"<laconic:keep>{words(30)}</laconic:keep> {words(30, 'more')}"}
    with Laconic(config(upstream.base_url, route={"tags": True})) as laconic:
        sent = wire.send(laconic, [tagged, answer("a"), user("b")])
        again = wire.send(laconic, [tagged, answer("a"), user("b"), answer("b"), user("c")])
    assert sent[0] == again[0] == f"{words(30)} {words(30, 'more')}"


def test_what_failed_stays_as_it_came_with_all_its_json(
    upstream: FakeUpstream, wire: Wire, compressor: EverySecondWord
) -> None:
    mixed = f'{words(60)}\n\n{{"a": 1, "b": [1, 2, 3]}}\n\n{words(60, "more")}'
    turn = [{"role": "user", "content": mixed}]
    with Laconic(served(upstream, json_layout="compact", protect=["json"])) as laconic:
        compressor.error = RuntimeError()
        first = wire.send(laconic, turn)
        compressor.error = None
        later = wire.send(laconic, [*turn, answer("a"), user("b")])
    assert first == [mixed]
    assert later[0] == mixed


def test_json_alone_needs_no_compressor(
    upstream: FakeUpstream, wire: Wire, compressor: EverySecondWord
) -> None:
    result = {"role": "user", "content": json.dumps({name: list(range(9)) for name in "abcdefgh"}, indent=2)}
    compressor.error = RuntimeError()
    with Laconic(served(upstream, json_layout="compact", protect=["json"])) as laconic:
        sent = wire.send(laconic, [result])
    assert sent == [json.dumps(json.loads(result["content"]), separators=(",", ":"))]
    assert wire.skipped == ""
