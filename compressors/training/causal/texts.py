"""Turns documents into tokens, some of them held out, and keeps them. Knows no model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compressors.errors import CompressionError
from compressors.training.causal.corpus import Document, read
from compressors.training.record import digest

HELD_OUT = 40
"""Of so many origins of documents, the last is held out."""
_CHARACTERS_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Tokens:
    """The documents of one source behind each other, with the token that ends a document after each."""

    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    """Where lines begin, ascending."""


@dataclass(frozen=True, slots=True)
class Split:
    """The tokens of one source."""

    training: Tokens
    held_out: Tokens
    documents: tuple[int, int]
    """Of training and held out."""


def end_of(tokenizer: Any) -> int:
    """The token that stands after a document; raises `CompressionError` if the tokenizer has none."""
    for token in (tokenizer.eos_token_id, tokenizer.sep_token_id):
        if token is not None:
            return int(token)
    raise CompressionError("the tokenizer has no token that ends a text (EOS or SEP)")


def tokenize(documents: Iterable[Document], tokenizer: Any) -> Split:
    """Token ids of `documents`, cut into a training and a held-out part by where documents come from.

    Of less than 40 origins, the last one is held out. Raises `CompressionError` if that leaves none to train on.
    """
    ordinals: dict[str, int] = {}
    numbered = [(ordinals.setdefault(each.origin, len(ordinals)), each.text) for each in documents]
    every = min(HELD_OUT, len(ordinals))
    parts: tuple[list[str], list[str]] = ([], [])
    for ordinal, text in numbered:
        parts[ordinal % every == every - 1].append(text)
    if not all(parts):
        raise CompressionError("some documents have to be held out, so at least two are needed")
    training, held_out = (_encode(part, tokenizer) for part in parts)
    return Split(training, held_out, (len(parts[0]), len(parts[1])))


def _encode(texts: list[str], tokenizer: Any) -> Tokens:
    end = end_of(tokenizer)
    ids: list[npt.NDArray[np.int32]] = []
    starts: list[npt.NDArray[np.int64]] = []
    length = 0
    for some in _batches(texts):
        encodings = tokenizer.backend_tokenizer.encode_batch(some, add_special_tokens=False)
        for text, encoding in zip(some, encodings, strict=True):
            ids += [np.array(encoding.ids, np.int32), np.array([end], np.int32)]
            starts.append(length + _line_starts(text, [begin for begin, _ in encoding.offsets]))
            length += len(encoding.ids) + 1
    return Tokens(np.concatenate(ids), np.concatenate(starts))


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """Texts of so many characters at a time: what a tokenizer says of each token takes room."""
    some: list[str] = []
    for text in texts:
        some.append(text)
        if sum(map(len, some)) > _CHARACTERS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _line_starts(text: str, begins: list[int]) -> npt.NDArray[np.int64]:
    """The first token of each line that has one, given where tokens begin."""
    lines = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]
    first = np.unique(np.searchsorted(np.array(begins, np.int64), np.array(lines, np.int64)))
    return first[first < len(begins)].astype(np.int64)


def load_split(path: Path, cache: Path, tokenizer: Any) -> Split:
    """The tokens of the documents in a file; kept in `cache` for the next time, as long as neither changes.

    Raises `CompressionError` for a file that can't be used.
    """
    cache.mkdir(parents=True, exist_ok=True)
    vocabulary = hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()
    kept = cache / f"{digest(path)[:16]}-{vocabulary[:16]}.npz"
    if not kept.exists():
        try:
            split = tokenize(read(path), tokenizer)
        except CompressionError as error:
            raise CompressionError(f"{path}: {error}".replace(f"{path}: {path}", str(path))) from error
        part = kept.with_name("part.npz")
        np.savez(
            part,
            ids=split.training.ids,
            starts=split.training.starts,
            held_out_ids=split.held_out.ids,
            held_out_starts=split.held_out.starts,
            documents=np.array(split.documents),
        )
        part.replace(kept)
    with np.load(kept) as stored:
        return Split(
            Tokens(stored["ids"], stored["starts"]),
            Tokens(stored["held_out_ids"], stored["held_out_starts"]),
            (int(stored["documents"][0]), int(stored["documents"][1])),
        )
