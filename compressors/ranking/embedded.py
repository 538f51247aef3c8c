"""Ranks by the sentence encoder that ships with laconic: how near a document's embedding is to the question's.

Owns how texts are embedded and for how long that is remembered. Imports torch.
N: tokens of all passages, C: size of a state, P: passages.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from compressors.attention import Lengths, is_packed
from compressors.batches import fills
from compressors.bert import Bert
from compressors.characters import well_formed
from compressors.checkpoint import choose_device, load_checkpoint
from compressors.encoder import laid_out
from compressors.identity import UNREADABLE_SHARE, folder_of
from compressors.legibility import Legibility
from compressors.linear import fastest
from compressors.ranking.ranker import RankScores
from compressors.reading import Reader, TokenIds
from compressors.words import split

Embeddings = npt.NDArray[np.float32]
"""Of length 1 each; `(P, C)`."""
_ENDS = (".", "\n")
_BATCH_TOKENS = {"cpu": 1024, "cuda": 16384}
_MOST_TEXTS = 8192
"""Of which embeddings are remembered, at less than 1 KiB for most."""


class Embedded:
    """Cosine of the question's and a document's embeddings (Reimers & Gurevych 2019, Sentence-BERT, mean pooling).

    Documents recur from request to request, and their embeddings don't depend on the question: those of the texts
    that were met last are kept in memory, by a digest of the text.
    """

    name = "embedding"

    def __init__(self, fingerprint: str, device: str) -> None:
        """`device` as `load` takes it; where the model can't be run packed, it runs on the CPU."""
        self.fingerprint = fingerprint
        place = choose_device(device)
        place = place if place.type == "cuda" and is_packed(place, torch.float16) else torch.device("cpu")
        folder = folder_of("embedding", "embedded")
        checkpoint = load_checkpoint("embedded", "embedding", folder=folder, device=str(place))
        self._device = place
        self._reader = Reader(checkpoint.tokenizer, checkpoint.window)
        self._legibility = Legibility(self._reader.unknown_id, checkpoint.literacy)
        sample = checkpoint.model.encoder.layer[0].intermediate.dense
        self._bert = Bert(checkpoint.model, fastest(sample.weight, sample.bias))
        self._known: OrderedDict[bytes, npt.NDArray[np.float16]] = OrderedDict()

    def scores(self, question: str, documents: Sequence[str]) -> RankScores:
        """Scores in [-1, 1]; a document longer than the model's window has that of its best passage (MaxP: Dai &
        Callan 2019, section 3). A question in another language than English finds all documents equal."""
        if not documents or not self._reads(question):
            return np.zeros(len(documents))
        asked, *found = self.embeddings([question, *documents])
        direction = asked.mean(axis=0)  # of a question beyond the window, what its passages have in common
        return np.array([float((passages @ direction).max()) for passages in found], dtype=np.float64)

    def _reads(self, question: str) -> bool:
        words = split(question)
        reading = self._reader.read(question, [(0, len(question))])
        _, unread = self._legibility.judge(question, words, np.zeros(len(words), np.bool_), reading)
        return bool(len(reading.ids)) and unread <= UNREADABLE_SHARE

    def embeddings(self, texts: Sequence[str]) -> list[Embeddings]:
        """Those of each text's passages, at least one."""
        keys = [hashlib.sha256(well_formed(text).encode()).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        self._learn(new)
        found = []
        for key in keys:
            self._known.move_to_end(key)
            found.append(self._known[key].astype(np.float32))
        while len(self._known) > _MOST_TEXTS:
            self._known.popitem(last=False)
        return found

    def _learn(self, texts: dict[bytes, str]) -> None:
        passages = [self._passages(text) for text in texts.values()]
        sequences = [sequence for some in passages for sequence in some]
        runs = fills([len(sequence) for sequence in sequences], _BATCH_TOKENS[self._device.type])
        embeddings = [self._embed(sequences[low:high]) for low, high in runs]
        if embeddings:
            ends = np.cumsum([len(some) for some in passages])[:-1]
            self._known.update(zip(texts, np.split(np.concatenate(embeddings), ends), strict=True))

    def _passages(self, text: str) -> list[TokenIds]:
        """At least one, of no token where the text has none."""
        reader = self._reader
        reading = reader.read(text, [(0, len(text))])
        ranges = reader.chunks(reading, text, split(text), _ENDS) or [(0, 0)]
        return [np.concatenate((reader.prefix, reading.ids[low:high], reader.suffix)) for low, high in ranges]

    @torch.inference_mode()
    def _embed(self, sequences: Sequence[TokenIds]) -> npt.NDArray[np.float16]:
        """The mean state of each sequence, of length 1; `(P, C)`."""
        lengths = [len(sequence) for sequence in sequences]
        ids, positions = torch.from_numpy(laid_out(sequences)).to(self._device)  # (N,) int64 each
        states = self._bert.states(ids, positions, Lengths.of(lengths, self._device)).float()  # (N, C)
        counts = torch.tensor(lengths, device=self._device)
        means = torch.segment_reduce(states, "mean", lengths=counts)  # (P, C)
        embeddings: npt.NDArray[np.float32] = torch.nn.functional.normalize(means).cpu().numpy()
        return embeddings.astype(np.float16)
