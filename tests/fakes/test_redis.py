"""The Redis that tests use can be killed, restarted empty, and made to hang."""

from __future__ import annotations

import pytest
import redis

from tests.fakes.redis import INSTALL, RedisServer


def test_restart_after_kill_gives_an_empty_server_at_the_same_url() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.set("key", "value")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("key")
        server.restart()
        assert client.get("key") is None


def test_a_hung_server_times_out_and_comes_back_with_its_data() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url, socket_timeout=0.1) as client:
        client.set("key", "value")
        server.hang()
        with pytest.raises(redis.TimeoutError):
            client.get("key")
        server.resume()
        assert client.get("key") == b"value"


def test_a_missing_binary_is_answered_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError) as caught:
        RedisServer()
    assert str(caught.value) == INSTALL
