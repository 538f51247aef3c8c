"""Which tokens are trained on, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compressors.training.causal.corpus import Document
from compressors.training.causal.windows import HELD_OUT, Mixture, Tokens, load_splits, tokenize


def test_documents_of_one_origin_are_held_out_together(tokenizer: Any) -> None:
    documents = [Document([f"word {i}"], origin=str(i // 2)) for i in range(4 * HELD_OUT)]
    split = tokenize(documents, tokenizer)
    last = [2 * HELD_OUT - 2, 2 * HELD_OUT - 1, 4 * HELD_OUT - 2, 4 * HELD_OUT - 1]
    assert tokenizer.decode(split.held_out.ids) == "".join(f"word {i} [SEP] " for i in last).strip()
    assert tokenizer.decode(split.training.ids[:6]) == "word 0 [SEP] word 1 [SEP]"


def test_lines_begin_where_it_is_said(tokenizer: Any) -> None:
    tokens = tokenize([Document(["The dog.", "A cat"], "0"), Document(["It"], "1")], tokenizer).training
    assert tokenizer.convert_ids_to_tokens(tokens.ids[tokens.starts]) == ["the", "a", "it"]


def test_a_batch_depends_on_seed_and_step_alone(tokens: Tokens) -> None:
    def batch(seed: int, step: int) -> torch.Tensor:
        return Mixture([(tokens, 1.0)], first=101, seed=seed).batch(step, rows=4, length=8)

    assert torch.equal(batch(1, 7), batch(1, 7))
    assert not torch.equal(batch(1, 7), batch(1, 8))
    assert not torch.equal(batch(1, 7), batch(2, 7))


def test_windows_begin_with_the_first_token_and_a_line(tokens: Tokens) -> None:
    batch = Mixture([(tokens, 1.0)], first=101, seed=1).batch(0, rows=6, length=8).numpy()
    assert batch.shape == (6, 9)
    assert (batch[:, 0] == 101).all()
    lines = {tuple(tokens.ids[start : start + 8]) for start in tokens.starts}
    assert all(tuple(row[1:]) in lines for row in batch)


def test_domains_come_in_their_shares() -> None:
    domains = [Tokens(np.full(20, i, np.int32), np.arange(10)) for i in range(2)]
    mixture = Mixture([(domains[0], 0.25), (domains[1], 0.75)], first=9, seed=1)
    assert mixture.batch(0, rows=4000, length=1)[:, 1].float().mean() == pytest.approx(0.75, abs=0.02)


def test_a_domain_without_a_whole_window_is_refused(tokens: Tokens) -> None:
    mixture = Mixture([(Tokens(tokens.ids[:5], tokens.starts[:1]), 1.0)], first=101, seed=1)
    with pytest.raises(ValueError, match="5 tokens; a window takes 8"):
        mixture.batch(0, rows=1, length=8)


def test_tokens_are_kept_for_the_next_time(data: Path, tokenizer: Any, tmp_path: Path) -> None:
    made = load_splits(data, tmp_path, tokenizer)
    kept = load_splits(tmp_path / "gone", tmp_path, tokenizer)
    assert made.keys() == kept.keys()
    for name, split in made.items():
        assert np.array_equal(split.training.ids, kept[name].training.ids)
        assert len(kept[name].held_out.ids) > 0
