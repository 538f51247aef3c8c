"""`laconic eval`, as a person calls it."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import compressors
from compressors import CompressionError
from proxy.cli import main
from proxy.evaluation.baselines import BASELINES
from tests.fakes.compressor import EverySecondWord

ROOT = Path(__file__).parents[3]
PROSE = (
    "Well, I think that the committee should probably meet again on Thursday in the harbour, because there are "
    "still several questions about the budget of 1,240 EUR that nobody has really been able to answer. "
)
OTHERS = [
    "The weather was fine and many people walked along the old river in the afternoon. " * 3,
    "A list of paintings hung in the long corridor that leads to the west wing of the house. " * 3,
]


def _run(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, ["eval", *map(str, arguments)])


def _file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Six rows of three documents; the gold one takes turns."""
    rows = []
    for number in range(6):
        texts: list[Any] = list(OTHERS)
        texts.insert(number % 3, {"title": "Minutes", "text": PROSE})
        asked = {"question": "When should the committee meet again?", "answers": ["Thursday"]}
        rows.append({**asked, "documents": texts, "gold": number % 3})
    return _file(tmp_path / "minutes.jsonl", rows)


def test_methods_are_measured_at_the_same_budget(documents: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    result = _run(documents, "--rate", "0.5", "--rate", "0.25", "--json", output, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "minutes: tokens and answers that survive, in %; 6 texts hold an answer" in result.output
    assert "by the gold document's position" in result.output
    assert "no language model answered anything" in result.output
    document = json.loads(output.read_text())
    assert "no language model answered anything" in document["measures"]
    assert set(document["versions"]) >= {"python", "laconic", "torch", "transformers"}
    assert document["hardware"]["cores"] > 0
    assert document["settings"]["count_as"] == "o200k_base"
    assert document["data"] == [{"name": "minutes", "cases": 6, "labelled": 0, "messages": 0}]
    rows = document["retention"]
    methods = ["llmlingua2", "random", "head", "tail", "stopwords", "surprisal", "bm25"]
    assert [(row["rate"], row["method"]) for row in rows] == [(r, m) for r in (0.5, 0.25) for m in methods]
    for row in rows:
        assert row["kept"] == pytest.approx(row["rate"], rel=0.03)  # texts are short
        assert (row["cases"], row["failed"], row["with_answer"]) == (6, 0, 6)
        assert [place["with_answer"] for place in row["positions"]] == [2, 2, 2]
        assert row["retained"] == sum(place["retained"] for place in row["positions"])
    found = {(row["method"], row["rate"]): row for row in rows}
    assert found["bm25", 0.25]["retention"] == 1
    assert [place["retention"] for place in found["head", 0.25]["positions"]] == [1, 0, 0]
    assert [place["retention"] for place in found["tail", 0.25]["positions"]] == [0, 0, 1]


@pytest.mark.parametrize("name", ["out.png", "out.SVG"])
def test_a_plot_is_a_real_picture(documents: Path, tmp_path: Path, name: str) -> None:
    result = _run(documents, "--method", "baselines", "--rate", "0.5", "--plot", tmp_path / name)
    assert result.exit_code == 0, result.output
    content = (tmp_path / name).read_bytes()
    if name.endswith("png"):
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", content[16:24])
        assert width > 500
        assert height > 300
        assert content.endswith(b"IEND\xaeB`\x82")
    else:
        assert ElementTree.fromstring(content).tag.endswith("svg")


def test_rankers_and_word_labels(documents: Path, tmp_path: Path) -> None:
    words = PROSE.split()
    labels = [int(word.strip(",.").lower() in ("committee", "meet", "thursday")) for word in words]
    labelled = _file(tmp_path / "labels.jsonl", [{"words": words, "labels": labels}])
    output = tmp_path / "out.json"
    methods = ["--method", "llmlingua2", "--method", "llmlingua2:compat", "--method", "head"]
    result = _run(
        documents,
        labelled,
        *methods,
        "--rate",
        "0.5",
        "--ranker",
        "bm25",
        "--ranker",
        "gzip",
        "--json",
        output,
    )
    assert result.exit_code == 0, result.output
    document = json.loads(output.read_text())
    by_bm25, by_gzip = document["rankings"]
    assert (by_bm25["ranker"], by_bm25["mean_rank"]) == ("bm25", 1)
    assert by_bm25["recall"] == {"1": 1, "3": 1, "5": 1}
    assert by_gzip["recall"]["3"] == 1
    assert [row["method"] for row in document["words"]] == ["llmlingua2", "llmlingua2:compat"]
    for row in document["words"]:
        assert 0 < row["f1"] <= 1
        assert 0 < row["average_precision"] <= 1
    assert "where the gold document ranks" in result.output
    assert "words kept as in the reference" in result.output


def test_the_others_may_be_given_what_one_method_takes(documents: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    methods = ["--method", "head", "--method", "llmlingua2:compat", "--match", "llmlingua2:compat"]
    result = _run(documents, *methods, "--rate", "0.6", "--json", str(output))
    assert result.exit_code == 0, result.output
    document = json.loads(output.read_text())
    compat, head = document["retention"]
    assert (compat["method"], head["method"]) == ("llmlingua2:compat", "head")
    assert compat["kept"] != pytest.approx(0.6, rel=0.02)
    assert head["kept"] == pytest.approx(compat["kept"], rel=0.01)
    assert document["settings"]["match"] == "llmlingua2:compat"


def test_a_limit_and_a_strategy(documents: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    options = ["--limit", "2", "--set", "order=sort", "--set", "rankers=bm25,gzip", "--json", output]
    result = _run(documents, "--method", "random", *map(str, options))
    assert result.exit_code == 0, result.output
    document = json.loads(output.read_text())
    assert document["data"] == [{"name": "minutes", "cases": 2, "labelled": 0, "messages": 0}]
    assert document["settings"]["limit"] == 2
    assert document["settings"]["strategy"] == ["order=sort", "rankers=bm25,gzip"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "none"], "unknown method 'none'"),
        (["--method", "random:compat"], "random:compat: expected NAME"),
        (["--match", "llmlingua"], "llmlingua: none of the methods; these are llmlingua2, random"),
        (["--method", "llmlingua2:new"], "llmlingua2:new: expected NAME"),
        (["--model", "./no-such-folder"], "no-such-folder"),
        (["--rate", "0"], "--rate"),
        (["--ranker", "none", "--method", "head"], "unknown ranker 'none'"),
        (["--set", "colour=red"], "colour=red: expected KEY=VALUE with one of the keys rankers, condition"),
        (["--set", "order=upwards"], "order=upwards"),
        (["--set", "dynamic_ratio=3"], "dynamic_ratio can't be 3"),
        (["--json", "./no-such-folder/out.json"], "no-such-folder/out.json: its folder doesn't exist"),
        (["--plot", "out.pdf"], "out.pdf must end in .png or .svg"),
    ],
)
def test_it_refuses_with_a_reason(documents: Path, arguments: list[str], message: str) -> None:
    result = _run(documents, *arguments)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", "")


def test_labels_alone_tell_nothing_about_baselines(tmp_path: Path) -> None:
    path = _file(tmp_path / "labels.jsonl", [{"words": ["a", "b"], "labels": [1, 0]}])
    result = _run(path, "--method", "random", "--plot", str(tmp_path / "out.svg"))
    assert result.exit_code == 0
    assert "Nothing to show" in result.output
    assert "nothing measured" in (tmp_path / "out.svg").read_text()


def test_a_case_that_fails_is_shown_and_ends_nothing(
    documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = EverySecondWord()
    fake.error = CompressionError("out of luck")
    monkeypatch.setattr(compressors, "load", lambda *_args, **_options: fake)
    output = tmp_path / "out.json"
    methods = ["--method", "llmlingua2", "--method", "head"]
    result = _run(documents, *methods, "--rate", "0.5", "--json", str(output))
    assert result.exit_code == 0
    assert "llmlingua2: 6 failed, first" in result.output
    assert "CompressionError: out of luck" in result.output.replace("\n", " ")
    failed, head = json.loads(output.read_text())["retention"]
    assert (failed["cases"], failed["failed"], failed["kept"], failed["retention"]) == (0, 6, None, None)
    assert head["cases"] == 6


def test_it_names_a_bad_row(documents: Path, tmp_path: Path) -> None:
    path = _file(tmp_path / "own.jsonl", [{"question": "q", "answers": ["a"], "context": 5}])
    result = _run(documents, path)
    assert result.exit_code == 2
    assert f"{path}:1: context: expected a text, found int" in result.output.replace("\n", "")


def test_two_files_of_one_name_are_refused(documents: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / documents.name
    other.write_bytes(documents.read_bytes())
    result = _run(documents, other)
    assert result.exit_code == 2
    assert "2 files are called minutes" in result.output


def test_a_plot_without_matplotlib_says_what_to_install(
    documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # what an import of a missing module meets
    result = _run(documents, "--plot", tmp_path / "out.png")
    assert result.exit_code == 2
    assert "pip install 'laconic[eval]'" in result.output


def test_help_says_what_is_not_measured_and_the_readme_has_every_baseline() -> None:
    assert "retention, not accuracy" in _run("--help").output
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "retention, not accuracy" in readme
    assert not {name for name in (*BASELINES, "baselines") if f"`{name}`" not in readme}


def test_the_command_is_cheap_to_import() -> None:
    heavy = "{'torch', 'transformers', 'matplotlib', 'litellm'}"
    code = f"import sys, proxy.cli.eval; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def test_what_is_left_in_messages(tmp_path: Path) -> None:
    said = [{"role": "system", "content": PROSE}, {"role": "user", "content": "It wasn't Maria. " * 20}]
    answered = [
        *said,
        {"role": "assistant", "content": "So 12 it is."},
        {"role": "user", "content": OTHERS[0]},
    ]
    rows = [
        {"conversation": name, "request": {"model": "gpt-4o", "messages": messages}}
        for name, messages in (("a", said), ("b", said), ("a", answered))
    ]
    traffic = _file(tmp_path / "traffic.jsonl", rows)
    output = tmp_path / "out.json"
    options = ("--method", "llmlingua2", "--method", "random", "--rate", "0.5", "--json", output)
    result = _run(traffic, *options, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "traffic: tokens and words that survive, in %; 3 texts" in result.output
    document = json.loads(output.read_text())
    assert document["data"] == [{"name": "traffic", "cases": 0, "labelled": 0, "messages": 3}]
    rows = document["survival"]
    assert [(row["method"], row["protected"]) for row in rows] == [
        ("llmlingua2", False), ("llmlingua2", True), ("random", False),
    ]  # fmt: skip
    for row in rows:
        assert [row[kind]["words"] for kind in ("numbers", "names", "negations")] == [1, 22, 21]
        assert row["kept"] == pytest.approx(0.5, abs=0.03)
    assert rows[1]["numbers"]["kept"] == rows[1]["negations"]["kept"] == 1
