"""Whole trainings: what they learn, how they end, what they leave behind."""

from __future__ import annotations

import json
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import compressors
from compressors import Job, Strategy
from compressors.errors import CompressionError
from compressors.training import Figures, Record, Schedule, Stop
from compressors.training.classifier import Plan, Recipe, begin
from compressors.training.record import load
from tests.fakes.classifier import tiny_classifier

Fit = Callable[..., Record]


class Listener:
    """Counts steps and validations; asks to end after some steps."""

    def __init__(self, stop_after: int | None) -> None:
        self.steps = 0
        self.validations: list[tuple[Figures, bool]] = []
        self.stop = Stop()
        self._stop_after = stop_after

    def preparing(self, what: str) -> None:
        assert what

    def step(self, schedule: Schedule, tokens: int, loss: float) -> None:
        assert schedule.steps > 0
        assert tokens > 0
        assert loss > 0
        self.steps += 1
        if self.steps == self._stop_after:
            self.stop.signal = signal.SIGTERM

    def validated(self, figures: Figures, *, is_best: bool) -> None:
        self.validations.append((figures, is_best))


@pytest.fixture
def fit(folder: Path, tmp_path: Path) -> Fit:
    """Trains a little; `stop_after` steps it is asked to end, `heard` gets who listened."""

    def fit(
        *data: Path,
        name: str = "out",
        stop_after: int | None = None,
        heard: list[Listener] | None = None,
        recipe: dict[str, Any] | None = None,
        **plan: Any,
    ) -> Record:
        settings = {"steps": 12, "rate": 1e-2, "batch_tokens": 60, "average": 0.0, **(recipe or {})}
        options = {"start": str(folder), "data": [(path, None) for path in data], "device": "cpu", **plan}
        listener = Listener(stop_after)
        if heard is not None:
            heard.append(listener)
        made = Plan(out=tmp_path / name, recipe=Recipe(**settings), **options)
        return begin(made, listener).carry_on(listener.stop)

    return fit


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def _same(one: Path, other: Path) -> bool:
    weights = _weights(other)
    return all(torch.equal(weight, weights[name]) for name, weight in _weights(one).items())


def test_a_rule_is_learned_and_the_model_follows_it(fit: Fit, names: Path, tmp_path: Path) -> None:
    record = fit(names, recipe={"steps": 40, "average": 0.5})
    assert record.figures["names"]["f1"] == pytest.approx(1.0)
    assert record.figures["names"]["average_precision"] == pytest.approx(1.0)
    compressor = compressors.load("llmlingua2", str(tmp_path / "out" / "model"), device="cpu")
    text = "old Anna near river , house Dover bridge Carl market ."
    (result,) = compressor.compress([Job(text=text, target_tokens=4)])
    assert compressors.render(text, result.spans).split() == ["Anna", "Dover", "Carl"]


def test_a_question_decides_which_words_stay(fit: Fit, write: Callable[..., Path], tmp_path: Path) -> None:
    chance = random.Random(0)
    rows = []
    for _ in range(200):
        asked, other = chance.sample(["Anna", "Bonn"], k=2)
        words = chance.sample([asked, other, "river", "house"], k=4)
        rows.append({"words": words, "labels": [int(word == asked) for word in words], "question": asked})
    record = fit(write("asked", *rows), recipe={"steps": 50, "rate": 5e-3, "batch_tokens": 300})
    assert record.figures["asked"]["f1"] > 0.95
    config = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    assert config["laconic"] == {"question": {"tokens": 15}}  # half of what fits
    compressor = compressors.load("llmlingua2", str(tmp_path / "out" / "model"), device="cpu")
    text = "river Anna house Bonn"
    jobs = [
        Job(text=text, target_tokens=1, question=asked, strategy=Strategy(question_aware=True))
        for asked in ("Anna", "Bonn")
    ]
    kept = [compressors.render(text, result.spans) for result in compressor.compress(jobs)]
    assert kept == ["Anna", "Bonn"]


def test_a_model_learns_from_a_teacher_what_labels_do_not_say(
    fit: Fit, names: Path, write: Callable[..., Path], tmp_path: Path
) -> None:
    fit(names, name="teacher", recipe={"steps": 40, "average": 0.5})
    texts = [json.loads(line)["words"] for line in names.read_text().splitlines()]
    unknown = write("unknown", *({"words": words, "labels": [1] + [0] * (len(words) - 1)} for words in texts))
    teacher = str(tmp_path / "teacher" / "model")
    record = fit(
        unknown, name="learner", teachers=[teacher], recipe={"steps": 40, "taught": 1.0, "average": 0.5}
    )
    assert record.settings["teachers"] == [teacher]
    compressor = compressors.load("llmlingua2", str(tmp_path / "learner" / "model"), device="cpu")
    text = "old Anna near river , house Dover bridge Carl market ."
    (result,) = compressor.compress([Job(text=text, target_tokens=4)])
    assert compressors.render(text, result.spans).split() == ["Anna", "Dover", "Carl"]


def test_a_training_does_not_go_on_with_another_teacher(fit: Fit, names: Path, tmp_path: Path) -> None:
    for name, steps in (("one", 1), ("other", 2)):
        fit(names, name=name, recipe={"steps": steps})
    fit(names, teachers=[str(tmp_path / "one" / "model")])
    with pytest.raises(CompressionError, match="other data, start, teachers"):
        fit(names, teachers=[str(tmp_path / "other" / "model")])


def test_who_reads_other_tokens_or_no_questions_can_not_teach(
    fit: Fit, names: Path, write: Callable[..., Path], tmp_path: Path
) -> None:
    other = tiny_classifier(tmp_path / "other", ["Eve"], hidden=32, layers=1, window=32)
    short = tiny_classifier(tmp_path / "short", [".", ","], hidden=32, layers=1, window=16)
    for teacher in (other, short):
        with pytest.raises(CompressionError, match="can't teach a model that reads other tokens"):
            fit(names, teachers=[str(teacher)])
    rows = [{"words": ["Anna", "river"], "labels": [1, 0], "question": "Anna", "id": i} for i in range(3)]
    fit(names, name="unasked")
    with pytest.raises(CompressionError, match="question"):
        fit(write("asked", *rows), teachers=[str(tmp_path / "unasked" / "model")])


def test_a_stopped_training_goes_on_and_ends_with_the_same_model(
    fit: Fit, names: Path, tmp_path: Path
) -> None:
    through = fit(names, name="through", every=4, recipe={"average": 0.9})
    stopped = fit(names, name="stopped", every=4, recipe={"average": 0.9}, stop_after=5)
    assert stopped.steps == 5
    heard: list[Listener] = []
    resumed = fit(names, name="stopped", every=4, recipe={"average": 0.9}, heard=heard)
    assert heard[0].steps == 7
    assert (resumed.steps, resumed.tokens) == (through.steps, through.tokens)
    assert resumed.figures == through.figures
    assert _same(tmp_path / "through", tmp_path / "stopped")


def test_a_training_that_is_over_stays_as_it_is(fit: Fit, names: Path, tmp_path: Path) -> None:
    record = fit(names)
    heard: list[Listener] = []
    again = fit(names, heard=heard)
    assert heard[0].steps == 0
    assert again.figures == record.figures


def test_more_steps_make_it_longer(fit: Fit, names: Path) -> None:
    fit(names)
    assert fit(names, recipe={"steps": 15}).steps == 15


def test_validations_without_gain_end_it_and_the_best_weights_stay(
    fit: Fit, names: Path, tmp_path: Path
) -> None:
    heard: list[Listener] = []
    record = fit(names, recipe={"steps": 400}, every=20, patience=2, heard=heard)
    assert record.steps < 400
    bests = [is_best for _, is_best in heard[0].validations]
    assert bests[-3:] == [True, False, False]
    assert record.figures == heard[0].validations[-3][0]
    assert fit(names, recipe={"steps": 400}, every=20, patience=2).steps == record.steps


def test_what_it_leaves_behind(fit: Fit, names: Path, folder: Path, tmp_path: Path) -> None:
    record = fit(names, every=6, command="laconic train fit …", dropout=0.1)
    assert load(tmp_path / "out").model_dump(exclude={"environment"}) == record.model_dump(
        exclude={"environment"}
    )
    assert (record.task, record.command, record.steps, record.seed) == (
        "classifier",
        "laconic train fit …",
        12,
        1,
    )
    (data,) = record.data
    assert (data.name, data.share, data.rows) == ("names", 1.0, 60)
    assert 0 < data.held_out_rows < 60
    assert data.words is not None
    assert data.tokens > data.words
    assert record.settings["dropout"] == 0.1
    log = [json.loads(line) for line in (tmp_path / "out" / "log").read_text().splitlines()]
    assert [entry["steps"] for entry in log] == [6, 12]
    assert set(log[0]["figures"]) == {"names"}
    assert record.before is None
    again = fit(names, name="again", start=str(tmp_path / "out" / "model"))
    assert again.before is not None
    assert again.before.command == "laconic train fit …"


def test_what_the_start_declares_is_carried_over(fit: Fit, names: Path, folder: Path, tmp_path: Path) -> None:
    start = shutil.copytree(folder, tmp_path / "start")
    config = json.loads((start / "config.json").read_text())
    (start / "config.json").write_text(json.dumps({**config, "laconic": {"scripts": ["LATIN"]}}))
    fit(names, start=str(start), recipe={"steps": 1})
    config = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    assert config["laconic"] == {"scripts": ["LATIN"]}


def test_the_folder_of_another_training_is_refused(fit: Fit, names: Path, write: Callable[..., Path]) -> None:
    fit(names)
    other = write("other", *({"words": ["Anna", "near"], "labels": [1, 0], "id": i} for i in range(9)))
    for change in ({"recipe": {"seed": 2}}, {"fresh": True}):
        with pytest.raises(CompressionError, match="holds a training with other data, start, teachers"):
            fit(names, **change)
    with pytest.raises(CompressionError, match="is of another training"):
        fit(names, other)


def test_shares_are_those_of_the_tokens(fit: Fit, names: Path, write: Callable[..., Path]) -> None:
    other = write("other", *({"words": ["Anna", "near", str(i)], "labels": [1, 0, 0]} for i in range(30)))
    record = fit(data=[(names, 0.25), (other, None)])
    assert [data.share for data in record.data] == [0.25, 0.75]
    halves = fit(data=[(names, 0.25), (other, 0.25)], name="halves")
    assert [data.share for data in halves.data] == [0.5, 0.5]


def test_short_windows_can_be_asked_for(fit: Fit, names: Path) -> None:
    assert fit(names, name="short", length=16, recipe={"steps": 1}).data[0].tokens > 0
