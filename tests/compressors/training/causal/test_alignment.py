"""Which tokens of prompts and answers are learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compressors.errors import CompressionError
from compressors.training.causal.alignment import Alignment, windows
from compressors.training.causal.loss import IGNORED
from compressors.training.causal.pairs import encode, read
from compressors.training.causal.recipe import Pairs
from compressors.training.causal.start import Start

TEMPLATE = (
    "{% for message in messages %}[CLS] {{ message.role }}: {{ message.content }} [SEP]{% endfor %}"
    "{% if add_generation_prompt %}[CLS] assistant:{% endif %}"
)


def _file(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _pairs(count: int) -> list[dict[str, str]]:
    return [{"prompt": f"what is {i}?", "answer": f"{i} is a number"} for i in range(count)]


def test_pairs_and_conversations_are_read_alike(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "…"}}]
    question: dict[str, Any] = {"role": "user", "content": parts}
    answer: dict[str, Any] = {"role": "assistant", "content": "ho"}
    call: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": []}
    path = _file(
        tmp_path / "a.jsonl",
        {"prompt": "hi", "answer": "ho"},
        {"messages": [question, call, answer]},
        {"messages": [question, call]},  # nothing was written
        {"messages": [question, question]},
    )
    one, other = read(path)
    assert one == other
    assert one.prompt == [{"role": "user", "content": "hi"}]
    assert one.answer == "ho"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"prompt": "secret"}, "answer: expected a text"),
        ({"messages": "secret"}, "messages: expected a list of objects"),
        ({"messages": [{"role": "assistant", "content": "secret"}]}, "expected a prompt and an answer"),
    ],
)
def test_bad_rows_are_refused_by_their_place(row: Any, error: str, tmp_path: Path) -> None:
    with pytest.raises(CompressionError, match=f"a.jsonl:1: .*{error}") as caught:
        list(read(_file(tmp_path / "a.jsonl", row)))
    assert "secret" not in str(caught.value)


def test_an_answer_follows_its_prompt_and_ends(tokenizer: Any, tmp_path: Path) -> None:
    [pair] = read(_file(tmp_path / "a.jsonl", {"prompt": "Why?", "answer": "So."}))
    prompt, answer = encode(pair, tokenizer, np.array([101]))
    assert tokenizer.convert_ids_to_tokens(prompt) == ["why", "?"]
    assert tokenizer.convert_ids_to_tokens(answer) == ["so", ".", "[SEP]"]


def test_a_chat_template_lays_both_out(start: Start, tmp_path: Path) -> None:
    tokenizer = start.tokenizer
    [pair] = read(_file(tmp_path / "a.jsonl", {"prompt": "Why?", "answer": "So."}))
    tokenizer.chat_template = TEMPLATE
    prompt, answer = encode(pair, tokenizer, np.array([101]))
    assert tokenizer.convert_ids_to_tokens(prompt) == [
        "user",
        ":",
        "why",
        "?",
        "[SEP]",
        "[CLS]",
        "assistant",
        ":",
    ]
    assert tokenizer.convert_ids_to_tokens(answer) == ["so", ".", "[SEP]"]
    tokenizer.chat_template = "{{ messages | length }}"  # one that puts no answer behind the prompt
    assert tokenizer.convert_ids_to_tokens(encode(pair, tokenizer, np.array([101]))[0]) == ["why", "?"]
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    assert tokenizer.convert_ids_to_tokens(encode(pair, tokenizer, np.array([101]))[0]) == ["why", "?"]


@pytest.mark.parametrize(("prompt", "answer"), [(3, 4), (30, 4), (3, 40), (30, 40), (0, 1)])
def test_every_token_of_an_answer_is_learned_once_behind_what_was_there(prompt: int, answer: int) -> None:
    ids = np.arange(prompt + answer)
    learned = []
    for window in windows(ids[:prompt], ids[prompt:], 10):
        assert len(window.ids) <= 10
        assert (np.diff(window.ids) == 1).all()
        assert window.learned >= min(5, prompt)
        learned += window.ids[window.learned :].tolist()
    assert learned == ids[prompt:].tolist()


def _alignment(path: Path, start: Start, **options: Any) -> Alignment:
    return Alignment(Pairs(data=[(path, None)], **options), start, seed=1, preparing=lambda _: None)


def test_prompts_and_padding_are_not_learned(start: Start, tmp_path: Path) -> None:
    rows = [{"prompt": "a " * i, "answer": "dog " * (1 + i % 3)} for i in range(1, 20)]
    alignment = _alignment(_file(tmp_path / "a.jsonl", *rows), start, batch_tokens=400)
    batches = alignment.batches(0, 0.0)
    dog, end, cls = start.tokenizer.convert_tokens_to_ids(["dog", "[SEP]", "[CLS]"])
    for batch in batches:
        assert batch.inputs.shape == batch.targets.shape
        assert (batch.inputs[:, 0] == cls).all()
        assert set(batch.targets.flatten().tolist()) <= {IGNORED, dog, end}
        for inputs, targets in zip(batch.inputs, batch.targets, strict=True):
            learned = (targets != IGNORED).nonzero()[:, 0]
            assert (inputs[learned[1:]] == dog).all()  # what stands before each but the first
            assert targets[learned[-1]] == end
    assert sum(int((batch.inputs != 0).sum()) for batch in batches) >= 350


def test_batches_depend_on_seed_and_step_alone(start: Start, tmp_path: Path) -> None:
    path = _file(tmp_path / "a.jsonl", *_pairs(50))
    one, other = (_alignment(path, start, batch_tokens=64) for _ in range(2))
    assert (one.batches(3, 0.1)[0].inputs == other.batches(3, 0.9)[0].inputs).all()
    assert one.batches(4, 0.1)[0].inputs.tolist() != one.batches(3, 0.1)[0].inputs.tolist()


def test_pairs_of_one_document_are_held_out_together(start: Start, tmp_path: Path) -> None:
    rows = [{**row, "document": i // 10} for i, row in enumerate(_pairs(100))]
    [data] = _alignment(_file(tmp_path / "a.jsonl", *rows), start).data
    assert (data.rows, data.held_out_rows) == (100, 20)
    with pytest.raises(CompressionError, match="two different prompts are needed"):
        _alignment(_file(tmp_path / "b.jsonl", *[{**row, "document": 0} for row in _pairs(100)]), start)


def test_figures_are_those_of_the_answers(start: Start, tmp_path: Path) -> None:
    rows = [{"prompt": f"what is {i}?", "answer": "a dog"} for i in range(8)]
    figures = _alignment(_file(tmp_path / "a.jsonl", *rows), start).figures(start.model)["a"]
    assert figures["tokens"] == 2 * 3
    assert figures["perplexity"] == pytest.approx(np.exp(figures["nats_per_token"]))
