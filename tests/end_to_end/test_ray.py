"""The proxy and its compressors on a Ray cluster of two nodes, with the embedded model and a real Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.laconic import Answer, body, send
from tests.fakes.redis import RedisServer
from tests.fakes.serving import ask
from tests.fakes.upstream import FakeUpstream

os.environ.update(
    RAY_USAGE_STATS_ENABLED="0", RAY_enable_metrics_collection="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0"
)
ray = pytest.importorskip("ray")
pytest.importorskip("ray.serve")

pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]

PROSE = (
    "Priya said that the launch will not happen before September 28, because the payment provider changed its test "
    "environment without telling anybody, and since then about 8 % of the test payments have been failing. "
)
CONFIG = """\
upstreams:
  fake: {base_url: "${FAKE_URL}"}
store: "${STORE_URL}"
compressors:
  mine: {ray: {num_replicas: 2, num_cpus: 1, max_ongoing_requests: 32}}
policies:
  careful:
    compressor: mine
    targets: [{role: [user, tool], min_tokens: 50}]
    ranges: [{rate: 0.5}]
    deadline_ms: 30000
    min_saved_tokens: 10
    keep_cacheable: false
    break_even: {value: "off"}
routes:
  - {name: default, upstream: fake, policy: careful}
"""


@pytest.fixture(scope="module")
def shared_upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


@dataclass
class Served:
    """`laconic serve --engine ray` with two proxies, on a cluster of two nodes."""

    process: subprocess.Popen[bytes]
    port: int
    config: Path
    log: Path

    def wait_for(self, line: str) -> None:
        """Until the log holds `line`."""
        _until(lambda: line in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()


@pytest.fixture(scope="module")
def served(shared_upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    from ray import serve
    from ray.cluster_utils import Cluster

    folder = tmp_path_factory.mktemp("ray")
    path, log = folder / "laconic.yaml", folder / "log"
    path.write_text(CONFIG)
    with FakeUpstream() as other:
        port = other.port
    with RedisServer() as redis, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LACONIC_SECRET", "a secret for tests only")
        patch.setenv("FAKE_URL", shared_upstream.base_url)
        patch.setenv("STORE_URL", redis.url)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 4, "include_dashboard": False})
        try:
            cluster.add_node(num_cpus=4)
            ray.init(cluster.address, log_to_driver=False, logging_level="warning")
            # Both nodes are this machine, so only one of them can listen.
            serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
            options = ["--ray-address", cluster.address, "--config", str(path), "--workers", "2"]
            command = [sys.executable, "-m", "proxy.cli", "serve", "--engine", "ray", *options]
            with log.open("wb") as errors, subprocess.Popen(command, stderr=errors) as process:
                found = Served(process, port, path, log)
                try:
                    found.wait_for("2 proxies serve")
                    _until(lambda: all(_is_ready(port) for _ in range(10)))
                    yield found
                finally:
                    process.terminate()
                    process.wait(60)
        finally:
            serve.shutdown()  # type: ignore[no-untyped-call]
            ray.shutdown()
            cluster.shutdown()  # type: ignore[no-untyped-call]


def _until(condition: Callable[[], bool], timeout_s: float = 90) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def _is_ready(port: int) -> bool:
    return send("GET", f"http://127.0.0.1:{port}/readyz").status == 200


def _saved(answer: Answer) -> int:
    return int(answer.headers["x-laconic-saved-tokens"])


def _copies(deployment: str) -> list[dict[str, Any]]:
    named = ray.util.list_named_actors(all_namespaces=True)
    return [actor for actor in named if f"#{deployment}#" in actor["name"]]


def test_proxies_give_the_same_bytes(served: Served, shared_upstream: FakeUpstream) -> None:
    assert len(_copies("proxy")) == 2
    assert len(_copies("compressor-mine")) == 2
    answers = [ask(served.port, PROSE * 3) for _ in range(20)]
    assert {answer.status for answer in answers} == {200}
    assert all(_saved(answer) > 0 for answer in answers)
    sent = {request.body for request in shared_upstream.requests}
    assert len(sent) == 1
    assert len(sent.pop()) < len(body(PROSE * 3))


def test_answers_are_streamed(served: Served) -> None:
    answer = send("POST", f"http://127.0.0.1:{served.port}/v1/chat/completions", body(PROSE * 3, stream=True))
    assert answer.status == 200
    assert answer.body.rstrip().endswith(b"data: [DONE]")


def test_no_request_is_lost_with_a_copy(served: Served) -> None:
    answers: list[Answer] = []
    over = threading.Event()

    def keep_asking(name: str) -> None:
        while not over.is_set():
            answers.append(ask(served.port, f"{name} {len(answers)}. " + PROSE * 6))
            time.sleep(0.02)

    threads = [threading.Thread(target=keep_asking, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    try:
        _until(lambda: len(answers) > 8)
        victim = _copies("compressor-mine")[0]
        ray.kill(ray.get_actor(victim["name"], victim["namespace"]))
        killed = len(answers)
        _until(lambda: len(answers) > killed + 8 and victim not in _copies("compressor-mine"))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert {answer.status for answer in answers} == {200}
    assert all(_saved(answer) > 0 for answer in answers[-4:])


def test_a_hang_up_deploys_the_configuration_again(served: Served) -> None:
    copies = _copies("compressor-mine")
    served.config.write_text(CONFIG.replace("min_saved_tokens", "min_saved"))
    served.process.send_signal(signal.SIGHUP)
    served.wait_for("configuration refused")
    assert _saved(ask(served.port, PROSE * 4)) > 0
    served.config.write_text(CONFIG.replace("min_saved_tokens: 10", "min_saved_tokens: 9999"))
    served.process.send_signal(signal.SIGHUP)
    served.wait_for("deployed again")
    assert _saved(ask(served.port, PROSE * 4)) == 0
    assert all(copy in _copies("compressor-mine") for copy in copies)  # go on as they were


def test_an_end_takes_everything_away(served: Served) -> None:
    served.process.terminate()
    assert served.process.wait(60) == 0
    assert not _copies("proxy")
    assert not _copies("compressor-mine")
