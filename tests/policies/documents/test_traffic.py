"""Real requests: retrieved passages are found, other conversations are left alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policies.documents import find_in_group
from tests.policies.documents.passages import AUTO, check, contents, heads

_TRAFFIC = Path(__file__).parents[4] / "shared" / "data" / "traffic"
needs_traffic = pytest.mark.skipif(not _TRAFFIC.exists(), reason="no traffic beside the checkout")


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(_TRAFFIC / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@needs_traffic
def test_retrieved_passages() -> None:
    rows = list(_rows("rag_nq"))
    for row in rows:
        messages = row["request"]["messages"]
        texts = [message["content"] for message in messages]
        system, user = find_in_group(texts, [message["role"] for message in messages], AUTO)
        documents = contents(texts[1], user)
        check(texts[1], user)
        assert system.documents == ()
        assert [head[0].split("(")[0] for head in heads(texts[1], user)] == [
            f"Document [{n}]" for n in range(1, 11)
        ]
        assert all("](Title: " in head[0] for head in heads(texts[1], user))
        gold = documents[row["gold_index"] - 1].lower()
        assert any(answer.lower() in gold for answer in row["answers"])
        assert user.question is not None
        assert texts[1][slice(*user.question)] == row["question"]
    assert len(rows) == 200


@needs_traffic
@pytest.mark.parametrize("name", ["chat_sharegpt", "agent_airline", "swe_agent"])
def test_other_conversations_hold_no_documents(name: str) -> None:
    texts: dict[str, str] = {}
    for row in _rows(name):
        for message in row["request"]["messages"]:
            if isinstance(message["content"], str):
                texts[message["content"]] = message["role"]
    assert len(texts) > 50
    # Answers of assistants count as texts too: users paste such.
    assert [
        t
        for t in texts
        if find_in_group([t], ["user" if texts[t] == "assistant" else texts[t]], AUTO)[0].documents
    ] == []
