"""The card of a model, Markdown, from the record of its training. Knows wording, no tensors."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from compressors.identity import question_tokens
from compressors.training.export.order import Comparison, Order
from compressors.training.record import Record, digest
from compressors.training.report import Figures

UNKNOWN = "not stated"
"""What stands where no licence was named."""
_WIDTH = 110
_ABOUT = {
    "classifier": "A token classifier with two labels, 0 drop and 1 keep, for LLMLingua-2",
    "causal": "A causal language model for LLMLingua and LongLLMLingua",
}
_METHODS = {"classifier": "llmlingua2", "causal": "longllmlingua"}
_WEIGHTS = {
    "float32": "`model.safetensors` holds all weights as float32.",
    "float16": "`model.safetensors` holds all weights as float16.",
    "int8": "`weights.safetensors` holds matrices as `<name>.int8` with one `<name>.scale` (float16) per row, "
    "everything else as float16; a weight is int8 × scale; tied weights stand once. laconic reads it, transformers "
    "alone doesn't.",
}
_MEANINGS = {
    "f1": "F1 of the kept words at the reference's own rate; each text counts the same",
    "average_precision": "of words in the order of their probability",
    "bits_per_byte": "of the text as its tokens decode, beside a unigram model of the training text and gzip -9",
    "nats_per_token": "of answers behind their prompts",
    "largest_difference": "of a word's probability from that with float32 weights; `flipped` is the share of words "
    "that change sides when the likelier half of each text is kept",
}


def card(record: Record, order: Order, found: Comparison, *, model: Any, weights: Path) -> str:
    """The text of the card; `weights` is the file that was written."""
    parts = [
        f"# {order.title or order.to.name}",
        f"{_ABOUT[record.task]}: {_form(model)}.",
        order.about,
        _reads(model),
        f"`laconic compress --method {_METHODS[record.task]} --model FOLDER` tries it.",
        "## How it was made",
        _block([*(each.command for each in _chain(record)), order.command]),
        *(_training(each) for each in _chain(record)),
        "## Training data and its licences",
        *(_sources(each, order) for each in _chain(record)),
        "## Quality",
        f"Of {'other data' if order.check else 'what was held out'}, with the weights in this folder.",
        _figures(found.after),
        *_packing(found, order),
        "## Files",
        _WEIGHTS[order.weights]
        + f" They take {weights.stat().st_size / 2**20:.1f} MiB; their SHA-256 is `{digest(weights)}`. "
        "`config.json` and the tokenizer's files are as usual. "
        f"Fingerprint of the folder, as laconic knows it: `{found.fingerprint}`.",
        order.notes.strip(),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _chain(record: Record) -> list[Record]:
    """The trainings that led to the model, the first one first."""
    return [*(_chain(record.before) if record.before else []), record]


def _form(model: Any) -> str:
    config = model.config
    parts = [
        f"`{type(model).__name__}`",
        f"{config.num_hidden_layers} layers",
        f"hidden size {config.hidden_size:,}",
        f"{sum(weight.numel() for weight in model.parameters()) / 1e6:.1f} M parameters",
        f"vocabulary of {config.vocab_size:,}",
        f"{config.max_position_embeddings:,} positions",
    ]
    return ", ".join(parts)


def _reads(model: Any) -> str:
    declared = getattr(model.config, "laconic", None) or {}
    found = []
    if declared.get("scripts"):
        found.append(
            f"It reads {', '.join(declared['scripts'])} script only, and `config.json` says so: laconic leaves other "
            f"texts whole, and those with more than {100 * declared.get('fragmented_share', 1.0):.0f} % of their "
            "letters in words that the vocabulary cuts into three and more tokens."
        )
    if tokens := question_tokens(declared):
        found.append(
            f"It is question-aware: before a text it may read a question, of at most {tokens} tokens, and a separator."
        )
    return " ".join(found)


def _block(commands: Sequence[str]) -> str:
    return "\n".join(["```sh", *(_wrapped(command) for command in commands if command), "```"])


def _wrapped(command: str) -> str:
    """A command in lines that are not too long, broken before options."""
    lines = [""]
    for words in re.split(r" (?=--)", shlex.join(shlex.split(command))):
        if len(lines[-1]) + len(words) > _WIDTH:
            lines.append(" ")
        lines[-1] += f" {words}" if lines[-1] else words
    return " \\\n".join(lines)


def _training(record: Record) -> str:
    hardware, versions = (record.environment.get(name) for name in ("hardware", "versions"))
    machine = hardware if isinstance(hardware, dict) else {}
    packages = versions if isinstance(versions, dict) else {}
    where = machine.get("gpu") or f"{machine.get('cpu')}, {machine.get('threads')} threads"
    settings = ", ".join(
        f"{name} {_shown(value)}" for name, value in record.settings.items() if value is not None
    )
    held_out, rows = sum(data.held_out_rows for data in record.data), sum(data.rows for data in record.data)
    named = ", ".join(
        f"{name} {packages[name]}" for name in ("python", "torch", "transformers") if name in packages
    )
    return "\n".join(
        [
            f"- Start: {record.start}.",
            f"- Training: {record.steps:,} steps, {record.tokens:,} tokens, {record.minutes:.1f} minutes, "
            f"{record.precision}, seed {record.seed}; {settings}.",
            f"- On {where}; {named}; {record.environment.get('date', '')}. How many steps fit into minutes depends on "
            "the machine.",
            f"- Held out: {held_out:,} of {rows:,} rows or documents, by document.",
        ]
    )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sources(record: Record, order: Order) -> str:
    rows = [
        [
            f"{100 * data.share:.1f} %",
            data.name,
            order.licences.get(data.name, UNKNOWN),
            f"{data.rows:,}",
            f"{data.tokens:,}",
            "" if data.label_rate is None else f"{100 * data.label_rate:.0f} %",
            f"`{data.sha256[:16]}`",
        ]
        for data in record.data
    ]
    return _table(["share", "data", "source and licence", "rows", "tokens", "words kept", "SHA-256"], rows)


def unlicensed(record: Record, order: Order) -> list[str]:
    """The sources of which the card says no licence."""
    names = dict.fromkeys(data.name for each in _chain(record) for data in each.data)
    return [name for name in names if name not in order.licences]


def _packing(found: Comparison, order: Order) -> Iterator[str]:
    if order.weights == "float32":
        return
    yield f"### What {order.weights} weights lose"
    merged: Figures = {}
    for name, before in found.before.items():
        forms = (("float32", before), (order.weights, found.after[name]))
        merged[name] = {
            f"{measure}, {form}": figures[measure]
            for measure in before
            if measure in _MEANINGS
            for form, figures in forms
        }
        merged[name] |= found.change.get(name, {})
    yield _figures(merged)


def _figures(figures: Figures) -> str:
    """A table of them, with what the measures mean."""
    measures = list(dict.fromkeys(name for values in figures.values() for name in values))
    rows = [[source, *(_number(values.get(name)) for name in measures)] for source, values in figures.items()]
    meanings = [f"{name.replace('_', ' ')}: {_MEANINGS[name]}." for name in measures if name in _MEANINGS]
    table = _table(["held out", *(name.replace("_", " ") for name in measures)], rows)
    return "\n\n".join(filter(None, [table, " ".join(meanings)]))


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4f}".rstrip("0").rstrip(".")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
