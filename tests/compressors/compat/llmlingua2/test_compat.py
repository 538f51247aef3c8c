"""The parity mode by itself: where the package fails, and jobs. `test_oracle` compares the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from compressors import CompressionError, Job, PromptCompressor, render

TEXT = "The committee hasn't agreed on 3.14 yet.\n\n    Nobody knows, really, what it will cost? Not me. "


KINDS = pytest.mark.parametrize("kind", ["mbert", "xlm-roberta"])


@KINDS
@pytest.mark.parametrize(
    ("context", "parameters"),
    [
        ([], {}),
        ([""], {}),
        (["", TEXT], {}),
        (["", ""], {"target_token": 5}),
        ([TEXT], {"rate": 0.0}),
        ([TEXT, TEXT], {"target_token": 0}),
        (["[SEP] [CLS]"], {}),
        (["<s></s>"], {}),
        ([TEXT + "\ud800"], {}),
        ([TEXT, TEXT], {"context_level_rate": 1.5}),
    ],
)
def test_nothing_fails_where_the_package_does(
    compat: Callable[[str], Any], kind: str, context: list[str], parameters: dict[str, Any]
) -> None:
    result = compat(kind).compress_prompt(context, return_word_label=True, **parameters)
    assert len(result.compressed_prompt) <= len("\n\n".join(context)) + 20


def test_the_parity_mode_takes_whole_prompts(
    compat: Callable[[str], Any], tiny: Callable[[str], Any]
) -> None:
    assert isinstance(compat("mbert"), PromptCompressor)
    assert not isinstance(tiny("mbert"), PromptCompressor)


def test_unknown_parameters_are_named(compat: Callable[[str], Any]) -> None:
    with pytest.raises(CompressionError, match="iterative_size"):
        compat("mbert").compress_prompt([TEXT], iterative_size=200)


@KINDS
@pytest.mark.parametrize("rate", [0.3, 0.6, 1.0])
def test_jobs_are_rendered_from_the_original(compat: Callable[[str], Any], kind: str, rate: float) -> None:
    start = TEXT.index("3.14")
    job = Job(
        text=TEXT * 30,
        rate=rate,
        verbatim=((len(TEXT), 2 * len(TEXT)),),
        forced=((start, start + 4),),
        force_tokens=("?", "\n"),
        word_labels=True,
    )
    [result] = compat(kind).compress([job])
    assert result.text == render(job.text, result.spans)
    assert TEXT in result.text
    assert "3.14" in result.text[: len(TEXT)]
    assert result.text.count("?") == 30
    assert result.compressed_tokens < result.original_tokens or rate == 1
    assert rate < 1 or result.text == job.text


@KINDS
def test_a_jobs_words_are_the_packages(compat: Callable[[str], Any], kind: str) -> None:
    job = Job(text=TEXT * 4, rate=0.4, word_labels=True)
    [result] = compat(kind).compress([job])
    prompt = compat(kind).compress_prompt([job.text], rate=0.4, return_word_label=True)
    labels = [pair.rpartition(" ") for pair in prompt.fn_labeled_original_prompt.split("\t\t|\t\t")]
    assert [int(label) for _, _, label in labels] == [word.kept for word in result.words]
    found = [job.text[slice(*word.span)].strip() for word in result.words]
    assert [word.strip() for word, _, _ in labels] == found


@KINDS
def test_documents_of_a_job_are_the_packages_contexts(compat: Callable[[str], Any], kind: str) -> None:
    documents = [
        TEXT,
        "A second one, of another sort altogether.",
        "And a third one here, 42 words too short.",
    ]
    text = "\n\n".join(documents)
    starts = [text.index(document) for document in documents]
    contexts = tuple((s, s + len(document)) for s, document in zip(starts, documents, strict=True))
    [result] = compat(kind).compress([Job(text=text, rate=0.99, contexts=contexts, context_rate=0.4)])
    prompt = compat(kind).compress_prompt(documents, rate=0.99, context_level_rate=0.4)
    left = [any(s < e2 and s2 < e for s2, e2 in result.spans) for s, e in contexts]
    assert sum(left) == len(prompt.compressed_prompt_list) < 3


def test_what_the_package_does_not_know_is_refused(compat: Callable[[str], Any]) -> None:
    with pytest.raises(CompressionError, match="min_probability"):
        compat("mbert").compress([Job(text=TEXT, min_probability=0.5)])
