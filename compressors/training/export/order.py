"""What is asked of an export, and what it finds. Knows no model; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from compressors.training.report import Figures

Weights = Literal["float32", "float16", "int8"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """A folder of a training, and what is to become of its model."""

    training: Path
    to: Path
    weights: Weights = "float32"
    check: Sequence[Path] = ()
    """Files to measure on; none for what the training held out."""
    scripts: Sequence[str] = ()
    """Of Unicode, such as LATIN: texts in others are left whole. None for what the start declares."""
    fragmented_share: float = 0.4
    """With scripts: texts with more letters than this share in words cut into three and more tokens are left whole."""
    command: str = ""
    title: str | None = None
    about: str = ""
    """A sentence or two for the card."""
    licences: Mapping[str, str] = field(default_factory=dict)
    """By name of a source."""
    notes: str = ""
    """Markdown that ends the card."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of each source before and after packing."""

    before: Figures
    after: Figures
    change: Figures
    """How far what the model says has moved; empty if the weights are the same."""
    fingerprint: str
    """See `compressors.fingerprint`."""
    unlicensed: Sequence[str]
    """Sources of which the card says no licence."""
