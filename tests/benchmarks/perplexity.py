"""`python -m tests.benchmarks.perplexity`: LLMLingua and LongLLMLingua beside the llmlingua package.

All sides run the same random weights of a real shape on the same prompts, turn by turn. In float32 the parity mode
has to give the package's very text; in other types, where near ties fall either way, it is told whether it did.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import click
import torch
import transformers
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM, GPT2Tokenizer

from compressors import Job, Strategy
from compressors.causal import Causal
from compressors.compat import LLMLinguaCompat
from compressors.legibility import Literacy
from compressors.llmlingua import LLMLingua
from compressors.longllmlingua import LongLLMLingua
from compressors.packing import pack
from compressors.ranking import load_ranker
from compressors.reading import Reader
from compressors.shapes import config_of
from tests.benchmarks.prompts import Prompt, joined, prompts, vocabulary
from tests.fakes import causal, package

_GPT2 = Path(__file__).parents[3] / "shared" / "data" / "tokenizers" / "gpt2"
_WINDOWS = {"gpt2": 2048, "llama-2-7b": 4096, "phi-2": 2048, "qwen2.5-0.5b": 4096}
_THEIRS, _PARITY, _DEFAULT = "llmlingua 0.2.2", "laconic, parity", "laconic, default"


@dataclass(slots=True)
class Side:
    """One way to shorten a prompt, and what was measured of it."""

    name: str
    run: Callable[[], str]
    network: Any
    seconds: list[float] = field(default_factory=list)
    tokens: int = 0
    """Tokens that went through the model for one prompt, padding included."""
    peak_bytes: int = 0
    """Most memory that was taken on the device, weights included; 0 on a CPU."""
    text: str = ""

    def try_out(self) -> None:
        """Run once, counting tokens and memory."""
        counted = 0

        def count(_: Any, args: Any, options: Any) -> None:
            nonlocal counted
            counted += (args[0] if args else options["input_ids"]).numel()

        hook = self.network.base_model.register_forward_pre_hook(count, with_kwargs=True)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        self.text = self.run()
        if torch.cuda.is_available():
            self.peak_bytes = torch.cuda.max_memory_allocated()
        hook.remove()
        self.tokens = counted

    def measured(self) -> dict[str, Any]:
        """What was measured."""
        numbers = {"seconds": self.seconds, "tokens": self.tokens, "peak_bytes": self.peak_bytes}
        return {"side": self.name, **numbers}

    def time(self) -> None:
        """Run once more, by the clock."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        started = time.perf_counter()
        self.run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - started)


def _model(shape: str, device: str, dtype: torch.dtype, words: int) -> Any:
    """Random weights of a shape, made where they are used."""
    config = config_of(f"shape:{shape}")
    config.max_position_embeddings = _WINDOWS[shape]
    config.vocab_size = max(config.vocab_size, words)
    config.bos_token_id = config.eos_token_id = config.pad_token_id = None
    torch.manual_seed(0)
    with torch.device(device):
        made = AutoModelForCausalLM.from_config(config, dtype=dtype)  # type: ignore[no-untyped-call]
    return made.eval().requires_grad_(False)


def _tokenizer(shape: str) -> Any:
    """GPT-2's own, where it is there; else one to which all words of the prompts are single tokens."""
    if shape == "gpt2" and _GPT2.exists():
        return GPT2Tokenizer.from_pretrained(str(_GPT2))
    return causal.tokenizer(vocabulary())


def _sides(prompt: Prompt, shape: str, network: Any, packed: Any, llmlingua: Any) -> list[Side]:
    theirs = package.around(llmlingua, network, _tokenizer(shape))
    batch_tokens = 1024 if network.device.type == "cpu" else 65536
    model = Causal(packed, window=_WINDOWS[shape], batch_tokens=batch_tokens)
    compat = LLMLinguaCompat(_tokenizer(shape), model, "", method=prompt.method, window=_WINDOWS[shape])
    reader = Reader(_tokenizer(shape), _WINDOWS[shape])
    options: dict[str, Any] = {
        "start": reader.start,
        "literacy": Literacy(frozenset(), 1.0),
        "unreadable_share": 0.3,
    }
    default = (
        LLMLingua(reader, model, "", **options)
        if prompt.method == "llmlingua"
        else LongLLMLingua(reader, model, "", rankers=load_ranker, **options)
    )
    whole, spans = joined(prompt.documents)
    strategy = Strategy(rankers=("perplexity",), order="sort")
    job = Job(text=whole, rate=0.5, question=prompt.question, contexts=spans, strategy=strategy)
    asked = {"question": prompt.question, "rate": 0.5, **prompt.options}

    def by_theirs() -> str:
        return str(theirs.compress_prompt(list(prompt.documents), **asked)["compressed_prompt"])

    return [
        Side(_THEIRS, by_theirs, network),
        Side(_PARITY, lambda: compat.compress_prompt(prompt.documents, **asked).compressed_prompt, packed),
        Side(_DEFAULT, lambda: default.compress([job])[0].text, packed),
    ]


def _measured(prompt: Prompt, sides: list[Side], rounds: int, exact: bool) -> list[dict[str, Any]]:
    for side in sides:
        side.run()  # warm-up
        side.try_out()
    same = sides[0].text == sides[1].text
    assert same or not exact, "the parity mode gave another text"
    for _ in range(rounds):
        for side in sides:
            side.time()
    slowest = median(sides[0].seconds)
    found = []
    for side, bar in zip(sides, (None, *prompt.bars), strict=True):
        values = side.measured() | {
            "prompt": prompt.name,
            "times": slowest / median(side.seconds),
            "bar": bar,
        }
        found.append(values | {"same_text": same if side.name == _PARITY else None})
    return found


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("prompt", "side", "s, median", "s, all", "× package", "bar", "tokens", "peak, GiB", "same")
    for row in rows:
        same = {None: "", True: "yes", False: "no"}[row["same_text"]]
        table.add_row(
            row["prompt"],
            row["side"],
            f"{median(row['seconds']):.3f}",
            " ".join(f"{s:.3f}" for s in row["seconds"]),
            f"{row['times']:.2f}",
            f"{row['bar'] or ''}",
            f"{row['tokens']:,}",
            f"{row['peak_bytes'] / 2**30:.2f}" if row["peak_bytes"] else "",
            same,
        )
    return table


@click.command()
@click.option("--device", default="cpu", show_default=True)
@click.option("--shape", type=click.Choice(sorted(_WINDOWS)), default="gpt2", show_default=True)
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), help="[default: float32 on a CPU]")
@click.option("--rounds", type=int, default=3, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write what was measured to a file.")
def main(device: str, shape: str, dtype: str | None, rounds: int, file: Path | None) -> None:
    """Time the package, the parity mode and the default mode on the same prompts."""
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    form = dtype or ("float32" if device == "cpu" else "bfloat16")
    rows: list[dict[str, Any]] = []
    with package.installed() as llmlingua:
        network = _model(shape, device, getattr(torch, form), len(_tokenizer(shape)))
        packed = network
        if device == "cpu":  # where layers are exchanged in place
            packed = copy.deepcopy(network)
            pack(packed)
        for prompt in prompts():
            sides = _sides(prompt, shape, network, packed, llmlingua)
            rows += _measured(prompt, sides, rounds, exact=form == "float32" and device == "cpu")
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    Console(width=140).print(f"{shape}, {form}, {name}, torch {torch.__version__}", _table(rows))
    if file:
        facts = {"shape": shape, "dtype": form, "device": name, "when": datetime.now(UTC).isoformat()}
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        file.write_text(json.dumps({**facts, **versions, "rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
