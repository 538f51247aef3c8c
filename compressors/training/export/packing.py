"""`python -m compressors.training.export`: packs a training's weights into a folder that laconic loads.

Matrices become int8 with one float16 scale for each row, everything else float16; tied weights are stored
once. The reader is `compressors.checkpoint`. Knows nothing of training.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer

_ROWS = 16
"""Matrices with fewer rows stay float16."""
_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


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


def export(out: Path, folder: Path) -> None:
    """Write the weights of the training in `out`, with its configuration and tokenizer, into `folder`."""
    state = torch.load(out / "checkpoint.pt", weights_only=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(out / "model" / name, folder / name)
    special = AutoTokenizer.from_pretrained(folder).special_tokens_map
    (folder / "special_tokens_map.json").write_text(json.dumps(special) + "\n")  # older transformers read it
    save_file(pack(state["weights"]), folder / "weights.safetensors")


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, exists=True), required=True, help="Folder of the training."
)
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="Folder of the model.")
def main(out: Path, folder: Path) -> None:
    """Pack the last checkpoint of a training into a model folder."""
    export(out, folder)


if __name__ == "__main__":
    main()
