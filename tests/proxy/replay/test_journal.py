"""An interrupted replay goes on where it stopped, and only there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proxy.cli import main
from proxy.replay.journal import Journal, JournalError
from tests.fakes.compressor import EverySecondWord
from tests.proxy.replay.recordings import turns, wrapped, write, write_config


class Replay:
    """The same command again and again."""

    def __init__(self, folder: Path, compressor: EverySecondWord) -> None:
        self.traffic = write(folder / "talks.jsonl", wrapped([turns(salt, 2) for salt in "abcd"]))
        self.config = write_config(folder / "c.yaml")
        self.journal = folder / "journal"
        self._output = folder / "out.json"
        self._compressor = compressor

    def run(self, *options: str) -> tuple[dict[str, Any], int]:
        """Its figures without times, and how many texts were shortened for them."""
        self._compressor.jobs.clear()
        arguments = ["replay", str(self.traffic), "--config", str(self.config), "--json", str(self._output)]
        result = CliRunner().invoke(main, [*arguments, "--journal", str(self.journal), *options])
        assert result.exit_code == 0, result.output
        summary = json.loads(self._output.read_text())["summaries"][0]
        return {k: v for k, v in summary.items() if k != "compress_ms"}, len(self._compressor.jobs)

    def lines(self) -> int:
        return len(self.journal.read_text().splitlines())


@pytest.fixture
def replay(tmp_path: Path, compressor: EverySecondWord) -> Replay:
    return Replay(tmp_path, compressor)


def test_what_is_done_isnt_done_again(replay: Replay) -> None:
    first, texts = replay.run()
    assert (replay.lines(), texts) == (4, 8)
    assert replay.run() == (first, 0)
    assert replay.lines() == 4


@pytest.mark.parametrize("left", [2, 40, -1])
def test_a_run_broken_off_within_a_line_goes_on(replay: Replay, left: int) -> None:
    whole, _ = replay.run()
    lines = replay.journal.read_bytes().splitlines(keepends=True)
    replay.journal.write_bytes(lines[0] + lines[1] + lines[2][:left])
    again, texts = replay.run()
    assert again == whole
    assert texts == (2 if left == -1 else 4)  # only a line's end was missing, or a line
    assert replay.run() == (whole, 0)


def test_a_limited_run_is_a_beginning(replay: Replay) -> None:
    assert replay.run("--limit", "1")[1] == 2
    assert replay.run()[1] == 6


def test_other_inputs_start_anew_beside_the_old(replay: Replay) -> None:
    first, _ = replay.run()
    before = replay.config.read_text()
    replay.config.write_text(before.replace("rate: 0.5", "rate: 0.6"))
    assert replay.run()[1] == 8
    replay.config.write_text(before)
    assert replay.run() == (first, 0)
    assert replay.run("--bill-as", "gpt-4o-mini")[1] == 8
    assert replay.run("--gap", "5")[1] == 8
    write(replay.traffic, wrapped([turns("a", 2)]))
    assert replay.run()[1] == 2


def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    with pytest.raises(JournalError, match=r"notes\.txt:1"):
        Journal(path)
    assert path.read_text() == "my notes"
