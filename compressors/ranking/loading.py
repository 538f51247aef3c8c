"""`load_ranker`: from a name to a ranker. Imports torch only for rankers that are models."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from compressors.errors import CompressionError
from compressors.identity import fingerprint, folder_of
from compressors.ranking.bm25 import BM25
from compressors.ranking.gzip import Gzip
from compressors.ranking.ranker import Ranker

_ALLOWED = "bm25, gzip, embedding, embedding:MODEL and reranker:MODEL, MODEL being a folder or a hub name"
_KINDS = ("embedding", "reranker")
_VERSION = 1
"""Raised whenever the same model may give other scores than before."""


def needs_model(name: str) -> bool:
    """Whether the ranker that `name` names is a model, which judges each document for itself."""
    return name.partition(":")[0] in _KINDS


def load_ranker(name: str, *, device: str = "auto", trust_remote_code: bool = False) -> Ranker:
    """The ranker that `name` names: `bm25`, `gzip`, `embedding`, `embedding:MODEL` or `reranker:MODEL`.

    `embedding` alone is the model that ships with laconic. MODEL is a folder or a name on the Hugging Face hub: of
    anything that sentence-transformers embeds with, or of a cross-encoder with one output. `device` is `auto` or
    torch's name of one.

    Raises `CompressionError` if there is no such ranker, the model can't be loaded or isn't of its
    kind, or the extra `rankers` isn't installed.
    """
    if name == "bm25":
        return BM25()
    if name == "gzip":
        return Gzip()
    if name == "embedding":
        from compressors.ranking.embedded import Embedded

        return Embedded(fingerprint("embedding"), device)
    kind, _, model = name.partition(":")
    if kind not in _KINDS or model in ("", "embedded"):
        raise CompressionError(f"unknown ranker {name!r}; allowed are {_ALLOWED}")
    folder = folder_of(kind, model)
    try:
        from compressors.ranking.models import MODELS
    except ImportError as error:
        raise CompressionError(
            f"ranker {name!r} needs sentence-transformers: pip install 'laconic[rankers]' ({error})"
        ) from error
    options: dict[str, Any] = {
        "device": None if device == "auto" else device,
        "trust_remote_code": trust_remote_code,
    }
    try:
        return MODELS[kind](name, _identity(kind, model, folder), str(folder or model), **options)
    except CompressionError:
        raise
    except Exception as error:  # whatever a model's parts raise
        raise CompressionError(f"can't load ranker {name!r}: {error}") from error


def _identity(kind: str, model: str, folder: Path | None) -> str:
    """A digest of the model's name on the hub, or of its folder with the folders of its later layers."""
    places = [model]
    if folder is not None:
        places = [str(folder), *sorted(str(path) for path in folder.iterdir() if path.is_dir())]
    parts = [(kind, _VERSION), *(fingerprint(kind, place) for place in places)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
