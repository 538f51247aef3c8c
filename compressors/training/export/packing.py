"""Weights in the form in which they are stored. The reader is `compressors.checkpoint`.

As int8, matrices have one float16 scale for each row, everything else is float16; tied weights are stored once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from compressors.training.export.order import Weights
from compressors.training.folder import untied

FILES = {"float32": "model.safetensors", "float16": "model.safetensors", "int8": "weights.safetensors"}
_ROWS = 16
"""Matrices with fewer rows stay float16."""


def save(model: Any, folder: Path, form: Weights) -> Path:
    """Write a model's weights; gives the file. Another form's, if it is there, is removed."""
    weights = untied(model)
    if form == "int8":
        weights = pack(weights)
    elif form == "float16":
        weights = {
            name: weight.half() if weight.is_floating_point() else weight for name, weight in weights.items()
        }
    for name in set(FILES.values()):
        (folder / name).unlink(missing_ok=True)
    path = folder / FILES[form]
    save_file(weights, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors lets nobody else read it
    return path


def pack(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`<name>.int8` (rows) and `<name>.scale` for matrices; a weight is int8 × scale. Others by their name."""
    packed = {}
    for name, weight in weights.items():
        if weight.dim() == 2 and len(weight) >= _ROWS:
            scale = (weight.abs().amax(dim=1) / 127.0).half()  # (rows,)
            divisor = scale.float().clamp(min=1e-12)[:, None]
            packed[f"{name}.int8"] = (weight / divisor).round().clamp(-127, 127).to(torch.int8)
            packed[f"{name}.scale"] = scale
        else:
            packed[name] = weight.half()
    return packed
