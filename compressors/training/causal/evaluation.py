"""`python -m compressors.training.causal.evaluation`: bits per byte of a model on held-out text of every domain.

Owns the command line and the table it prints; `compressors.training.causal.bits` says how it is measured.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch

from compressors.checkpoint import load_checkpoint
from compressors.training.causal.bits import Bits, measure
from compressors.training.causal.windows import load_splits


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True, help="Training data.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the training.")
@click.option("--model", type=click.Path(path_type=Path, exists=True), required=True, help="Model folder.")
@click.option("--tokens", type=int, default=50_000, show_default=True, help="Most tokens of each domain.")
@click.option("--threads", type=int, default=2, show_default=True)
def main(data: Path, out: Path, model: Path, tokens: int, threads: int) -> None:
    """Print bits per byte on the held-out text of each domain, beside a unigram model and gzip."""
    torch.set_num_threads(threads)
    checkpoint = load_checkpoint(str(model), "causal", folder=model, device="cpu")
    splits = load_splits(data, out / "tokens", checkpoint.tokenizer)
    length = checkpoint.window - 1  # [CLS] takes one place
    print("| held-out text | bytes | model | unigram | gzip -9 |\n|---|---|---|---|---|")
    for name, split in splits.items():
        print(
            _row(measure(name, split, checkpoint.model, checkpoint.tokenizer, tokens=tokens, length=length))
        )


def _row(bits: Bits) -> str:
    return f"| {bits.domain} | {bits.bytes:,} | {bits.model:.3f} | {bits.unigram:.3f} | {bits.gzip:.3f} |"


if __name__ == "__main__":
    main()
