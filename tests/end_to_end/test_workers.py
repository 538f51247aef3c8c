"""Several workers and one model: real processes, the embedded models."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.laconic import Answer, body
from tests.fakes.serving import ask, children, has_torch, serving
from tests.fakes.upstream import FakeUpstream

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.timeout(240),
]

PROSE = (
    "Priya said that the launch will not happen before September 28, because the payment provider changed its test "
    "environment without telling anybody, and since then about 8 % of the test payments have been failing. "
)
# Nothing is shared but the model, so that each worker decides by itself.
CONFIG = """\
upstreams:
  fake: {{base_url: "{url}"}}
compressors:
  mine: {{method: {method}}}
policies:
  careful:
    compressor: mine
    targets: [{{role: [user, tool], min_tokens: 50}}]
    ranges: [{{rate: 0.5}}]
    deadline_ms: 30000
    min_saved_tokens: 10
    keep_cacheable: false
    break_even: {{value: "off"}}
routes:
  - {{name: default, upstream: fake, policy: careful}}
"""


@pytest.fixture
def port(upstream: FakeUpstream) -> int:
    """A port that was free a moment ago."""
    with FakeUpstream() as other:
        return other.port


def _config(folder: Path, upstream: FakeUpstream, method: str = "llmlingua2") -> Path:
    path = folder / "laconic.yaml"
    path.write_text(CONFIG.format(url=upstream.base_url, method=method))
    return path


def _until(condition: Callable[[], bool], timeout_s: float = 90) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def _saved(answer: Answer) -> int:
    return int(answer.headers["x-laconic-saved-tokens"])


def _with_torch(supervisor: int) -> list[int]:
    return [pid for pid in children(supervisor) if has_torch(pid)]


def test_one_process_has_the_model(upstream: FakeUpstream, port: int, tmp_path: Path) -> None:
    path, log = _config(tmp_path, upstream), tmp_path / "log"
    with serving("--config", str(path), "--workers", "2", port=port, log=log) as process:
        _until(lambda: len(_with_torch(process.pid)) == 1)
        answers = [ask(port, PROSE * 3) for _ in range(20)]
        assert all(answer.status == 200 for answer in answers)
        assert all(_saved(answer) > 0 for answer in answers), log.read_text()
        sent = {request.body for request in upstream.requests}
        assert len(sent) == 1
        assert len(sent.pop()) < len(body(PROSE * 3))
        (there,) = _with_torch(process.pid)
        assert not has_torch(process.pid)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):  # as a terminal sends them to all
            os.kill(there, number)
        assert _saved(ask(port, PROSE * 4)) > 0
        assert _with_torch(process.pid) == [there]
        everyone = children(process.pid)
    for pid in everyone:
        _until(lambda pid=pid: not Path(f"/proc/{pid}").exists())  # type: ignore[misc]


def test_no_request_is_lost_with_the_compressors_process(
    upstream: FakeUpstream, port: int, tmp_path: Path
) -> None:
    path, log = _config(tmp_path, upstream), tmp_path / "log"
    with serving("--config", str(path), "--workers", "2", port=port, log=log) as process:
        (victim,) = _with_torch(process.pid)
        answers: list[Answer] = []
        over = threading.Event()

        def keep_asking(name: str) -> None:
            while not over.is_set():
                answers.append(ask(port, f"{name} {len(answers)}. " + PROSE * 8))
                time.sleep(0.1)  # the new process needs some of the processor

        threads = [threading.Thread(target=keep_asking, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        _until(lambda: len(answers) > 4)
        os.kill(victim, signal.SIGKILL)
        before = len(answers)
        _until(lambda: any(_saved(answer) == 0 for answer in answers[before:]))
        _until(lambda: len(_with_torch(process.pid)) == 1)
        back = len(answers)
        _until(lambda: any(_saved(answer) > 0 for answer in answers[back + 4 :]))
        over.set()
        for thread in threads:
            thread.join()
        assert {answer.status for answer in answers} == {200}
        assert _with_torch(process.pid) != [victim]
        assert "started again" in log.read_text()


def test_another_compressor_takes_over_in_the_same_process(
    upstream: FakeUpstream, port: int, tmp_path: Path
) -> None:
    path, log = _config(tmp_path, upstream), tmp_path / "log"
    with serving("--config", str(path), "--workers", "2", port=port, log=log) as process:
        before = ask(port, PROSE * 3)
        assert _saved(before) > 0
        first = upstream.requests[-1].body
        there = _with_torch(process.pid)
        _config(tmp_path, upstream, "llmlingua")
        _until(lambda: log.read_text().count("configuration reloaded") == 2)
        answers = [ask(port, PROSE * 3) for _ in range(10)]
        assert all(_saved(answer) > 0 for answer in answers)
        assert len({request.body for request in upstream.requests[1:]}) == 1
        assert upstream.requests[-1].body != first
        assert _with_torch(process.pid) == there
