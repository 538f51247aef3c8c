"""`laconic serve --capture`: what the proxy hands to the capture, and what the command says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click import BadParameter
from click.testing import CliRunner

from policies.config import Config
from proxy.capture import Capture
from proxy.cli import main
from proxy.cli.size import Size
from proxy.credentials import key_hash
from proxy.replay.reading import read
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, body, chat, config, metric, send, words
from tests.fakes.upstream import FakeUpstream

SECRET = "sk-a-secret-of-the-search-team"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "capture.jsonl"


@contextmanager
def _capturing(
    served: Config, path: Path, *, max_bytes: int = 2**20, redact: bool = False
) -> Iterator[Laconic]:
    capture = Capture.open(path, b"a key for tests only", max_bytes=max_bytes, redact=redact)
    with Laconic(served, capture=capture) as laconic:
        yield laconic


def _requests(path: Path) -> list[Any]:
    return [json.loads(line)["request"] for line in path.read_text().splitlines()]


def test_chat_requests_are_captured_as_they_came(
    upstream: FakeUpstream, compressor: EverySecondWord, path: Path
) -> None:
    bodies = [body(words(100)), body(words(100), stream=True)]
    before = 0.0
    with _capturing(config(upstream.base_url), path) as laconic:
        before = metric(laconic.origin, "laconic_captured_total", result="written")
        assert (
            int(chat(laconic, bodies[0], authorization=f"Bearer {SECRET}").headers["x-laconic-saved-tokens"])
            > 0
        )
        chat(laconic, gzip.compress(bodies[1]), content_encoding="gzip", cookie=SECRET)
        send("GET", laconic.base_url + "/models")
        send("POST", laconic.base_url + "/embeddings", b"{}")
        assert chat(laconic, b"{").status == 400
    assert _requests(path) == [json.loads(each) for each in bodies]
    assert SECRET not in path.read_text()
    with Laconic(config(upstream.base_url)) as laconic:
        assert metric(laconic.origin, "laconic_captured_total", result="written") == before + 2


def test_requests_that_pass_through_are_captured_too(upstream: FakeUpstream, path: Path) -> None:
    route = {"name": "plain", "policy": None}
    with _capturing(config(upstream.base_url, route=route), path) as laconic:
        sent = b'{"model": "gpt-4o", "messages":  [{"role": "user", "content": "hello"}]}'
        assert chat(laconic, sent).status == 200
    assert _requests(path) == [json.loads(sent)]
    assert upstream.requests[0].body == sent


def test_a_capture_can_be_replayed(upstream: FakeUpstream, compressor: EverySecondWord, path: Path) -> None:
    first, answer = {"role": "user", "content": words(50)}, {"role": "assistant", "content": "fine"}
    turns = [[first], [first, answer, {"role": "user", "content": words(50, "b")}]]
    with _capturing(config(upstream.base_url), path, redact=True) as laconic:
        for messages in turns:
            chat(
                laconic, json.dumps({"model": "gpt-4o", "messages": messages}).encode(), x_laconic_mode="off"
            )
        chat(laconic, body(words(50, "c")))
    traffic = read(path)
    assert [len(conversation.requests) for conversation in traffic.conversations] == [2, 1]
    turn = traffic.conversations[0].requests[1]
    assert turn.body["messages"][0] == traffic.conversations[0].requests[0].body["messages"][0]
    assert turn.headers == {"x-laconic-mode": "off"}


def test_callers_take_the_route_that_names_their_key(
    upstream: FakeUpstream, compressor: EverySecondWord, path: Path
) -> None:
    routes = [
        {"name": "team", "match": {"key": key_hash(SECRET)}, "upstream": "fake", "policy": "careful"},
        {"name": "others", "upstream": "fake"},
    ]
    served = Config.model_validate(config(upstream.base_url).model_dump() | {"routes": routes})
    with _capturing(served, path) as laconic:
        ours = chat(laconic, body(words(100)), authorization=f"Bearer {SECRET}")
        others = chat(laconic, body(words(100)), authorization="Bearer sk-of-somebody-else")
    assert ours.headers["x-laconic-mode"] == "on; source=route:team"
    assert others.headers["x-laconic-mode"] == "off; source=route:others"
    keys = [json.loads(line).get("key") for line in path.read_text().splitlines()]
    assert keys == [key_hash(SECRET), None]


def test_a_full_capture_leaves_requests_alone(
    upstream: FakeUpstream, compressor: EverySecondWord, path: Path
) -> None:
    with _capturing(config(upstream.base_url), path, max_bytes=1000) as laconic:
        answers = [chat(laconic, body(words(50, f"{number}x"))) for number in range(4)]
    assert {answer.status for answer in answers} == {200}
    assert path.stat().st_size <= 1000
    assert len(_requests(path)) < 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--capture", "missing/capture.jsonl"], "missing/capture.jsonl: No such file or directory"),
        (["--capture", "capture.jsonl", "--capture-max-bytes", "much"], "such as 500MB, 1GiB"),
        (["--capture-redact"], "--capture-redact needs --capture"),
    ],
)
def test_what_cannot_be_captured_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["serve", *options])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000000", 10**6),
        ("500MB", 5 * 10**8),
        ("1GiB", 2**30),
        ("1.5 kib", 1536),
        ("2T", 2 * 10**12),
        ("7B", 7),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1XB", "GiB", "1e9"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(BadParameter, match="such as 500MB"):
        Size().convert(text, None, None)
