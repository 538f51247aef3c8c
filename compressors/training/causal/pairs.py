"""Prompts and their answers: rows to token ids. Knows tokenizers, no model.

    {"prompt": "…", "answer": "…"}
    {"messages": [{"role": "user", "content": "…"}, …, {"role": "assistant", "content": "…"}]}

A row may have `document`: rows of one document are held out together.

P: tokens of a prompt, A: of an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import TemplateError

from compressors.errors import CompressionError
from compressors.reading import TokenIds
from compressors.training import lines
from compressors.training.causal.texts import end_of

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A conversation up to a prompt, and what was answered."""

    prompt: list[Message]
    """`role` and `content` of each message, at least one."""
    answer: str
    group: str
    """Pairs of one group are held out together; a digest that is the same everywhere."""


def read(path: Path) -> Iterator[Pair]:
    """The pairs of a file of JSON lines, in order; conversations that end in no text of an assistant are left out.

    Raises `CompressionError` for a file that can't be read and, with file and line, for bad rows.
    """
    for place, row in lines.read(path):
        if "messages" in row:
            prompt, answer = _conversation(row["messages"], place)
            if not answer.strip():
                continue
        else:
            prompt = [{"role": "user", "content": lines.text_of(row, "prompt", place)}]
            answer = lines.text_of(row, "answer", place)
        document = row.get("document")
        key = prompt[0]["content"] if document is None else str(document)
        yield Pair(prompt, answer, hashlib.sha256(key.encode()).hexdigest())


def _conversation(messages: Any, place: str) -> tuple[list[Message], str]:
    """The messages before the last, and the last one's text if it is an assistant's."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise CompressionError(f"{place}: messages: expected a list of objects")
    found = [{"role": str(each.get("role")), "content": _text(each.get("content"))} for each in messages]
    if len(found) < 2:
        raise CompressionError(f"{place}: messages: expected a prompt and an answer")
    prompt = [message for message in found[:-1] if message["content"].strip()]
    is_answered = found[-1]["role"] == "assistant" and bool(prompt)
    return prompt, found[-1]["content"] if is_answered else ""


def _text(content: Any) -> str:
    """What of a message's content is text."""
    if isinstance(content, list):
        return "\n".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return content if isinstance(content, str) else ""


def encode(pair: Pair, tokenizer: Any, first: TokenIds) -> tuple[TokenIds, TokenIds]:
    """Token ids of prompt, `(P,)`, and answer, `(A,)` int64, without what stands before every sequence (`first`).

    Laid out by the tokenizer's chat template; where there is none, or none that takes the conversation and puts
    the answer behind the prompt, with blank lines between messages and the token that ends a text after the answer.
    """
    if getattr(tokenizer, "chat_template", None):
        try:
            asked = _rendered(tokenizer, pair.prompt, add_generation_prompt=True)
            whole = _rendered(tokenizer, [*pair.prompt, {"role": "assistant", "content": pair.answer}])
        except TemplateError:  # some take no system message, or no two users in a row
            asked = whole = []
        if whole[: len(asked)] == asked and len(whole) > len(asked):
            begin = len(first) if asked[: len(first)] == first.tolist() else 0
            return _array(asked[begin:]), _array(whole[len(asked) :])
    texts = ("\n\n".join([*(message["content"] for message in pair.prompt), ""]), pair.answer)
    prompt, answer = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
    return _array(prompt), _array([*answer, end_of(tokenizer)])


def _rendered(tokenizer: Any, messages: list[Message], **options: Any) -> list[int]:
    text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _array(ids: list[int]) -> TokenIds:
    return np.array(ids, dtype=np.int64)
