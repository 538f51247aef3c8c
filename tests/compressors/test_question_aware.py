"""A token classifier that reads a question before each chunk of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

import compressors
from compressors import Compressed, Job, ModelError, Strategy
from compressors.encoder import Probabilities
from compressors.identity import EMBEDDED
from compressors.legibility import Literacy
from compressors.llmlingua2 import LLMLingua2
from compressors.questions import Questions
from compressors.ranking import load_ranker
from compressors.reading import Reader, TokenIds
from tests.fakes.questions import claiming

TEXT = (
    "The harbour was opened in the spring by the mayor, and the market, which is older, by nobody in particular. "
    "Whether the bridge will be closed in the winter is not decided. "
) * 3
AWARE = Strategy(question_aware=True)
ASKED = Job(text=TEXT, rate=0.4, question="Who opened the harbour?", word_labels=True, strategy=AWARE)


@pytest.fixture(scope="module", params=["bert", "distilbert", "xlm-roberta"])
def folder(request: pytest.FixtureRequest, tiny_folder: Callable[[str], Path]) -> Path:
    """A tiny random model; some are packed, others padded."""
    return tiny_folder(request.param)


@pytest.fixture(scope="module")
def aware(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    model = claiming(folder, tmp_path_factory.mktemp("aware") / folder.name)
    return compressors.load("llmlingua2", str(model), device="cpu")


@pytest.fixture(scope="module")
def unaware(folder: Path) -> Any:
    return compressors.load("llmlingua2", str(folder), device="cpu")


def _units(compressor: Any, job: Job) -> list[TokenIds]:
    """What the model reads for `job`."""
    return list(next(compressor.passes(job)))


def test_the_question_changes_what_stays(aware: Any) -> None:
    results = aware.compress([ASKED, replace(ASKED, question="Is the bridge closed in winter or not?")])
    one, other = ([word.probability for word in result.words] for result in results)
    assert one != other
    assert results[0].spans != results[1].spans


@pytest.mark.parametrize(
    "job", [replace(ASKED, question=""), replace(ASKED, strategy=Strategy()), replace(ASKED, question=" \n")]
)
def test_what_is_not_read_for_a_question_is_as_ever(aware: Any, unaware: Any, job: Job) -> None:
    plain = replace(ASKED, question="", strategy=Strategy())
    assert aware.compress([job]) == unaware.compress([plain])


def test_every_chunk_fits_the_window_behind_a_long_question(aware: Any) -> None:
    job = replace(ASKED, text=TEXT * 20, question="Who opened the harbour? " * 200)
    units = _units(aware, job)
    shared = len(_units(aware, replace(job, text="a the"))[0]) - len(
        _units(aware, replace(job, text="a the", question=""))[0]
    )
    assert 64 <= shared <= 66  # the question's last tokens and what separates them from the text
    assert 400 < max(map(len, units)) <= 512
    heads = {tuple(unit[: shared + 1]) for unit in units}
    assert len(heads) == 1
    whole = np.concatenate([unit[shared + 1 : -1] for unit in units])
    assert whole.tolist() == np.concatenate(
        [unit[1:-1] for unit in _units(aware, replace(job, question=""))]
    ).tolist()  # fmt: skip


def test_neighbours_with_other_questions_change_nothing(aware: Any) -> None:
    jobs = [
        replace(ASKED, text=TEXT[: 60 * number], question=question)
        for number, question in enumerate(
            ("", "Who?", "Is it not decided?", "When was the harbour opened?"), 1
        )
    ]
    jobs.append(replace(ASKED, strategy=Strategy()))
    together = aware.compress(jobs)
    assert aware.compress(jobs[::-1])[::-1] == together
    assert [aware.compress([job])[0] for job in jobs] == together


def test_a_model_that_reads_no_questions_says_so(unaware: Any, folder: Path) -> None:
    with pytest.raises(ModelError, match=rf"question_aware: model '.*{folder.name}' wasn't trained"):
        unaware.compress([ASKED])


def test_files_tell_which_model_reads_questions(folder: Path, tmp_path: Path) -> None:
    compressors.require_questions(str(claiming(folder, tmp_path / "aware")))
    compressors.require_questions("someone/on-the-hub")  # whose files aren't here
    (tmp_path / "empty").mkdir()
    compressors.require_questions(str(tmp_path / "empty"))  # loading says what is wrong with it
    with pytest.raises(ModelError, match=rf"question_aware: model '.*{folder.name}' wasn't trained"):
        compressors.require_questions(str(folder))


def test_the_fingerprint_tells_models_apart_by_what_they_read(folder: Path, tmp_path: Path) -> None:
    models = {folder, claiming(folder, tmp_path / "one"), claiming(folder, tmp_path / "other", tokens=32)}
    assert len({compressors.fingerprint("llmlingua2", str(model)) for model in models}) == 3


class _Echo:
    """Keeps what occurs before the first separator, the question, as well."""

    def __init__(self, separator: int) -> None:
        self._separator = separator
        self.sequences: list[TokenIds] = []

    def keep_probabilities(self, sequences: Sequence[TokenIds]) -> list[Probabilities]:
        self.sequences += sequences
        return [self._probabilities(sequence) for sequence in sequences]

    def _probabilities(self, sequence: TokenIds) -> Probabilities:
        end = np.flatnonzero(sequence == self._separator)[0]
        return np.where(np.isin(sequence, sequence[1:end]), 0.9, 0.1).astype(np.float32)


@pytest.fixture
def echo() -> tuple[_Echo, LLMLingua2]:
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED["llmlingua2"])
    reader = Reader(tokenizer, 64)
    encoder = _Echo(tokenizer.sep_token_id)
    made = LLMLingua2(
        reader, encoder, "echo", model="echo", questions=Questions(reader), rankers=load_ranker,
        literacy=Literacy(), unreadable_share=1.0, device="cpu", batch_tokens=512,
    )  # fmt: skip
    return encoder, made


def _in_documents(documents: Sequence[str], **fields: Any) -> Job:
    spans = tuple(pairwise(accumulate(map(len, documents), initial=0)))
    return replace(ASKED, text="".join(documents), contexts=spans, word_labels=False, **fields)


def test_each_document_is_read_with_the_question(echo: tuple[_Echo, LLMLingua2]) -> None:
    encoder, compressor = echo
    others = [f"The {name} lies on the left of the river, as {name}s do. " * 2 for name in ("mill", "tower")]
    gold = "The harbour was opened by fishermen in the rain. "
    job = _in_documents(
        [others[0], gold, others[1]],
        rate=0.3,
        question="Was the harbour opened by fishermen?",
        strategy=replace(AWARE, document_filter=False),
    )
    result: Compressed
    [result] = compressor.compress([job])
    prefix = Questions(Reader(AutoTokenizer.from_pretrained(EMBEDDED["llmlingua2"]), 64)).prefix(job.question)
    assert len(encoder.sequences) == 3
    assert all(sequence[: len(prefix)].tolist() == prefix.tolist() for sequence in encoder.sequences)
    assert "harbour was opened by fishermen" in result.text
    assert not result.dropped


def test_rankers_choose_the_documents_and_only_these_are_read(echo: tuple[_Echo, LLMLingua2]) -> None:
    encoder, compressor = echo
    names = ["harbour", "bridge", "market", "school", "tower"]
    documents = [f"Long ago a {name} stood here, they say, and people liked it. " * 2 for name in names]
    documents[3:3] = [
        "In 1848 the quay was finished; ships from all over the world have moored there since. " * 2
    ]
    job = _in_documents(documents, rate=0.15, question="Where do boats land?")
    for rankers in (("embedding",), ("bm25", "embedding")):
        encoder.sequences.clear()
        [result] = compressor.compress([replace(job, strategy=replace(AWARE, rankers=rankers))])
        assert "1848" in result.text
        assert not any(name in result.text for name in names)
        assert len(encoder.sequences) == 1
        assert result.compressed_tokens <= 0.16 * result.original_tokens


def test_a_document_of_code_may_be_the_one_that_stays(echo: tuple[_Echo, LLMLingua2]) -> None:
    encoder, compressor = echo
    code = "def moor(boat, quay):\n    quay.boats.append(boat)\n"
    documents = [*(f"Long ago a {name} stood here, they say. " * 4 for name in ("mill", "tower")), code]
    job = _in_documents(documents, target_tokens=9, question="Where does moor append the boat of a quay?")
    job = replace(job, verbatim=(job.contexts[-1],))
    [result] = compressor.compress([job])
    assert code.strip() in result.text
    assert not encoder.sequences


def test_without_rankers_that_need_no_causal_model_words_tell_which_documents_stay(
    echo: tuple[_Echo, LLMLingua2],
) -> None:
    encoder, compressor = echo
    documents = [f"Long ago a {name} stood here, they say. " * 2 for name in ("harbour", "bridge", "market")]
    strategy = replace(AWARE, rankers=("perplexity",))
    job = _in_documents(documents, rate=0.3, question="Was there a bridge?", strategy=strategy)
    [result] = compressor.compress([job])
    assert len(encoder.sequences) == 3
    assert "bridge" in result.text


def test_the_document_that_fits_the_question_stays_wherever_it_stands(echo: tuple[_Echo, LLMLingua2]) -> None:
    _, compressor = echo
    names = ["harbour", "bridge", "market", "school", "tower"]
    documents = [f"Long ago a {name} stood here, they say, and people liked it. " * 2 for name in names]
    for name in names:
        job = _in_documents(documents, rate=1.0, context_rate=0.15, question=f"Where was a {name}?")
        [result] = compressor.compress([job])
        assert name in result.text
        assert len(result.dropped) >= 1
        assert len(result.text) < len(job.text) / 3
