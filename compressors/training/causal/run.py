"""`python -m compressors.training.causal`: trains the embedded causal model. See the package's docstring.

Owns the command line and the folder of a training: `model/` (configuration and tokenizer), `tokens/`,
`checkpoint.pt`, `log`, `pid`.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from transformers import BertLMHeadModel

from compressors.training.causal.bits import measure
from compressors.training.causal.corpus import DOMAINS
from compressors.training.causal.loop import Recipe, Training
from compressors.training.causal.start import load_start, load_tokenizer
from compressors.training.causal.windows import Mixture, Split, load_splits

_HELD_OUT_TOKENS = 6144
"""Of each domain, for a quick look at every checkpoint."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True, help="Training data.")
@click.option("--start", type=click.Path(path_type=Path, exists=True), required=True, help="BERT encoder.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of this training.")
@click.option("--minutes", type=float, required=True, help="Of training, pauses left out.")
@click.option("--rate", type=float, default=Recipe.rate, show_default=True, help="Highest learning rate.")
@click.option("--batch-tokens", type=int, default=Recipe.batch_tokens, show_default=True)
@click.option("--length", type=int, default=Recipe.length, show_default=True, help="Tokens of a window.")
@click.option("--last-length", type=int, default=Recipe.last_length, show_default=True, help="At the end.")
@click.option("--seed", type=int, default=Recipe.seed, show_default=True)
@click.option("--threads", type=int, default=2, show_default=True)
@click.option("--every", type=float, default=5.0, show_default=True, help="Minutes between checkpoints.")
def main(data: Path, start: Path, out: Path, threads: int, every: float, **recipe: Any) -> None:
    """Train a small causal language model, or go on with a training in --out."""
    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    (out / "pid").write_text(f"{os.getpid()}\n")
    tokenizer = load_tokenizer(start)
    splits = load_splits(data, out / "tokens", tokenizer)
    model = load_start(start, tokenizer, _counts(splits, len(tokenizer)))
    tokenizer.save_pretrained(out / "model")
    model.config.save_pretrained(out / "model")
    mixture = Mixture(
        [(splits[domain.name].training, domain.share) for domain in DOMAINS],
        first=tokenizer.cls_token_id,
        seed=recipe["seed"],
    )
    training = Training(model, mixture, Recipe(**recipe))
    if (out / "checkpoint.pt").exists():
        training.restore(out / "checkpoint.pt")
    Run(training, model, tokenizer, splits, out).carry_on(every)


def _counts(splits: dict[str, Split], vocabulary: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    counts = np.zeros(vocabulary)
    for domain in DOMAINS:
        ids = splits[domain.name].training.ids
        counts += domain.share * 1e6 * np.bincount(ids, minlength=vocabulary) / len(ids)
    return counts


class Run:
    """Carries a training to its end, or until SIGTERM, with checkpoints and a log."""

    def __init__(
        self,
        training: Training,
        model: BertLMHeadModel,
        tokenizer: Any,
        splits: dict[str, Split],
        out: Path,
    ) -> None:
        self._training = training
        self._model = model
        self._tokenizer = tokenizer
        self._splits = splits
        self._out = out
        self._stopped = False

    def carry_on(self, every: float) -> None:
        """Train; write a checkpoint every so many minutes, at the end and when stopped."""
        signal.signal(signal.SIGTERM, self._stop)
        training, saved, losses = self._training, time.monotonic(), []
        while not training.done and not self._stopped:
            losses.append(training.step())
            if time.monotonic() - saved > 60.0 * every or training.done or self._stopped:
                training.save(self._out / "checkpoint.pt")
                self._report(sum(losses) / len(losses))
                saved, losses = time.monotonic(), []

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _report(self, loss: float) -> None:
        training = self._training
        line = (
            f"{time.strftime('%H:%M:%S')} step {training.steps} tokens {training.tokens}"
            f" minutes {training.elapsed_s / 60:.1f} progress {training.progress:.3f}"
            f" rate {training.rate:.2e} loss {loss:.3f}"
        )
        if not self._stopped:
            line += "".join(f" {name} {bits:.3f}" for name, bits in self._held_out())
        with (self._out / "log").open("a") as log:
            log.write(line + "\n")

    def _held_out(self) -> list[tuple[str, float]]:
        self._model.train(False)
        length = self._training.recipe.length
        found = [
            measure(name, split, self._model, self._tokenizer, tokens=_HELD_OUT_TOKENS, length=length)
            for name, split in self._splits.items()
        ]
        self._model.train(True)
        return [(bits.domain, bits.model) for bits in found]


if __name__ == "__main__":
    main()
