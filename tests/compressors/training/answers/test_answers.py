"""Labels from what could be asked: words by their worth, and questions with the words that answer them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from compressors import CompressionError
from compressors.training.answers import Rarity, Rows, Synonyms, load_pipeline, passages
from compressors.training.answers.cloze import ask
from compressors.training.labels import Document
from proxy.cli import main
from tests.fakes.spacy_docs import pipeline

TEXT = (
    "Marie Curie was born in Warsaw in 1867. The famous physicist taught chemistry students, "
    "and the great laboratory discovered a rare metal in the University of Paris."
)


@pytest.fixture(scope="module")
def doc() -> Any:
    return pipeline()(TEXT)


@pytest.fixture
def passage() -> Document:
    return Document(TEXT, "biographies", "curie")


def labels(row: dict[str, Any]) -> dict[str, float]:
    return dict(zip(row["words"], row["labels"], strict=True))


def test_names_and_numbers_are_worth_more_than_phrases_and_these_more_than_the_rest(
    doc: Any, passage: Document
) -> None:
    worth = labels(Rows(passage, doc, Rarity([TEXT])).plain())
    assert worth["Curie"] > worth["physicist"] > worth["taught"] > worth["The"]
    assert worth["1867"] > worth["metal"] > worth["born"] > worth["."]


def test_words_within_a_name_stay_with_it(doc: Any, passage: Document) -> None:
    row = Rows(passage, doc, Rarity([TEXT])).plain()
    of = row["words"].index("of")
    assert row["labels"][of] > 0.5
    assert labels(row)["in"] < 0.2


def test_rare_words_are_worth_more(doc: Any, passage: Document) -> None:
    rarity = Rarity([TEXT, "metal " * 50])
    worth = labels(Rows(passage, doc, rarity).plain())
    assert worth["laboratory"] > worth["metal"]


def test_rows_repeat_their_words_in_order(doc: Any, passage: Document) -> None:
    rows = Rows(passage, doc, Rarity([TEXT]))
    for row in [rows.plain(), *rows.asked(3, 0)]:
        end = 0
        for word in row["words"]:
            end = TEXT.index(word, end) + len(word)
        assert len(row["labels"]) == len(row["words"])
        assert (row["source"], row["document"]) == ("biographies", "curie")


def test_a_question_leaves_its_answer_out_and_asks_for_its_kind(doc: Any) -> None:
    asked = [ask(doc, random.Random(seed)) for seed in range(60)]
    questions = [cloze for cloze in asked if cloze is not None]
    assert questions
    for cloze in questions:
        start, end = cloze.answer
        assert not cloze.kind or doc[start:end].text.lower() not in cloze.text.lower()
        if cloze.kind == "DATE":
            assert any(
                word in cloze.text.lower() for word in ("when", "what year", "date", "day", "how long")
            )


def test_the_answer_counts_most_and_its_sentence_more_than_others(doc: Any, passage: Document) -> None:
    rows = Rows(passage, doc, Rarity([TEXT]))
    for row in rows.asked(8, 0):
        assert max(row["labels"]) == 1.0
        answered = [i for i, label in enumerate(row["labels"]) if label == 1.0]
        full_stop = row["words"].index(".")
        beside = row["labels"][:full_stop] if answered[0] < full_stop else row["labels"][full_stop + 1 :]
        far = row["labels"][full_stop + 1 :] if answered[0] < full_stop else row["labels"][:full_stop]
        assert sum(beside) / len(beside) > sum(far) / len(far)


def test_no_question_is_asked_twice_and_the_seed_decides(doc: Any, passage: Document) -> None:
    def asked(seed: int) -> list[str]:
        return [row["question"] for row in Rows(passage, doc, Rarity([TEXT])).asked(6, seed)]

    assert asked(0) == asked(0)
    assert asked(0) != asked(1)
    assert len(set(asked(0))) == len(asked(0))


def test_nothing_is_asked_where_a_sentence_has_nothing_to_ask_by() -> None:
    doc = pipeline()("Warsaw. 1867. Paris.")
    assert ask(doc, random.Random(0)) is None


WORDS = [
    "born",
    "birth",
    "physicist",
    "scientist",
    "metal",
    "iron",
    "lab",
    "taught",
    "teaches",
    "teacher",
    "banana",
]


@pytest.fixture(scope="module")
def synonyms() -> Synonyms:
    return Synonyms(WORDS)


def test_synonyms_are_near_in_meaning_and_of_the_words_given(synonyms: Synonyms) -> None:
    chance = random.Random(0)
    drawn = {word: {synonyms.draw(word, chance) for _ in range(20)} for word in (*WORDS, "Warsaw")}
    assert drawn["taught"] == {"teaches", "teacher"}
    assert drawn["physicist"] == {"scientist"}
    assert drawn["banana"] == {"banana"}
    assert drawn["Warsaw"] == {"Warsaw"}
    assert Synonyms([]).draw("banana", chance) == "banana"


def test_questions_say_words_otherwise_but_no_names(doc: Any, passage: Document, synonyms: Synonyms) -> None:
    asked = [ask(doc, random.Random(seed), synonyms) for seed in range(200)]
    said = {word.lower().rstrip("?") for cloze in asked if cloze for word in cloze.text.split()}
    assert said & {"teaches", "teacher", "birth", "iron", "scientist"}
    assert {"curie", "warsaw", "paris", "1867"} & said
    rows = Rows(passage, doc, Rarity([TEXT])).asked(8, 0, synonyms)
    assert all(max(row["labels"]) == 1.0 for row in rows)


def test_frequent_words_come_by_count() -> None:
    assert Rarity(["the metal at Paris " * 5, "metal rare 1867 " * 4]).frequent(9) == [
        "metal",
        "the",
        "paris",
    ]
    assert Rarity(["the metal at Paris " * 5, "metal"]).frequent(1) == ["metal"]


def test_long_documents_are_cut_and_short_ones_joined() -> None:
    long = Document("A sentence of exactly seven words here. " * 200, "s", "long")
    short = [Document(f"Sentence {i} has but six words.", "s", str(i)) for i in range(60)]
    found = passages([*short, long], None, 0)
    sizes = [len(passage.text.split()) for passage in found]
    assert min(sizes) >= 40
    assert max(sizes) <= 230
    joined = [passage for passage in found if passage.document != "long"]
    assert 1 < len(joined) < 20
    assert "has but six words. Sentence" in joined[0].text


def test_as_many_passages_as_wanted_are_drawn_by_the_seed() -> None:
    long = Document("A sentence of exactly seven words here. " * 600, "s", "long")
    numbered = [Document(f"{i} {long.text}", "s", str(i)) for i in range(3)]
    assert len(passages(numbered, 10, 0)) == 10
    assert passages(numbered, 10, 0) == passages(numbered, 10, 0) != passages(numbered, 10, 1)


def test_a_pipeline_that_is_missing_or_finds_no_names_is_named(tmp_path: Path) -> None:
    import spacy

    with pytest.raises(CompressionError, match="no spaCy pipeline 'no_such_pipeline'"):
        load_pipeline("no_such_pipeline")
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(CompressionError, match="has no parser and no ner"):
        load_pipeline(str(tmp_path / "blank"))


def test_the_command_writes_both_kinds_of_rows(tmp_path: Path) -> None:
    pipeline().to_disk(tmp_path / "pipeline")
    texts, plain, asked = (tmp_path / name for name in ("texts.txt", "plain.jsonl", "asked.jsonl"))
    texts.write_text(TEXT + " " + TEXT)
    options = [
        "--pipeline",
        tmp_path / "pipeline",
        "--out",
        plain,
        "--questions-out",
        asked,
        "--questions",
        2,
        "--synonyms",
    ]
    result = CliRunner().invoke(main, ["train", "answers", *map(str, [texts, *options])])
    assert result.exit_code == 0, result.output
    assert "1 passages" in result.output
    rows = [json.loads(line) for line in asked.read_text().splitlines()]
    assert [row["question"] != "" for row in rows] == [True] * len(rows)
    assert json.loads(plain.read_text())["source"] == "texts"


def test_the_command_says_when_there_is_no_passage(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Too short.")
    arguments = [
        "train",
        "answers",
        str(tmp_path / "short.txt"),
        "--pipeline",
        "x",
        "--out",
        str(tmp_path / "o"),
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert "no passage of 40 words" in result.output
