"""Policies that have a token classifier read questions: what decisions depend on, and what is said about models."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from compressors import CompressionError, ModelError
from compressors.identity import EMBEDDED
from policies.config import Config
from proxy.cli import main
from proxy.fitness import require_fit_models
from tests.fakes.compressor import EverySecondWord
from tests.fakes.laconic import Laconic, chat, config, words
from tests.fakes.questions import claiming
from tests.fakes.upstream import FakeUpstream

PASTED = (
    "The harbour was opened in the spring by the mayor, and the market, which is older, by nobody in particular. "
    "Whether the bridge will be closed in the winter has really not been decided by the council of the town. "
) * 3
WHO = {"role": "user", "content": "Who opened the harbour, please?"}
WHETHER = {"role": "user", "content": "Will the bridge be closed or not?"}
GO_ON = [
    {"role": "assistant", "content": "The mayor."},
    {"role": "user", "content": "And who opened the rest?"},
]


@pytest.fixture(scope="module")
def model() -> Path:
    """The embedded model, which was trained on questions."""
    return EMBEDDED["llmlingua2"]


@pytest.fixture(scope="module")
def unaware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model, as if it had not been."""
    return claiming(EMBEDDED["llmlingua2"], tmp_path_factory.mktemp("models") / "unaware", tokens=0)


def _served(upstream: FakeUpstream, model: Path | str, *, question_aware: bool = True, **more: Any) -> Config:
    policy = {"strategy": {"question_aware": question_aware}, "adopt": "all", "deadline_ms": 60_000}
    compressors = {"default": {"method": "llmlingua2", "model": str(model), "device": "cpu"}}
    return config(upstream.base_url, compressors=compressors, policy=policy, **more)


def _sent(laconic: Laconic, upstream: FakeUpstream, *messages: dict[str, Any]) -> list[str]:
    body = json.dumps({"model": "gpt-4o", "messages": messages}).encode()
    assert chat(laconic, body).status == 200
    return [message["content"] for message in json.loads(upstream.requests[-1].body)["messages"]]


def _pasted(text: str = PASTED) -> dict[str, Any]:
    return {"role": "user", "content": text}


def test_a_text_is_shortened_for_its_question_once_and_for_all(upstream: FakeUpstream, model: Path) -> None:
    with Laconic(_served(upstream, model)) as laconic:
        first = _sent(laconic, upstream, _pasted(), WHO)
        later = _sent(laconic, upstream, _pasted(), WHO, *GO_ON)
        laconic.forget()
        again = _sent(laconic, upstream, _pasted(), WHO, *GO_ON)
        other = _sent(laconic, upstream, _pasted(), WHETHER)
    assert len(first[0]) < len(PASTED)
    assert later[:2] == again[:2] == first
    assert len(other[0]) < len(PASTED)
    assert other[0] != first[0]


def test_results_of_tools_are_read_for_what_the_user_asked(upstream: FakeUpstream, model: Path) -> None:
    def after(question: dict[str, Any]) -> str:
        call = {"role": "assistant", "content": "I look it up."}
        result = {"role": "tool", "tool_call_id": "1", "content": PASTED}
        return _sent(laconic, upstream, question, call, result)[2]

    with Laconic(_served(upstream, model)) as laconic:
        assert after(WHO) != after(WHETHER)


@pytest.mark.parametrize("question_aware", [False, True])
def test_a_decision_depends_on_the_question_exactly_if_it_is_read(
    upstream: FakeUpstream, model: Path, compressor: EverySecondWord, question_aware: bool
) -> None:
    with Laconic(_served(upstream, model, question_aware=question_aware)) as laconic:
        for question in (WHO, WHETHER, WHO):
            _sent(laconic, upstream, _pasted(words(200)), question)
    questions = [job.question for job in compressor.jobs if len(job.text) > 200]
    assert questions == ([WHO["content"], WHETHER["content"]] if question_aware else [""])
    assert {job.strategy.question_aware for job in compressor.jobs} == {question_aware}


def test_a_model_that_reads_no_questions_is_refused(upstream: FakeUpstream, unaware: Path) -> None:
    served = _served(upstream, unaware)
    with pytest.raises(
        CompressionError, match=rf"policies.careful.strategy.question_aware: model '{unaware}'"
    ):
        require_fit_models(served)


def test_requests_go_as_they_came_if_that_only_turns_out_later(
    upstream: FakeUpstream, model: Path, compressor: EverySecondWord, caplog: pytest.LogCaptureFixture
) -> None:
    compressor.error = ModelError("question_aware: model 'a/b' wasn't trained to read questions")
    with Laconic(_served(upstream, model)) as laconic, caplog.at_level(logging.ERROR, "laconic.pipeline"):
        assert _sent(laconic, upstream, _pasted(), WHO) == [PASTED, WHO["content"]]
    assert "compressor failed: question_aware: model 'a/b' wasn't trained" in caplog.text


CONFIG = """\
upstreams:
  openai: {{base_url: "https://api.openai.com/v1"}}
compressors:
  asked: {{model: {model}, device: cpu}}
policies:
  careful: {{compressor: asked, strategy: {{question_aware: true}}, targets: [{{role: user}}], ranges: [{{rate: 0.5}}]}}
routes:
  - {{name: default, upstream: openai, policy: careful}}
"""


def _run(*arguments: str | Path, text: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, [*map(str, arguments)], input=text)


def test_check_says_what_it_means(tmp_path: Path, model: Path) -> None:
    (tmp_path / "laconic.yaml").write_text(CONFIG.format(model=model))
    (tmp_path / "request.json").write_text(json.dumps({"model": "gpt-4o", "messages": [_pasted(), WHO]}))
    result = _run("check", tmp_path / "laconic.yaml", tmp_path / "request.json")
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "shortened: rate 0.5; for a question" in said
    assert "the model reads each text with its question" in said


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_file_that_asks_too_much_of_a_model_is_refused(command: str, tmp_path: Path, unaware: Path) -> None:
    path = tmp_path / "laconic.yaml"
    path.write_text(CONFIG.format(model=unaware))
    result = _run(command, path) if command == "check" else _run(command, "--config", path)
    assert result.exit_code == 2
    said = f"{path}: policies.careful.strategy.question_aware: model '{unaware}' wasn't trained"
    assert said in result.output.replace("\n", " ")


def test_compress_reads_a_question(model: Path, unaware: Path) -> None:
    def shortened(*arguments: str | Path) -> str:
        result = _run("compress", "--device", "cpu", *arguments, text=PASTED)
        assert result.exit_code == 0, result.output
        return result.stdout

    aware = ("--model", model)
    assert shortened(*aware, "--question", WHO["content"]) != shortened(*aware)
    assert shortened(*aware) == shortened()
    refused = _run("compress", "--model", unaware, "--question", "Who?", "--device", "cpu", text=PASTED)
    assert refused.exit_code == 2
    assert "wasn't trained to read questions" in refused.output


def test_eval_measures_it(model: Path, unaware: Path, tmp_path: Path) -> None:
    rows = [
        {"question": question, "answers": [answer], "context": PASTED}
        for question, answer in ((WHO["content"], "mayor"), (WHETHER["content"], "council"))
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def measured(*arguments: str | Path) -> tuple[Any, str]:
        data, figures = tmp_path / "data.jsonl", tmp_path / "out.json"
        options = ("--method", "llmlingua2", "--rate", "0.2", "--device", "cpu", "--json", figures)
        result = _run("eval", data, *options, *arguments)
        assert result.exit_code == 0, result.output
        return json.loads(figures.read_text()), result.output

    asked, _ = measured("--model", model, "--set", "question_aware=true")
    assert asked["retention"][0]["failed"] == 0
    assert asked["settings"]["strategy"] == ["question_aware=true"]
    refused, output = measured("--model", unaware, "--set", "question_aware=true")
    assert refused["retention"][0]["failed"] == 2
    assert "wasn't trained to read questions" in output.replace("\n", " ")
