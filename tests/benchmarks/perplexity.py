"""`python -m tests.benchmarks.perplexity`: LLMLingua and LongLLMLingua beside the llmlingua package.

Both sides run the same random weights of a real shape on the same prompts, turn by turn; the parity mode has to
give the package's very text. A second part shows the peak memory of a long prompt under a large vocabulary.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import torch
import transformers
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM, GPT2Config, GPT2Tokenizer, LlamaConfig

import compressors
from compressors import Job, Strategy
from tests.fakes import causal, package

SHARED = Path(__file__).parents[3] / "shared" / "data" / "tokenizers" / "gpt2"
WORDS = (  # noqa: SIM905
    "the a of committee bridge river old price room met agreed nobody knows what it will cost in town said"
).split()
SHAPES: dict[str, Callable[[int], Any]] = {
    "gpt2": lambda size: GPT2Config(vocab_size=size, n_positions=2048),
    "llama-2-7b": lambda size: LlamaConfig(vocab_size=size),
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is shortened by all sides."""

    name: str
    method: str
    documents: list[str]
    question: str
    options: dict[str, Any]
    """The package's."""
    bars: tuple[float, float]
    """How much faster than the package the parity and the default mode are to be on a CPU."""


def _text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(words)).capitalize() + ". "


def prompts() -> list[Prompt]:
    """20 documents of about 150 tokens with a question; one text of about 2,000 tokens."""
    draw = random.Random(0)
    question = "who said that nobody in the old town knows what the bridge over the river will cost, and when was it?"
    documents = ["".join(_text(draw, 14) for _ in range(10)) for _ in range(20)]
    asked = {"condition_compare": True, "reorder_context": "sort", "rank_method": "longllmlingua"}
    return [
        Prompt("20 × 150 tokens", "longllmlingua", documents, question, asked, (2.5, 4.0)),
        Prompt(
            "2,000 tokens", "llmlingua", ["".join(_text(draw, 14) for _ in range(132))], "", {}, (1.5, 2.0)
        ),
    ]


def _tokenizer() -> Any:
    return GPT2Tokenizer.from_pretrained(str(SHARED)) if SHARED.exists() else causal.tokenizer()


def _sides(folder: Path, llmlingua: Any, prompt: Prompt, device: str) -> dict[str, Callable[[], str]]:
    theirs = package.compressor(llmlingua, folder, device)
    compat: Any = compressors.load(prompt.method, str(folder), device, compat="0.2.2")
    default = compressors.load(prompt.method, str(folder), device)
    text = "\n\n".join(prompt.documents)
    starts = [text.index(document) for document in prompt.documents]
    job = Job(
        text=text,
        rate=0.5,
        question=prompt.question,
        contexts=tuple((s, s + len(d)) for s, d in zip(starts, prompt.documents, strict=True)),
        strategy=Strategy(rankers=("perplexity",), order="sort"),
    )
    options = {"question": prompt.question, "rate": 0.5, **prompt.options}
    return {
        "llmlingua 0.2.2": lambda: theirs.compress_prompt(list(prompt.documents), **options)[
            "compressed_prompt"
        ],
        "laconic, parity": lambda: compat.compress_prompt(prompt.documents, **options).compressed_prompt,
        "laconic, default": lambda: default.compress([job])[0].text,
    }


def _measure(sides: dict[str, Callable[[], str]], rounds: int) -> dict[str, list[float]]:
    texts = {name: run() for name, run in sides.items()}  # warm-up
    assert texts["laconic, parity"] == texts["llmlingua 0.2.2"], "the parity mode gave another text"
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            started = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def _large_vocabulary(folder: Path) -> None:
    words = _tokenizer()
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=128_000, max_position_embeddings=8192, **sizes)  # type: ignore[arg-type]
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
    words.save_pretrained(folder)


def _memory(mode: str, folder: Path) -> None:
    """Shorten 8,000 tokens with the model in `folder` and print the MiB by which the process's peak grew."""
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    method, _, compat = mode.partition(":")
    compressor: Any = compressors.load(method, str(folder), "cpu", compat=compat or None)
    draw = random.Random(0)
    documents = ["".join(_text(draw, 14) for _ in range(27)) for _ in range(20)]
    text, spans = "\n\n".join(documents), []
    for document in documents:
        spans.append((text.index(document), text.index(document) + len(document)))
    strategy = Strategy(rankers=("perplexity",), order="sort")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    job = Job(text=text, contexts=tuple(spans), question="who said what?", strategy=strategy)
    [result] = compressor.compress([job])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"tokens": result.original_tokens, "mib": round(grown)}))


@click.command()
@click.option("--device", default="cpu", show_default=True)
@click.option("--shape", type=click.Choice(sorted(SHAPES)), default="gpt2", show_default=True)
@click.option("--rounds", type=int, default=3, show_default=True)
@click.option("--memory", nargs=2, hidden=True, help="MODE FOLDER; what the command calls itself with.")
def main(device: str, shape: str, rounds: int, memory: tuple[str, str] | None) -> None:
    """Time the package, the parity mode and the default mode on the same prompts; then measure memory."""
    if memory:
        _memory(memory[0], Path(memory[1]))
        return
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    table = Table("prompt", "side", "s, median", "s, all", "times the package", "bar")
    with tempfile.TemporaryDirectory() as place, package.installed() as llmlingua:
        words = _tokenizer()
        torch.manual_seed(0)
        dtype = torch.float32 if device == "cpu" else torch.bfloat16
        model = AutoModelForCausalLM.from_config(SHAPES[shape](len(words)))  # type: ignore[no-untyped-call]
        model.to(dtype).save_pretrained(place)
        words.save_pretrained(place)
        del model
        for prompt in prompts():
            seconds = _measure(_sides(Path(place), llmlingua, prompt, device), rounds)
            slowest = median(seconds["llmlingua 0.2.2"])
            for (name, times), bar in zip(seconds.items(), (None, *prompt.bars), strict=True):
                row = f"{median(times):.2f}", " ".join(f"{s:.2f}" for s in times)
                table.add_row(prompt.name, name, *row, f"{slowest / median(times):.2f}", f"{bar or ''}")
    Console(width=110).print(table)
    with tempfile.TemporaryDirectory() as place:
        _large_vocabulary(Path(place))
        for mode in ("llmlingua", "longllmlingua", "llmlingua:0.2.2", "longllmlingua:0.2.2"):
            call = [sys.executable, "-m", "tests.benchmarks.perplexity", "--memory", mode, place]
            output = subprocess.run(call, capture_output=True, text=True, check=True).stdout
            found = json.loads(output.splitlines()[-1])
            whole = found["tokens"] * 128_000 * 4 / 2**20
            print(
                f"{mode}: {found['tokens']} tokens raised the peak by {found['mib']} MiB; all logits: {whole:,.0f}"
            )


if __name__ == "__main__":
    main()
