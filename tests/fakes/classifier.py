"""Token classifiers with random weights and a vocabulary of a few words, small enough to train in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import BertConfig, BertForTokenClassification, BertTokenizer


def tiny_classifier(
    folder: Path, words: Sequence[str], *, hidden: int = 16, layers: int, window: int, cased: bool = True
) -> Path:
    """Write a BERT classifier that knows `words` into `folder`: two labels, sequences of `window` tokens."""
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    config = BertConfig(
        vocab_size=len(entries),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        max_position_embeddings=window,
    )
    torch.manual_seed(0)
    BertForTokenClassification(config).save_pretrained(folder)
    vocabulary = {entry: i for i, entry in enumerate(entries)}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=not cased, model_max_length=window)
    tokenizer.save_pretrained(folder)
    return folder
