"""From texts to a classifier of one's own, by the commands that a person gives."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from transformers import BertConfig, BertForTokenClassification, BertTokenizer

from proxy.cli import main
from tests.fakes import shortening
from tests.fakes.upstream import FakeUpstream

_OTHERS = "committee harbour mayor board river met saw left built closed on in old new"
_DROPPED = sorted(shortening.ARTICLES)


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_OTHERS.split() + 2 * _DROPPED, k=18)) + " ."


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A folder with a tiny encoder that knows nothing but the vocabulary."""
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *_OTHERS.split(), *_DROPPED]
    config = BertConfig(
        vocab_size=len(entries),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    folder = tmp_path / "start"
    torch.manual_seed(0)
    BertForTokenClassification(config).save_pretrained(folder)
    BertTokenizer(vocab={entry: i for i, entry in enumerate(entries)}, model_max_length=64).save_pretrained(
        folder
    )
    return folder


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
