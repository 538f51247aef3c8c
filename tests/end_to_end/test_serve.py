"""`laconic serve` as a process: workers, signals, the embedded model, the real client."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from openai import OpenAI

from tests.fakes.laconic import body, metric
from tests.fakes.serving import ask, serving
from tests.fakes.upstream import FakeUpstream

PROSE = (
    "Priya said that the launch will not happen before September 28, because the payment provider changed its test "
    "environment without telling anybody, and since then about 8 % of the test payments have been failing. "
)
CONFIG = """\
upstreams:
  fake: {{base_url: "{url}"}}
store: "sqlite:///{folder}/laconic.db"
policies:
  careful:
    targets: [{{role: [user, tool], min_tokens: 50}}]
    ranges: [{{rate: 0.5}}]
    deadline_ms: 30000
    min_saved_tokens: {least}
    keep_cacheable: false
routes:
  - {{name: default, upstream: fake, policy: careful}}
"""


def _write(path: Path, upstream: FakeUpstream, least: int = 10) -> None:
    path.write_text(CONFIG.format(url=upstream.base_url, folder=path.parent, least=least))


@pytest.fixture
def port(upstream: FakeUpstream) -> int:
    """A port that was free a moment ago."""
    with FakeUpstream() as other:
        return other.port


def test_without_a_configuration_file(upstream: FakeUpstream, port: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        serving(port=port, log=log, LACONIC_UPSTREAM_URL=upstream.base_url),
        OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="sk-secret") as client,
    ):
        for stream in (False, True):
            text = PROSE * 60 + str(stream)
            raw = client.chat.completions.with_raw_response.create(
                model="gpt-4o", messages=[{"role": "user", "content": text}], stream=stream
            )
            assert int(raw.headers["x-laconic-original-tokens"]) > 2000
            assert (
                int(raw.headers["x-laconic-saved-tokens"]) > 100
                or "deadline" in raw.headers["x-laconic-skipped"]
            )
            answer = raw.parse()
            assert list(answer) if stream else answer.choices  # type: ignore[union-attr]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sum(line["event"] == "request" and line["route"] == "default" for line in lines) == 2
    assert "Priya" not in log.read_text()
    assert "sk-secret" not in log.read_text()


def test_workers_share_their_store_and_add_up_their_metrics(
    upstream: FakeUpstream, port: int, tmp_path: Path
) -> None:
    path = tmp_path / "laconic.yaml"
    _write(path, upstream)
    with serving("--config", str(path), "--workers", "2", port=port, log=tmp_path / "log"):
        for _ in range(20):
            assert ask(port, PROSE * 3).status == 200
        assert len({request.body for request in upstream.requests}) == 1
        assert len(upstream.requests[0].body) < len(body(PROSE * 3))
        address, until = f"http://127.0.0.1:{port}", time.monotonic() + 10
        while metric(address, "laconic_requests_total", route="default", status="200") < 20:
            assert time.monotonic() < until  # a request counts when its answer has gone out
            time.sleep(0.1)
        assert metric(address, "laconic_requests_total", route="default", status="200") == 20
        assert metric(address, "laconic_original_tokens_count", route="default") == 20


@pytest.mark.parametrize("redact", [False, True])
def test_workers_write_one_capture(upstream: FakeUpstream, port: int, tmp_path: Path, redact: bool) -> None:
    path, log, capture = tmp_path / "laconic.yaml", tmp_path / "log", tmp_path / "capture.jsonl"
    _write(path, upstream)
    options = ["--config", str(path), "--workers", "2", "--capture", str(capture)]
    with serving(*options, *["--capture-redact"] * redact, "--quiet", port=port, log=log):
        for _ in range(20):
            assert ask(port, PROSE * 3).status == 200
    lines = [json.loads(line) for line in capture.read_text().splitlines()]
    assert len(lines) == 20
    assert len({line["conversation"] for line in lines}) == 1
    assert len({json.dumps(line["request"]) for line in lines}) == 1  # all workers have the same key
    assert (lines[0]["request"] == json.loads(body(PROSE * 3))) != redact
    assert ("Priya" in capture.read_text()) != redact
    assert f"written to {capture}" in log.read_text()
    assert "Priya" not in log.read_text()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_hang_up_loads_the_configuration_again(
    upstream: FakeUpstream, port: int, tmp_path: Path, workers: str
) -> None:
    path = tmp_path / "laconic.yaml"
    _write(path, upstream)
    with serving("--config", str(path), "--workers", workers, port=port, log=tmp_path / "log") as process:
        assert int(ask(port, PROSE * 3).headers["x-laconic-saved-tokens"]) > 0
        stamp = path.stat()
        _write(path, upstream, least=9999)
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            answers = [ask(port, PROSE * 3) for _ in range(6)]
            assert all(answer.status == 200 for answer in answers)
            if all(answer.headers["x-laconic-saved-tokens"] == "0" for answer in answers):
                return
            time.sleep(0.2)
        pytest.fail((tmp_path / "log").read_text())


def test_an_end_waits_for_requests_under_way(upstream: FakeUpstream, port: int, tmp_path: Path) -> None:
    path = tmp_path / "laconic.yaml"
    _write(path, upstream)
    with (
        serving("--config", str(path), port=port, log=tmp_path / "log") as process,
        OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="x", max_retries=0) as client,
    ):
        upstream.event_delay_s = 0.05
        stream = client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        next(iter(stream))
        process.terminate()
        assert [chunk for chunk in stream if chunk.choices][-1].choices[0].finish_reason == "stop"
        assert process.wait(20) in (0, -signal.SIGTERM)
