"""Requests captured for a replay: what a line holds, who may read it, and that nothing is cut or delayed."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from policies.config import Config
from proxy import capture as capture_module
from proxy.capture import Capture
from proxy.capture.file import CaptureFile
from proxy.credentials import key_hash

PATH = "/v1/chat/completions"
KEY = b"a key for tests only, of 32 bytes"
SECRET = "sk-a-secret-of-the-search-team"


def _config(*matches: dict[str, Any]) -> Config:
    routes = [{"name": f"r{i}", "match": match, "upstream": "u"} for i, match in enumerate(matches)]
    return Config.model_validate({"upstreams": {"u": {"base_url": "http://u/v1"}}, "routes": routes})


CONFIG = _config({"header": {"X-Team": "*", "Authorization": "*"}})


def _body(*texts: str, model: str = "gpt-4o", answers: str = "fine") -> bytes:
    messages = []
    for number, text in enumerate(texts):
        messages += [{"role": "assistant", "content": answers}] if number else []
        messages.append({"role": "user", "content": text})
    return json.dumps({"model": model, "messages": messages}).encode()


def _captured(result: str) -> float:
    return REGISTRY.get_sample_value("laconic_captured_total", {"result": result}) or 0.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "capture.jsonl"


@pytest.fixture
def capture(path: Path) -> Iterator[Capture]:
    opened = _open(path)
    yield opened
    opened.close()


def _open(path: Path, *, max_bytes: int = 2**20, redact: bool = False, key: bytes = KEY) -> Capture:
    return Capture.open(path, key, max_bytes=max_bytes, redact=redact)


def _lines(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    assert content.endswith(b"\n") or not content
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def _written(path: Path, *bodies: bytes, config: Config = CONFIG, **headers: str) -> list[dict[str, Any]]:
    """The lines of a capture of requests with these bodies."""
    opened = _open(path)
    for body in bodies:
        opened.write(config, PATH, {name.replace("_", "-"): text for name, text in headers.items()}, body)
    opened.close()
    return _lines(path)


def test_a_line_holds_what_a_replay_needs(path: Path) -> None:
    body = _body("Hello")
    (line,) = _written(path, body, x_team="search", x_laconic_rate="0.5", user_agent="x")
    assert line["request"] == json.loads(body)
    assert line["path"] == PATH
    assert line["headers"] == {"x-team": "search", "x-laconic-rate": "0.5"}
    assert isinstance(line["time"], float)
    assert len(line["conversation"]) == 16
    assert set(line) == {"request", "path", "headers", "time", "conversation"}


def test_a_redacted_line_says_so(path: Path) -> None:
    opened = _open(path, redact=True)
    opened.write(CONFIG, PATH, {}, _body("Hello"))
    opened.close()
    (line,) = _lines(path)
    assert line["redacted"] is True


def test_no_credential_is_written_even_where_a_route_matches_on_it(path: Path) -> None:
    _written(
        path, _body("Hello"), authorization=f"Bearer {SECRET}", api_key=SECRET, cookie=SECRET, x_team="a"
    )
    assert SECRET not in path.read_text()


def test_the_key_is_written_by_its_hash_where_a_route_names_it(path: Path) -> None:
    config = _config({"key": key_hash(SECRET)}, {})
    lines = _written(path, _body("Hello"), config=config, authorization=f"Bearer {SECRET}")
    lines = _written(path, _body("Hello"), config=config, authorization="Bearer sk-of-somebody-else")
    assert lines[0]["key"] == key_hash(SECRET)
    assert "key" not in lines[1]
    assert SECRET not in path.read_text()


def test_the_body_stands_there_as_it_came(path: Path) -> None:
    messages = b'"messages": [{"role": "user", "content": "a\\nb"}]'
    body = b'{\r\n  "z": 1.50, "a": 12345678901234567890123, "e": 1E5,\n' + messages + b"}"
    _written(path, body + b"\n")
    assert body.replace(b"\n", b" ").replace(b"\r", b" ") in path.read_bytes()
    assert len(_lines(path)) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"a": "\xff"}', b'{"a": 1} {"b": 2}', b'{"messages": []}']
)
def test_what_is_no_chat_request_is_left_out(path: Path, body: bytes) -> None:
    before = _captured("dropped")
    assert [line["request"] for line in _written(path, body, _body("Hello"))] == [json.loads(_body("Hello"))]
    assert _captured("dropped") == before + 1


def test_all_turns_of_a_conversation_have_its_name(path: Path) -> None:
    turns = [_body(*texts) for texts in (["one"], ["one", "two"], ["one", "two", "three"])]
    other = [_body("one", "two", answers="better"), _body("one", model="o3"), _body("two")]
    names = [line["conversation"] for line in _written(path, *turns, *other)]
    assert len(set(names[:5])) == 1  # neither later turns nor the model tell conversations apart
    assert names[5] != names[0]


def test_a_greeting_does_not_make_all_conversations_one(path: Path) -> None:
    greeting = [
        {"role": "system", "content": "Be kind."},
        {"role": "assistant", "content": "How can I help?"},
    ]
    asked = [{"messages": [*greeting, {"role": "user", "content": text}]} for text in ("one", "two")]
    lines = _written(path, *(json.dumps(request).encode() for request in asked))
    assert lines[0]["conversation"] != lines[1]["conversation"]


def test_two_captures_cannot_be_linked(path: Path, tmp_path: Path) -> None:
    names = []
    for number in range(2):
        opened = _open(tmp_path / str(number), key=bytes([number]) * 32)
        opened.write(CONFIG, PATH, {}, _body("Hello"))
        opened.close()
        names.append(_lines(tmp_path / str(number))[0]["conversation"])
    assert names[0] != names[1]


@pytest.mark.parametrize("existing", [False, True])
def test_only_the_owner_can_read_it(path: Path, existing: bool) -> None:
    if existing:
        path.write_text("")
        path.chmod(0o644)
    _written(path, _body("Hello"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_existing_file_is_appended_to(path: Path) -> None:
    _written(path, _body("one"))
    assert len(_written(path, _body("two"))) == 2


def test_a_line_that_was_cut_off_spoils_no_other(path: Path) -> None:
    path.write_bytes(b'{"time": 1, "conv')
    opened = _open(path)
    opened.write(CONFIG, PATH, {}, _body("Hello"))
    opened.close()
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"time": 1, "conv'
    assert json.loads(whole)["request"] == json.loads(_body("Hello"))


def test_it_ends_at_the_greatest_size_with_one_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "laconic.capture")
    before = _captured("over_cap"), _captured("written")
    opened = _open(path, max_bytes=10_000)
    bodies = [_body(f"{number} " + "word " * 300) for number in range(20)]
    for body in [*bodies, _body("short")]:
        opened.write(CONFIG, PATH, {}, body)
    opened.close()
    lines = _lines(path)
    assert 0 < len(lines) < 20
    assert [line["request"] for line in lines] == [json.loads(body) for body in bodies[: len(lines)]]
    assert path.stat().st_size <= 10_000
    assert _captured("written") - before[1] == len(lines)
    assert _captured("over_cap") - before[0] == 21 - len(lines)
    assert sum("greatest size" in record.message for record in caplog.records) == 1


def test_a_slow_disk_costs_requests_in_the_file_but_no_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "laconic.capture")
    monkeypatch.setattr(capture_module, "_MOST_WAITING_BYTES", 50_000)
    before = _captured("dropped"), _captured("written")
    opened = _open(path)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)  # the writing thread waits for it, as it would for a disk
        for _ in range(100):
            opened.write(CONFIG, PATH, {}, _body("word " * 1000))
    opened.close()
    written, dropped = _captured("written") - before[1], _captured("dropped") - before[0]
    assert written == len(_lines(path)) > 0
    assert dropped == 100 - written > 50
    assert sum("too slow" in record.message for record in caplog.records) == 1


def _append(path: Path, number: int) -> None:
    file = CaptureFile(path, 2**30)
    for place in range(50):
        text = f"{number} " * (100_000 if place % 10 == 0 else 10)
        assert file.append(json.dumps([number, place, text]).encode() + b"\n")
    file.close()


def test_several_processes_append_whole_lines(path: Path) -> None:
    processes = [
        multiprocessing.get_context("spawn").Process(target=_append, args=(path, number))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert all(set(text.split()) == {str(number)} for number, _, text in rows)
    for number in range(3):
        assert [place for of, place, _ in rows if of == number] == list(range(50))


def test_a_full_disk_leaves_no_part_of_a_line(path: Path) -> None:
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from proxy.capture.file import CaptureFile\n"
        "file = CaptureFile(Path(sys.argv[1]), 2**30)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try:\n"
        "    while True:\n"
        "        file.append(b'x' * 2999 + b'\\n')\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout == os.strerror(errno.EFBIG) + "\n"
    assert path.read_bytes() == (b"x" * 2999 + b"\n") * 3


def test_closing_writes_what_waits(path: Path) -> None:
    assert len(_written(path, *[_body(str(number)) for number in range(200)])) == 200


def test_a_new_configuration_brings_its_own_headers(path: Path, capture: Capture) -> None:
    headers = {"x-team": "search", "x-app": "mobile"}
    for config in (CONFIG, _config({"header": {"x-app": "*"}})):
        capture.write(config, PATH, headers, _body("Hello"))
    capture.close()
    assert [line["headers"] for line in _lines(path)] == [{"x-team": "search"}, {"x-app": "mobile"}]


@pytest.mark.parametrize("name", ["missing/capture.jsonl", "."])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"No such file|directory"):
        _open(tmp_path / name)


def test_only_a_regular_file_will_do(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        _open(tmp_path / "pipe")
