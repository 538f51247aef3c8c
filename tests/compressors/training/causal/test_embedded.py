"""The causal model that ships: what it takes on disk, and that it has learned something."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from compressors.checkpoint import Checkpoint, load_checkpoint
from compressors.identity import EMBEDDED
from compressors.training.causal.bits import surprise

FOLDER = EMBEDDED["llmlingua"]
PASSAGES = {
    "Who built the Eiffel Tower?": "The Eiffel Tower was built by the company of Gustave Eiffel from 1887 to"
    " 1889 as the entrance to a fair in Paris.",
    "What is the largest river in South America?": "The Amazon in South America is the largest river by the"
    " water that it carries to the sea.",
    "How do plants turn light into energy?": "In their leaves, plants turn light into chemical energy, which"
    " they store as sugar.",
}
SENTENCE = (
    "I would like to find a place to eat in the city, and then we could go to see my brother at his house."
)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint("embedded", "causal", folder=FOLDER, device="cpu")


def _surprise(checkpoint: Checkpoint, text: str) -> float:
    ids = checkpoint.tokenizer(text, add_special_tokens=False, return_tensors="np")["input_ids"][0]
    start = np.array([checkpoint.tokenizer.cls_token_id])
    return surprise(checkpoint.model, ids, start=start, length=511)


def test_it_takes_at_most_24_mib() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 24 << 20


def test_a_later_token_changes_no_earlier_logit(checkpoint: Checkpoint) -> None:
    ids = torch.arange(2000, 2040)[None]
    changed = torch.cat([ids[:, :25], ids[:, 25:] + 500], dim=1)
    before, after = checkpoint.model(ids).logits, checkpoint.model(changed).logits
    torch.testing.assert_close(before[:, :25], after[:, :25])


def test_english_surprises_less_than_its_words_in_any_order(checkpoint: Checkpoint) -> None:
    words = SENTENCE.split()
    mixed = " ".join(random.Random(0).sample(words, len(words)))
    assert _surprise(checkpoint, SENTENCE) < 0.8 * _surprise(checkpoint, mixed)


@pytest.mark.parametrize("question", PASSAGES)
def test_a_question_is_likeliest_after_the_passage_that_answers_it(
    checkpoint: Checkpoint, question: str
) -> None:
    def cost(passage: Any) -> float:
        return _surprise(checkpoint, f"{passage} {question}") - _surprise(checkpoint, passage)

    assert min(PASSAGES.values(), key=cost) == PASSAGES[question]
