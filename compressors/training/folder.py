"""The folder that a training leaves behind. Knows files, no data and no steps.

checkpoint.pt   what is needed to go on
log             a line of JSON for each validation
model/          the best weights so far, as transformers and laconic load them
training.json   what the model's card needs; see `compressors.training.record`
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

_WEIGHTS = "model.safetensors"


class Folder:
    """Where a training's files are; made if it isn't there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint.pt"
        self.model = path / "model"
        self.model.mkdir(parents=True, exist_ok=True)

    def save_form(self, model: Any, tokenizer: Any) -> None:
        """Write everything of the model but its weights."""
        model.config.architectures = [type(model).__name__]
        model.config.save_pretrained(self.model)
        tokenizer.save_pretrained(self.model)

    def save_weights(self, model: Any) -> None:
        """Write the model's weights, whole or not at all; tied ones once."""
        part = self.model / f"{_WEIGHTS}.part"
        save_file(untied(model), part, metadata={"format": "pt"})
        os.replace(part, self.model / _WEIGHTS)

    def log(self, entry: dict[str, Any]) -> None:
        """Append a line to the log."""
        with (self.path / "log").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def untied(model: Any) -> dict[str, torch.Tensor]:
    """A model's weights by name, on the CPU; tied ones once, by the first of their names."""
    named = model.state_dict(keep_vars=True)
    first = {id(weight): name for name, weight in reversed(named.items())}
    return {name: named[name].detach().cpu().contiguous() for name in reversed(first.values())}
