"""Rows become cases, whatever their shape; a bad row is named by file, line and field, never quoted."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from proxy.evaluation.cases import Case, Labelled
from proxy.evaluation.reading import read
from proxy.evaluation.rows import RowError, case_of

ASKED = {"question": "Who built the tower?", "answers": ["Ada Lund", "Lund"]}


def case(row: dict[str, Any]) -> Case:
    found = case_of(row, "rows.jsonl:1")
    assert isinstance(found, Case)
    assert found.question
    return found


def test_a_context_is_one_text_without_documents() -> None:
    found = case({**ASKED, "context": "Ada Lund built it.", "id": 7})
    assert found == Case(
        place="rows.jsonl:1",
        text="Ada Lund built it.",
        question="Who built the tower?",
        answers=("Ada Lund", "Lund"),
    )


def test_documents_stand_apart_with_their_titles() -> None:
    documents = ["Nothing here.", {"title": "Tower", "text": "Ada Lund built it."}, {"text": "No title."}]
    found = case({**ASKED, "documents": documents, "gold": 1})
    assert found.text == "Nothing here.\n\nTower\nAda Lund built it.\n\nNo title."
    assert found.passages == ["Nothing here.", "Tower\nAda Lund built it.", "No title."]
    assert found.gold == 1


def test_the_gold_document_may_be_unknown() -> None:
    assert case({**ASKED, "documents": ["One.", "Two."]}).gold is None


def test_a_passage_is_its_title_and_text() -> None:
    assert case({**ASKED, "title": "Tower", "text": "Ada Lund built it."}).text == "Tower\nAda Lund built it."


def test_a_chat_request_holds_numbered_documents_and_then_the_question() -> None:
    content = (
        "Document [1](Title: Sea) Water.\nDocument [2](Title: Tower) Ada Lund built it.\n\nSecond part."
        "\n\nQuestion: Who built the tower?\nAnswer:"
    )
    messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": content}]
    found = case({**ASKED, "request": {"model": "m", "messages": messages}, "gold_index": 2})
    assert found.passages == [
        "Document [1](Title: Sea) Water.",
        "Document [2](Title: Tower) Ada Lund built it.\n\nSecond part.",
    ]
    assert found.gold == 1


def test_pairs_are_documents_and_the_key_is_the_question() -> None:
    found = case({"ordered_kv_records": [["k1", "v1"], ["k2", "v2"]], "key": "k2", "value": "v2"})
    assert found.text == '"k1": "v1"\n\n"k2": "v2"'
    assert (found.question, found.answers, found.gold) == ("k2", ("v2",), 1)


def test_labelled_words_are_found_in_their_text() -> None:
    found = case_of({"words": ["the", "the", "end"], "labels": [0, 1, 1], "text": "the  then the end"}, "x:1")
    assert isinstance(found, Labelled)
    assert found.words == ((0, 3), (5, 8), (14, 17))
    found = case_of({"words": ["a", "b"], "labels": [0, 1]}, "x:1")
    assert isinstance(found, Labelled)
    assert found.text == "a b"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["secret"], "expected a JSON object, found list"),
        ({"secret": 1}, "fields secret fit no known row; allowed: words, labels; question, answers, documents"),
        ({**ASKED, "context": ""}, "context: expected a text, found an empty one"),
        ({**ASKED, "context": 5}, "context: expected a text, found int"),
        ({"question": "q", "answers": "secret", "context": "c"}, "answers: expected a list, found str"),
        ({"question": "q", "answers": [], "context": "c"}, "answers: expected a list, found an empty one"),
        ({"question": "q", "answers": ["a", None], "context": "c"}, "answers.1: expected a text, found NoneType"),
        ({"question": None, "answers": ["a"], "context": "c"}, "question: expected a text"),
        ({**ASKED, "documents": ["d", " "]}, "documents.1: expected a text"),
        ({**ASKED, "documents": ["d", 3]}, "documents.1: expected a text, or an object with title and text"),
        ({**ASKED, "documents": [{"title": "secret"}]}, "documents.0.text: expected a text"),
        ({**ASKED, "documents": [{"title": 3, "text": "secret"}]}, "documents.0.title: expected a text"),
        ({**ASKED, "documents": ["d"], "gold": 1}, "gold: 1 isn't in 0..0"),
        ({**ASKED, "documents": ["d"], "gold": "0"}, "gold: expected a number, found str"),
        ({**ASKED, "documents": ["d"], "gold": True}, "gold: expected a number, found bool"),
        ({**ASKED, "request": {}, "gold_index": 1}, "request.messages: expected"),
        ({**ASKED, "request": "secret", "gold_index": 1}, "request"),
        ({**ASKED, "request": {"messages": [{"content": "secret"}]}, "gold_index": 1}, "Document [1](Title: "),
        ({"ordered_kv_records": [["k"]], "key": "k", "value": "v"}, "ordered_kv_records.0: expected a pair"),
        ({"ordered_kv_records": [["k", "v"]], "key": "secret", "value": "v"}, "key: it isn't among"),
        ({"words": ["a", "b"], "labels": [1]}, "labels: expected a 0 or a 1 for each of the 2 words"),
        ({"words": ["a"], "labels": [2]}, "labels: expected a 0 or a 1"),
        ({"words": ["a", "b"], "labels": [1, 0], "text": "b secret"}, "words.0: it doesn't follow"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_but_not_quoted(row: object, message: str) -> None:
    with pytest.raises(RowError) as caught:
        case_of(row, "rows.jsonl:12")
    assert str(caught.value).startswith("rows.jsonl:12: ")
    assert message in str(caught.value)
    if row != {"secret": 1}:
        assert "secret" not in str(caught.value)


def _write(path: Path, count: int) -> list[dict[str, Any]]:
    rows = [{**ASKED, "context": f"Text {number}."} for number in range(count)]
    content = "\n\n".join(map(json.dumps, rows)).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return rows


@pytest.mark.parametrize("name", ["own.jsonl", "own.jsonl.gz"])
def test_a_file_is_read_in_order(tmp_path: Path, name: str) -> None:
    rows = _write(tmp_path / name, 20)
    data = read(tmp_path / name)
    assert data.name == "own"
    assert [found.text for found in data.cases] == [row["context"] for row in rows]
    assert data.cases[1].place.endswith(f"{name}:3")


def test_a_limit_draws_the_same_cases_each_time(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    rows = _write(path, 100)
    drawn = [found.text for found in read(path, limit=10, seed=1).cases]
    assert drawn == [found.text for found in read(path, limit=10, seed=1).cases]
    assert drawn == [row["context"] for row in rows if row["context"] in drawn]
    assert drawn != [row["context"] for row in rows[:10]]
    assert len(read(path, limit=1000).cases) == 100


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.jsonl", b"", "own.jsonl: no rows"),
        ("own.jsonl", b'{"question": "secret', "own.jsonl:1: not JSON"),
        ("own.jsonl", b"\n\n[" * 2, "own.jsonl:3: not JSON"),
        ("own.jsonl", b"\xff\xfe", "own.jsonl: not JSON lines in UTF-8"),
        ("own.jsonl", b"[" * 100_000, "own.jsonl:1: n"),
        ("own.jsonl.gz", b"{}", "own.jsonl.gz: not JSON lines in UTF-8, plain or gzip"),
        ("own.jsonl.gz", gzip.compress(b"{}" * 500)[:-20], "own.jsonl.gz: not JSON lines"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RowError) as caught:
        read(tmp_path / name)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_of_a_conversation_the_last_request_counts(tmp_path: Path) -> None:
    def request(*texts: str) -> dict[str, Any]:
        roles = ("system", "user", "assistant", "user")
        return {
            "messages": [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
        }

    rows = [
        {"conversation": "a", "request": request("Be kind.", "Hi.")},
        {"conversation": "b", "request": request("Be kind.", "Well?")},
        {"conversation": "a", "request": request("Be kind.", "Hi.", "Hello!", "And now?")},
        {"request": request("Be kind.", "Alone.")},
    ]
    path = tmp_path / "traffic.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    data = read(path)
    assert [message.text for message in data.messages] == ["Be kind.", "Well?", "Hi.", "And now?", "Alone."]
    assert len(read(path, limit=1).messages) in (2, 3)
    with pytest.raises(RowError, match=r"x:1: request: "):
        case_of({"request": 7}, "x:1")
