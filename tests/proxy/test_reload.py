"""A changed file takes over without dropping a request; an invalid one is refused."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.loading import load_config
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, body, chat, words
from tests.fakes.upstream import FakeUpstream

_FILE = """
upstreams:
  fake: {{base_url: "{url}"}}
policies:
  careful:
    {{targets: [{{role: user}}], ranges: [{{rate: 0.5}}], min_saved_tokens: 1, keep_cacheable: false, mode: {mode},
      deadline_ms: 9000}}
routes:
  - {{name: default, upstream: fake, policy: careful}}
"""


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError


@pytest.fixture
def path(tmp_path: Path, upstream: FakeUpstream) -> Path:
    file = tmp_path / "laconic.yaml"
    file.write_text(_FILE.format(url=upstream.base_url, mode="'on'"))
    return file


def _serve(path: Path) -> Laconic:
    return Laconic(load_config(path.read_text(), str(path), {}), path)


def test_a_changed_file_takes_over(path: Path, upstream: FakeUpstream, compressor: EverySecondWord) -> None:
    with _serve(path) as laconic:
        engine = next(iter(laconic.gateway.engines.values()))
        assert chat(laconic, body(words(50))).headers["x-laconic-mode"].startswith("on")
        path.write_text(_FILE.format(url=upstream.base_url, mode="'off'"))
        _until(lambda: chat(laconic, body(words(50))).headers["x-laconic-mode"].startswith("off"))
        assert next(iter(laconic.gateway.engines.values())) is engine  # an unchanged model isn't loaded again


def test_a_request_under_way_is_served_to_its_end(
    path: Path, upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with _serve(path) as laconic:
        compressor.gate.clear()
        answers: list[dict[str, str]] = []
        under_way = threading.Thread(target=lambda: answers.append(chat(laconic, body(words(50))).headers))
        under_way.start()
        _until(lambda: bool(compressor.jobs))
        old = laconic.gateway
        path.write_text(_FILE.format(url=upstream.base_url, mode="'off'") + "max_in_flight: 7\n")
        _until(lambda: laconic.gateway is not old)
        compressor.gate.set()
        under_way.join()
        assert answers[0]["x-laconic-mode"].startswith("on")
        assert int(answers[0]["x-laconic-saved-tokens"]) > 0


def test_a_request_that_is_still_arriving_keeps_its_model(
    path: Path, upstream: FakeUpstream, compressor: EverySecondWord
) -> None:
    with _serve(path) as laconic:
        old = laconic.gateway
        content = body(words(50))
        with socket.create_connection(("127.0.0.1", laconic.port)) as connection:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
            connection.sendall(head.encode() + content[:10])
            _until(lambda: old.requests == 1)
            path.write_text(path.read_text() + "compressors: {default: {max_queue_tokens: 1000}}\n")
            _until(lambda: laconic.gateway is not old)
            connection.sendall(content[10:])
            answer = connection.recv(65536)
        assert b"x-laconic-mode: on" in answer
        assert b"x-laconic-saved-tokens: 0" not in answer
        _until(lambda: not any(engine.is_ready for engine in old.engines.values()))


def test_an_invalid_file_is_refused_and_the_old_one_stays(
    path: Path, upstream: FakeUpstream, compressor: EverySecondWord, caplog: pytest.LogCaptureFixture
) -> None:
    with _serve(path) as laconic, caplog.at_level(logging.ERROR, "laconic.config"):
        path.write_text(path.read_text().replace("rate: 0.5", "rat: 0.5"))
        _until(lambda: "did you mean rate" in caplog.text)
        assert chat(laconic, body(words(50))).headers["x-laconic-mode"].startswith("on")
        assert chat(laconic, body(words(50))).status == 200


def test_a_file_with_a_model_that_cannot_be_loaded_is_refused(
    path: Path,
    upstream: FakeUpstream,
    compressor: EverySecondWord,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(*_: object, **__: object) -> EverySecondWord:
        raise OSError("no such checkpoint")

    with _serve(path) as laconic, caplog.at_level(logging.ERROR, "laconic.config"):
        monkeypatch.setattr("compressors.load", load)
        path.write_text(path.read_text() + "compressors: {default: {model: acme/none}}\n")
        _until(lambda: "no such checkpoint" in caplog.text)
        assert int(chat(laconic, body(words(50))).headers["x-laconic-saved-tokens"]) > 0
