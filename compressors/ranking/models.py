"""Ranks by models of the sentence-transformers library. Knows no method's details: the model brings them.

Imports torch; `load_ranker` imports this module only when such a model is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sentence_transformers import CrossEncoder, SentenceTransformer
from torch.nn import Identity

from compressors.characters import well_formed
from compressors.errors import CompressionError
from compressors.ranking.ranker import RankScores

_SPARE = 16
"""Tokens of a window for special tokens, a prompt, and what is tokenised anew at a passage's edges."""


class Embedding:
    """Cosine of the question's and a document's embeddings, with the prompts that the model declares."""

    def __init__(self, name: str, fingerprint: str, source: str, **options: Any) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._model = SentenceTransformer(source, **options)
        self._window = _window(self._model) - _SPARE

    def scores(self, question: str, documents: Sequence[str]) -> RankScores:
        """Scores in [-1, 1]; a document longer than the model's window has that of its best passage."""
        if not documents:
            return np.zeros(0)
        passages, firsts = _passages(documents, self._model.tokenizer, self._window)
        options: dict[str, Any] = {"normalize_embeddings": True, "show_progress_bar": False}
        asked = self._model.encode_query([well_formed(question)], **options)  # (1, E) float32
        found = self._model.encode_document(passages, **options)  # (P, E) float32
        return _best(found @ asked[0], firsts)


class Reranker:
    """What a cross-encoder, which reads the question and a document together, makes of them."""

    def __init__(self, name: str, fingerprint: str, source: str, **options: Any) -> None:
        """Raises `CompressionError` if the model at `source` judges no pairs, or not by one number."""
        self.name = name
        self.fingerprint = fingerprint
        self._model = CrossEncoder(source, **options)
        self._window = _window(self._model) - _SPARE
        architecture = (self._model.config.architectures or ["unnamed"])[0]
        if not architecture.endswith(("ForSequenceClassification", "ForCausalLM")):
            raise CompressionError(f"{source!r} is no cross-encoder, its architecture is {architecture}")
        if self._model.num_labels != 1:
            raise CompressionError(f"{source!r} has {self._model.num_labels} outputs; one was expected")

    def scores(self, question: str, documents: Sequence[str]) -> RankScores:
        """Scores without bounds; a document that doesn't fit beside the question has its best passage's."""
        if not documents:
            return np.zeros(0)
        asked = well_formed(question)
        tokenizer = self._model.tokenizer
        taken = len(tokenizer(asked, add_special_tokens=False, verbose=False).input_ids)
        room = max(self._window - taken, self._window // 2)
        passages, firsts = _passages(documents, tokenizer, room)
        pairs = [(asked, passage) for passage in passages]
        # not the sigmoid that the library would apply: it makes ties of all good documents
        found = self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False)  # (P,)
        return _best(found, firsts)


MODELS: dict[str, type[Embedding] | type[Reranker]] = {"embedding": Embedding, "reranker": Reranker}


def _window(model: Any) -> int:
    """Tokens that the model reads at most."""
    positions = getattr(getattr(model[0], "config", None), "max_position_embeddings", 0)
    limits = (model.max_seq_length, positions - 2)  # RoBERTa's positions begin at 2
    return min((limit for limit in limits if limit and limit > 0), default=512)


def _passages(documents: Sequence[str], tokenizer: Any, most: int) -> tuple[list[str], list[int]]:
    """All documents' passages of at most `most` tokens, in order; and each document's first, `(D,)`."""
    passages: list[str] = []
    firsts = []
    for document in map(well_formed, documents):
        firsts.append(len(passages))
        starts = [0]
        if getattr(tokenizer, "is_fast", False) and len(document.encode()) > most:
            offsets = tokenizer(
                document, add_special_tokens=False, return_offsets_mapping=True, verbose=False
            )
            starts += [start for start, _ in offsets["offset_mapping"][most::most]]
        passages += [document[start:end] for start, end in pairwise([*starts, len(document)])]
    return passages, firsts


def _best(found: Any, firsts: Sequence[int]) -> RankScores:
    """Each document's best passage (MaxP: Dai & Callan 2019, section 3); `(D,)` float64."""
    result: RankScores = np.maximum.reduceat(np.asarray(found, dtype=np.float64), firsts)
    return result
