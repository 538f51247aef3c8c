"""Names everything that decisions depend on. Reads files, but no model; imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compressors.errors import CompressionError, ModelError

_MODELS = Path(__file__).parent / "embedded"
EMBEDDED = {
    "llmlingua2": _MODELS / "keepdrop",
    "llmlingua": _MODELS / "causal",
    "longllmlingua": _MODELS / "causal",
    "embedding": _MODELS / "embedding",
}
"""The model that ships with laconic, for each method, and the one that ranks documents."""
SHAPE = "shape:"
"""What the name of random weights begins with: `shape:mbert`."""
UNREADABLE_SHARE = 0.2
"""A text with more unreadable letters than this share is left whole."""
_VERSION = 7
"""Raised whenever the same model, job and options may give another decision than before."""
_WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".pth"})
_DESCRIPTIONS = frozenset({".json", ".txt", ".model", ".py"})
_MIB = 1 << 20


def folder_of(method: str, model: str) -> Path | None:
    """The folder that `model` names for `method`; None for a shape and for a hub name.

    Raises `CompressionError` if `model` looks like a path but no such folder exists.
    """
    if model == "embedded":
        return EMBEDDED[method]
    if model.startswith(SHAPE):  # a folder behind it is its tokenizer's
        return None
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise CompressionError(f"no folder {folder} to load a model from")
    return None


def require_questions(model: str) -> None:
    """Raises `ModelError` if `model` is no token classifier that reads questions; of a hub's only loading it tells."""
    folder = folder_of("llmlingua2", model)
    if folder is None:
        return
    try:
        declared = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("laconic") or {}
    except (OSError, ValueError, AttributeError):  # loading says what is wrong with the folder
        return
    if not question_tokens(declared):
        raise no_questions(model)


def question_tokens(declared: Mapping[str, Any]) -> int:
    """Most tokens of a question that a model reads before a text, by what its configuration has as `laconic`; or 0."""
    return int((declared.get("question") or {}).get("tokens", 0))


def no_questions(model: str) -> ModelError:
    """The error of a model that is asked to read questions and wasn't trained to."""
    return ModelError(f"question_aware: model {model!r} wasn't trained to read questions")


def fingerprint(
    method: str,
    model: str = "embedded",
    dtype: str | None = None,
    revision: str | None = None,
    *,
    compat: str | None = None,
    unreadable_share: float = UNREADABLE_SHARE,
) -> str:
    """A digest of all arguments of `compressors.load` that change decisions, and of the model itself.

    A folder counts by its configuration and tokenizer files and by name, size, first and last MiB of
    its weights; a hub name by name and revision. 32 hexadecimal digits.
    """
    digest = hashlib.sha256()
    digest.update(repr((_VERSION, method, dtype or "float32", compat, unreadable_share)).encode())
    folder = folder_of(method, model)
    if folder is None:
        digest.update(repr((model, revision)).encode())
    else:
        for path in sorted(folder.iterdir()):
            if path.suffix in _WEIGHTS | _DESCRIPTIONS:
                digest.update(_identity(path))
    return digest.hexdigest()[:32]


def _identity(path: Path) -> bytes:
    size = path.stat().st_size
    with path.open("rb") as file:
        content = file.read(_MIB if path.suffix in _WEIGHTS else -1)
        if path.suffix in _WEIGHTS and size > _MIB:
            file.seek(max(size - _MIB, _MIB))
            content += file.read()
    return repr((path.name, size, hashlib.sha256(content).digest())).encode()
