"""`laconic train annotate` and `filter`, as a person calls them, on what LLMs of several manners wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from tests.fakes.shortening import shortened

ROOT = Path(__file__).parents[3]
TEXTS = [
    f"In the year {1900 + number} the committee of the harbour met in a very cold hall, and the mayor was late."
    for number in range(20)
]

KEPT = "In year 1900 committee of harbour met in cold hall , and mayor was late ."


def _run(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, ["train", *map(str, arguments)])


def _jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _pairs(path: Path, compress: Callable[[str], str], texts: list[str] = TEXTS) -> Path:
    rows = [
        {"text": text, "compressed": compress(text), "source": "minutes", "document": "m1", "model": "fake"}
        for text in texts
    ]
    return _jsonl(path, rows)


def _kept(row: dict[str, Any]) -> list[str]:
    return [word for word, label in zip(row["words"], row["labels"], strict=True) if label]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


def test_labels_say_what_the_llm_kept(tmp_path: Path, out: Path) -> None:
    result = _run("annotate", _pairs(tmp_path / "pairs.jsonl", shortened), "--out", out)
    assert result.exit_code == 0, result.output
    rows = _rows(out)
    assert [row["text"] for row in rows] == TEXTS
    assert [row["source"] for row in rows] == ["minutes"] * 20
    assert rows[0]["document"] == "m1"
    assert "compressed" not in rows[0]
    assert " ".join(_kept(rows[0])) == KEPT
    assert (rows[0]["variation_rate"], rows[0]["alignment_gap"]) == (0, 0)
    assert rows[0]["hitting_rate"] == rows[0]["matching_rate"] == pytest.approx(16 / 22, abs=1e-6)
    assert "20 samples" in result.stdout
    assert "variation rate" in result.stdout


def test_an_llm_that_adds_words_is_found_out(tmp_path: Path, out: Path) -> None:
    pairs = _pairs(tmp_path / "pairs.jsonl", lambda text: f"Overall summary: {text[:11]}")
    assert _run("annotate", pairs, "--out", out).exit_code == 0
    assert _rows(out)[0]["variation_rate"] == pytest.approx(0.5)
    assert _kept(_rows(out)[0]) == ["In", "the", "year"]


def test_an_llm_that_reorders_keeps_the_same_words(tmp_path: Path, out: Path) -> None:
    pairs = _pairs(tmp_path / "pairs.jsonl", lambda text: " ".join(reversed(shortened(text[:-1]).split())))
    assert _run("annotate", pairs, "--out", out).exit_code == 0
    (row, *_) = _rows(out)
    assert " ".join(_kept(row)).replace(" ,", "") == KEPT.replace(" ,", "").removesuffix(" .")


def test_it_goes_on_after_an_interruption(tmp_path: Path, out: Path) -> None:
    pairs = _pairs(tmp_path / "pairs.jsonl", shortened)
    _run("annotate", pairs, "--out", out)
    whole = out.read_bytes()
    out.write_bytes(whole[: len(whole) // 2])
    result = _run("annotate", pairs, "--out", out)
    assert out.read_bytes() == whole
    assert "20 samples" in result.stdout


def test_rows_of_other_pairs_are_left_alone(tmp_path: Path, out: Path) -> None:
    _run("annotate", _pairs(tmp_path / "pairs.jsonl", shortened), "--out", out)
    written = out.read_bytes()
    for texts in (TEXTS[5:], TEXTS[:5]):
        result = _run("annotate", _pairs(tmp_path / "others.jsonl", shortened, texts), "--out", out)
        assert result.exit_code == 2
        assert "name another file" in result.output
        assert out.read_bytes() == written


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({"text": "a"}, [], "pairs.jsonl:1: compressed: expected a text, found NoneType"),
        ({"text": 3, "compressed": "a"}, [], "pairs.jsonl:1: text: expected a text, found int"),
        (
            {"text": "a", "compressed": " "},
            [],
            "pairs.jsonl:1: compressed: expected a text, found an empty one",
        ),
        ({"text": "a", "compressed": "a"}, ["--language", "klingon"], "unknown language 'klingon'"),
    ],
)
def test_annotate_refuses_with_a_reason(
    tmp_path: Path, out: Path, row: dict[str, Any], options: list[str], message: str
) -> None:
    result = _run("annotate", _jsonl(tmp_path / "pairs.jsonl", [row]), "--out", out, *options)
    assert result.exit_code == 2
    assert message in result.output


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Twenty rows, of which each varies and gapes more than the one before."""
    rows = [
        {
            "text": "a",
            "words": ["a"],
            "labels": [1],
            "variation_rate": i / 20,
            "hitting_rate": 1.0,
            "matching_rate": 1 - i / 20,
            "alignment_gap": i / 20,
        }
        for i in range(20)
    ]
    return _jsonl(tmp_path / "labelled.jsonl", rows)


@pytest.mark.parametrize("name", ["left.jsonl", "left.jsonl.gz"])
def test_the_worst_are_left_out(labelled: Path, tmp_path: Path, name: str) -> None:
    plot = tmp_path / "measures.svg"
    options: list[str | Path] = ["--variation-percentile", "90", "--gap-percentile", "50", "--plot", plot]
    result = _run("filter", labelled, "--out", tmp_path / name, *options)
    assert result.exit_code == 0, result.output
    assert "kept 9 of 20: dropped variation rates from 0.855 (P90) on" in result.stdout
    assert "alignment gaps from 0.425 (P50) on" in result.stdout
    assert "<svg" in plot.read_text()
    again = _run("filter", tmp_path / name, "--out", tmp_path / "all.jsonl", "--gap-percentile", "100")
    assert again.exit_code == 0
    left = _rows(tmp_path / "all.jsonl")
    assert left == _rows(labelled)[: len(left)]


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({"text": "a"}, [], "labelled.jsonl:1: variation_rate: expected a number"),
        (None, [], "labelled.jsonl: no rows"),
        (None, ["--plot", "out.pdf"], "out.pdf must end in .png or .svg"),
        (None, ["--variation-percentile", "101"], "--variation-percentile"),
    ],
)
def test_filter_refuses_with_a_reason(
    tmp_path: Path, out: Path, row: dict[str, Any] | None, options: list[str], message: str
) -> None:
    rows = [] if row is None else [row]
    result = _run("filter", _jsonl(tmp_path / "labelled.jsonl", rows), "--out", out, *options)
    assert result.exit_code == 2
    assert message in result.output
    assert not out.exists()


def test_a_plot_without_matplotlib_says_what_to_install(
    labelled: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = _run("filter", labelled, "--out", out, "--plot", tmp_path / "out.png")
    assert result.exit_code == 2
    assert "pip install 'laconic[train]'" in result.output


def test_the_commands_are_cheap_to_import() -> None:
    heavy = "{'torch', 'transformers', 'matplotlib', 'litellm', 'snowballstemmer'}"
    names = ", ".join(f"proxy.cli.train.{name}" for name in ("distill", "annotate", "filter"))
    code = f"import sys, {names}; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
