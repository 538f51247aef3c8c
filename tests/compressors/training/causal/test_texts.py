"""Which tokens are trained on, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compressors.errors import CompressionError
from compressors.reading import TokenIds
from compressors.training.causal.corpus import Document
from compressors.training.causal.mixture import Mixture
from compressors.training.causal.texts import HELD_OUT, Tokens, load_split, tokenize

START = np.array([101])


def test_documents_of_one_origin_are_held_out_together(tokenizer: Any) -> None:
    documents = [Document(f"word {i}", origin=str(i // 2)) for i in range(4 * HELD_OUT)]
    split = tokenize(documents, tokenizer)
    last = [2 * HELD_OUT - 2, 2 * HELD_OUT - 1, 4 * HELD_OUT - 2, 4 * HELD_OUT - 1]
    assert tokenizer.decode(split.held_out.ids) == "".join(f"word {i} [SEP] " for i in last).strip()
    assert tokenizer.decode(split.training.ids[:6]) == "word 0 [SEP] word 1 [SEP]"
    assert split.documents == (4 * HELD_OUT - 4, 4)


def test_of_few_documents_the_last_is_held_out(tokenizer: Any) -> None:
    split = tokenize([Document(f"word {i}", origin=str(i)) for i in range(3)], tokenizer)
    assert tokenizer.decode(split.held_out.ids) == "word 2 [SEP]"
    with pytest.raises(CompressionError, match="at least two"):
        tokenize([Document("word", origin="0")], tokenizer)


def test_lines_begin_where_it_is_said(tokenizer: Any) -> None:
    documents = [Document("The dog.\n\n  A cat", "0"), Document("It", "1"), Document("Last", "2")]
    tokens = tokenize(documents, tokenizer).training
    assert tokenizer.convert_ids_to_tokens(tokens.ids[tokens.starts]) == ["the", "a", "it"]


def _batch(seed: int, step: int, tokens: Tokens, start: TokenIds = START) -> torch.Tensor:
    return Mixture([(tokens, 1.0)], start=start, seed=seed).batch(step, rows=6, length=8)


def test_a_batch_depends_on_seed_and_step_alone(tokens: Tokens) -> None:
    assert torch.equal(_batch(1, 7, tokens), _batch(1, 7, tokens))
    assert not torch.equal(_batch(1, 7, tokens), _batch(1, 8, tokens))
    assert not torch.equal(_batch(1, 7, tokens), _batch(2, 7, tokens))


def test_windows_begin_with_the_first_tokens_and_a_line(tokens: Tokens) -> None:
    batch = _batch(1, 0, tokens, np.array([101, 102])).numpy()
    assert batch.shape == (6, 10)
    assert (batch[:, :2] == [101, 102]).all()
    lines = {tuple(tokens.ids[start : start + 8]) for start in tokens.starts}
    assert all(tuple(row[2:]) in lines for row in batch)


def test_sources_come_in_their_shares() -> None:
    sources = [Tokens(np.full(20, i, np.int32), np.arange(10)) for i in range(2)]
    mixture = Mixture([(sources[0], 0.25), (sources[1], 0.75)], start=START, seed=1)
    assert mixture.batch(0, rows=4000, length=1)[:, 1].float().mean() == pytest.approx(0.75, abs=0.02)


def test_a_source_without_a_whole_window_is_refused(tokens: Tokens) -> None:
    with pytest.raises(CompressionError, match="5 tokens; a window takes 8"):
        _batch(1, 0, Tokens(tokens.ids[:5], tokens.starts[:1]))


def test_tokens_are_kept_until_the_file_changes(tokenizer: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n<|endoftext|>\ntwo")
    made = load_split(path, tmp_path / "tokens", tokenizer)
    [kept] = (tmp_path / "tokens").iterdir()
    before = kept.stat().st_mtime_ns
    again = load_split(path, tmp_path / "tokens", tokenizer)
    assert np.array_equal(made.training.ids, again.training.ids)
    assert kept.stat().st_mtime_ns == before
    path.write_text("three\n<|endoftext|>\ntwo")
    changed = load_split(path, tmp_path / "tokens", tokenizer)
    assert tokenizer.decode(changed.training.ids) == "three [SEP]"


def test_a_file_that_cannot_be_split_is_named(tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    with pytest.raises(CompressionError, match=r"a\.txt: some documents have to be held out"):
        load_split(tmp_path / "a.txt", tmp_path / "tokens", tokenizer)
