"""The spaCy pipeline that names what stands in a text. Owns how it is loaded."""

from __future__ import annotations

from typing import Any

from compressors.errors import CompressionError

_NEEDED = ("parser", "ner")


def load_pipeline(name: str) -> Any:
    """The spaCy pipeline (a `spacy.language.Language`) in the package or folder `name`.

    Raises `CompressionError` if spaCy or the pipeline is missing, or if it finds no sentences, phrases or names.
    """
    try:
        import spacy
    except ImportError as error:
        raise CompressionError("labels from answers need spaCy: pip install 'laconic[train]'") from error
    try:
        pipeline = spacy.load(name)
    except (OSError, ImportError, ValueError) as error:
        raise CompressionError(
            f"no spaCy pipeline {name!r}; a package like en_core_web_sm must be installed, or name a folder"
        ) from error
    missing = [part for part in _NEEDED if part not in pipeline.pipe_names]
    if missing:
        raise CompressionError(f"the spaCy pipeline {name!r} has no {' and no '.join(missing)}")
    return pipeline
