"""`python -m tests.benchmarks.large_vocabulary`: the peak memory of a long prompt under 128,000 words.

Each mode runs in a process of its own, which is this module again.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import transformers
from transformers import AutoModelForCausalLM, LlamaConfig

import compressors
from compressors import Job, Strategy
from tests.benchmarks.prompts import joined, text, vocabulary
from tests.fakes import causal

_WORDS = 128_000
_MODES = ("llmlingua", "longllmlingua", "llmlingua:0.2.2", "longllmlingua:0.2.2")


def _save(folder: Path) -> None:
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=_WORDS, max_position_embeddings=8192, **sizes)  # type: ignore[arg-type]
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
    causal.tokenizer(vocabulary()).save_pretrained(folder)


def _measure(mode: str, folder: Path) -> None:
    """Shorten 8,000 tokens with the model in `folder` and print the MiB by which the process's peak grew."""
    method, _, compat = mode.partition(":")
    compressor: Any = compressors.load(method, str(folder), "cpu", compat=compat or None)
    draw = random.Random(0)
    whole, spans = joined([text(draw, 27) for _ in range(20)])
    strategy = Strategy(rankers=("perplexity",), order="sort")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    job = Job(text=whole, contexts=spans, question="who said what?", strategy=strategy)
    [result] = compressor.compress([job])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"tokens": result.original_tokens, "mib": round(grown)}))


@click.command()
@click.option("--measure", nargs=2, hidden=True, help="MODE FOLDER; what the command calls itself with.")
def main(measure: tuple[str, str] | None) -> None:
    """Print by how much each mode raises the peak of its process."""
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    if measure:
        _measure(measure[0], Path(measure[1]))
        return
    with tempfile.TemporaryDirectory() as place:
        _save(Path(place))
        for mode in _MODES:
            call = [sys.executable, "-m", "tests.benchmarks.large_vocabulary", "--measure", mode, place]
            output = subprocess.run(call, capture_output=True, text=True, check=True).stdout
            found = json.loads(output.splitlines()[-1])
            whole = found["tokens"] * _WORDS * 4 / 2**20
            print(
                f"{mode}: {found['tokens']} tokens raised the peak by {found['mib']} MiB; all logits: {whole:,.0f}"
            )


if __name__ == "__main__":
    main()
