"""From texts to a classifier of one's own, by the commands that a person gives."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from proxy.cli import main
from tests.fakes import shortening
from tests.fakes.classifier import tiny_classifier
from tests.fakes.upstream import FakeUpstream

_OTHERS = "committee harbour mayor board river met saw left built closed on in old new"
_DROPPED = sorted(shortening.ARTICLES)


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_OTHERS.split() + 2 * _DROPPED, k=18)) + " ."


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A folder with a tiny encoder that knows nothing but the vocabulary."""
    words = [".", *_OTHERS.split(), *_DROPPED]
    return tiny_classifier(tmp_path / "start", words, layers=1, window=64, cased=False)


def _run(*arguments: str | Path, stdin: str | None = None) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_classifier_learns_what_an_llm_leaves_out(
    upstream: FakeUpstream, start: Path, tmp_path: Path
) -> None:
    chance = random.Random(0)
    texts, pairs, rows, kept = (tmp_path / f"{name}.jsonl" for name in ("texts", "pairs", "rows", "kept"))
    texts.write_text("".join(json.dumps({"text": _sentence(chance)}) + "\n" for _ in range(120)))
    upstream.behaviour = shortening.deletes_words
    distilling = f"--model fake --base-url {upstream.base_url} --min-tokens 1 --yes"
    _run("train", "distill", texts, "--out", pairs, *distilling.split())
    _run("train", "annotate", pairs, "--out", rows)
    assert "kept 120 of 120" in _run("train", "filter", rows, "--out", kept)
    fitting = "--steps 150 --rate 0.01 --batch-tokens 256 --average 0 --device cpu"
    _run("train", "fit", "--data", kept, "--start", start, "--out", tmp_path / "fit", *fitting.split())
    compressing = "--min-probability 0.5 --protect nothing --device cpu"
    sentence = _sentence(chance)
    left = _run("compress", "--model", tmp_path / "fit" / "model", *compressing.split(), stdin=sentence)
    assert left == shortening.shortened(sentence)
