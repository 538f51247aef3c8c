"""`laconic train fit`, as a person calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from tests.fakes.classifier import tiny_classifier

ROOT = Path(__file__).parents[3]
WORDS = ["Anna", "Bonn", "Carl", "river", "house", "old", "near"]


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A folder with a tiny token classifier."""
    return tiny_classifier(tmp_path / "start", WORDS, layers=2, window=32)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    orders = [WORDS[i % 7 :] + WORDS[: i % 7] for i in range(40)]
    path.write_text(
        "".join(
            json.dumps({"words": words, "labels": [int(word[0].isupper()) for word in words], "id": i}) + "\n"
            for i, words in enumerate(orders)
        )
    )
    return path


def _run(*arguments: str | Path) -> Result:
    command = ["train", "fit", "--device", "cpu", *map(str, arguments)]
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, command)


def test_a_model_is_trained_and_its_figures_are_shown(start: Path, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = _run(
        *("--data", rows, "--start", start, "--out", out, "--steps", "20", "--rate", "0.01"),
        *(
            "--average",
            "0.5",
            "--layers",
            "1",
            "--batch-tokens",
            "100",
            "--teacher",
            start,
            "--taught",
            "0.1",
        ),
    )
    assert result.exit_code == 0, result.output
    assert "rows" in result.stdout
    assert "average precision" in result.stdout
    config = json.loads((out / "model" / "config.json").read_text())
    assert config["num_hidden_layers"] == 1
    assert json.loads((out / "training.json").read_text())["settings"]["layers"] == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "1", "--minutes", "1"], "give --minutes or --steps"),
        ([], "give --minutes or --steps"),
        (["--steps", "1", "--layers", "1,x"], "expected whole numbers from 0 with commas between them"),
        (["--steps", "1", "--layers", "5"], "the model's layers are 0 to 1"),
        (["--steps", "1", "--data", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["--steps", "1", "--start", "/nowhere"], "no folder /nowhere to load a model from"),
    ],
)
def test_what_can_not_be_done_is_said(
    start: Path, rows: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = _run("--data", rows, "--start", start, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("share", ["=many", "=0", "=1.5"])
def test_a_share_is_a_part_of_one(start: Path, rows: Path, tmp_path: Path, share: str) -> None:
    result = _run("--data", f"{rows}{share}", "--start", start, "--out", tmp_path / "out", "--steps", "1")
    assert result.exit_code == 2
    assert "share" in result.stderr


def test_a_bad_row_is_named_but_not_shown(start: Path, rows: Path, tmp_path: Path) -> None:
    with rows.open("a") as file:
        file.write('{"words": ["secret"], "labels": [3]}\n')
    result = _run("--data", rows, "--start", start, "--out", tmp_path / "out", "--steps", "1")
    assert result.exit_code == 2
    assert "rows.jsonl:41: labels: expected numbers from 0 to 1" in result.stderr
    assert "secret" not in result.output


def test_sigterm_leaves_a_checkpoint_from_which_the_same_command_goes_on(
    start: Path, rows: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments: list[str | Path] = ["--data", rows, "--start", start, "--out", out, "--every", "5"]
    over = threading.Event()

    def end() -> None:
        while not over.wait(0.01):
            if (out / "checkpoint.pt").exists():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=end)
    thread.start()
    result = _run(*arguments, "--steps", "100000")
    over.set()
    thread.join()
    assert result.exit_code == 128 + signal.SIGTERM, result.output
    assert "the same command goes on" in result.stderr
    done = json.loads((out / "training.json").read_text())["steps"]
    assert done >= 5
    result = _run(*arguments, "--steps", str(done + 2))
    assert result.exit_code == 0, result.output
    assert json.loads((out / "training.json").read_text())["steps"] == done + 2


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, click.testing, proxy.cli; "
        "click.testing.CliRunner().invoke(proxy.cli.main, ['train', 'fit', '--help']); "
        "print(*sorted({'torch', 'transformers', 'matplotlib', 'litellm'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
