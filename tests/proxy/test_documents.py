"""Prompts of documents through the whole proxy: marks keep pointing at their documents, JSON stays JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.causal import save
from tests.fakes.laconic import Laconic, chat, config
from tests.fakes.upstream import FakeUpstream

NAMES = ["harbour", "bridge", "market", "school", "tower", "mill", "garden", "station"]
BODIES = {
    name: f"The {name} was built by the people of the town when winters were long. " * 3
    + f"It is called {name}."
    for name in NAMES
}


@pytest.fixture
def laconic(upstream: FakeUpstream, tmp_path: Path) -> Iterator[Laconic]:
    """A proxy with a tiny random model: what it keeps has no sense, but must obey all rules."""
    served = config(
        upstream.base_url,
        compressors={
            "default": {"method": "longllmlingua", "model": str(save("llama", tmp_path)), "device": "cpu"}
        },
        policy={
            "targets": [{"role": ["user", "tool"], "min_tokens": 50}],
            "ranges": [{"rate": 0.4}],
            "min_saved_tokens": 5,
            "documents": {"split": "auto"},
            "strategy": {"order": "sort"},
            "deadline_ms": 60_000,
            "adopt": "all",
        },
    )
    with Laconic(served) as proxy:
        yield proxy


def sent(laconic: Laconic, upstream: FakeUpstream, *messages: dict[str, Any]) -> list[str]:
    """The contents of the messages as the upstream got them."""
    body = json.dumps({"model": "gpt-4o", "messages": messages}).encode()
    answer = chat(laconic, body)
    assert answer.status == 200
    assert int(answer.headers["x-laconic-saved-tokens"]) > 0, answer.headers
    return [message["content"] for message in json.loads(upstream.requests[-1].body)["messages"]]


def test_numbered_documents(laconic: Laconic, upstream: FakeUpstream) -> None:
    documents = [f"Document [{n}](Title: {name}) {BODIES[name]}" for n, name in enumerate(NAMES, 1)]
    prompt = "Use these.\n\n" + "\n".join(documents) + "\n\nQuestion: who built the mill?\nAnswer:"
    [text] = sent(laconic, upstream, {"role": "user", "content": prompt})
    assert text.startswith("Use these.\n\nDocument [")
    assert text.endswith("\n\nQuestion: who built the mill?\nAnswer:")
    left = re.findall(r"Document \[(\d)\]\(Title: (\w+)\) ([^\n]*)", text)
    assert 0 < len(left) < len(NAMES)
    for number, title, body in left:
        assert NAMES[int(number) - 1] == title
        assert not set(re.findall(r"\w+", body)) & (set(NAMES) - {title})
    assert text.count("Document [") == len(left)


def test_a_list_of_passages(laconic: Laconic, upstream: FakeUpstream) -> None:
    passages = [{"id": n, "title": name, "text": f'"{BODIES[name]}"\n'} for n, name in enumerate(NAMES)]
    _, _, text = sent(
        laconic,
        upstream,
        {"role": "user", "content": "who built the mill?"},
        {"role": "assistant", "content": "I look it up."},
        {"role": "tool", "tool_call_id": "1", "content": json.dumps({"hits": 8, "results": passages})},
    )
    answer = json.loads(text)
    assert answer["hits"] == 8
    assert 0 < len(answer["results"]) < len(NAMES)
    for passage in answer["results"]:
        assert passage["title"] == NAMES[passage["id"]]
        assert passage["text"].endswith("\n")


def test_several_results_each_keep_something(laconic: Laconic, upstream: FakeUpstream) -> None:
    results = [BODIES[name] * 2 for name in NAMES[:3]]
    *_, first, second, third = sent(
        laconic,
        upstream,
        {"role": "user", "content": "who built the bridge?"},
        {"role": "assistant", "content": "I look it up."},
        *({"role": "tool", "tool_call_id": str(n), "content": text} for n, text in enumerate(results)),
    )
    for short, whole, name in zip((first, second, third), results, NAMES[:3], strict=True):
        assert short.strip()
        assert len(short) < len(whole)
        assert not set(re.findall(r"\w+", short)) & (set(NAMES) - {name})
    assert len(first) + len(second) + len(third) < 0.5 * sum(map(len, results))
