"""`python -m tests.benchmarks.losses`: what real agents' prompts lose when every text of theirs is shortened.

Plans each distinct text of the traffic files under a policy that spares none, shortens it with the embedded model, and
counts by means of its own which numbers, identifiers, JSON values and lines of code are gone from what would be
sent, and how often the invariant check had to send the original. All are expected to be zero.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

import compressors
from compressors import Compressor, render
from policies.groups import Text
from policies.invariants import violations
from policies.plan import TextPlan, plan_text
from policies.policy import Policy
from policies.protection import Protection
from policies.tokens import tokenizer
from proxy.pipeline.jobs import Remainder, commissions, remainders
from tests.benchmarks.report import Table

TRAFFIC = Path(__file__).parents[3] / "shared" / "data" / "traffic"
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
RATES = (0.2, 0.3, 0.5, 0.7, 0.9)
_BATCH_CHARACTERS = 60_000

_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_IDENTIFIER = re.compile(
    r"(?<![\w.@/-])(?:[A-Za-z]+_\w+|_\w+|[a-z]+[A-Z]\w*|[A-Z]{2,}\d\w*|[0-9a-f]*\d[0-9a-f]{7,}|\w+@[\w.-]*\w)(?!\w)",
    re.ASCII,
)
_CODE = re.compile(
    r"\s*(?:(?:async )?def \w+\(|class \w+\b.*[:{]$|import \w+$|from [\w.]+ import |return\b.*[)\]}\w]$|@\w+$"
    r"|(?:if|for|while|elif|with)\b.*[)\]\w]:$|(?:else|try|finally):$|\w+(?:\.\w+)* = \S|.*[\w)\]}];$|.*\{$|\}[;,)]*$"
    r"|\d+:\s.*|[-+]{3} [ab]/|@@ |Traceback|File \".*\", line \d|\$ \w)"
)
_LONGEST_LINE = 160  # characters; longer ones may be prose that ends like code
_FENCE = re.compile(r"\s*(?:```|~~~)")


@dataclass
class Tally:
    """What a file's texts held, and what of it is gone."""

    texts: int = 0
    shortened: int = 0
    reverted: int = 0
    characters: int = 0
    sent_characters: int = 0
    held: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)
    """Kind and value of some things lost; shown only where asked for, for they are users' data."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost and nothing had to be sent as it came."""
        return not self.reverted and not self.lost.total()

    def add(self, original: str, sent: str) -> None:
        """Compare a text with what is sent of it."""
        self.texts += 1
        self.shortened += sent != original
        self.characters += len(original)
        self.sent_characters += len(sent)
        before, after = contents(original), contents(sent)
        for kind, values in before.items():
            gone = values - after[kind]
            self.held[kind] += values.total()
            self.lost[kind] += gone.total()
            self.examples += [(kind, value) for value in gone][:3]


def contents(text: str) -> Mapping[str, Counter[str]]:
    """The numbers, identifiers, JSON values and lines of code in `text`, by regular expressions of this file's own."""
    return {
        "numbers": Counter(_NUMBER.findall(text)),
        "identifiers": Counter(_IDENTIFIER.findall(text)),
        "JSON values": Counter(_json_values(text)),
        "lines of code": Counter(_lines_of_code(text)),
    }


def _json_values(text: str) -> Iterator[str]:
    decoder, at = json.JSONDecoder(), 0
    while (opener := re.compile(r"[\[{]").search(text, at)) is not None:
        try:
            value, at = decoder.raw_decode(text, opener.start())
        except (ValueError, RecursionError):
            at = opener.end()
            continue
        if isinstance(value, dict) or any(isinstance(item, (dict, str)) for item in value):
            yield from _leaves(value, "")


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield f"{path}={value!r}"


def _lines_of_code(text: str) -> Iterator[str]:
    """Lines in fences; outside, those beside another that can only be code."""
    lines, fenced, before = text.split("\n"), False, False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if _FENCE.match(line):
            fenced = not fenced
        is_code = len(line) < _LONGEST_LINE and _CODE.match(line) is not None
        if fenced or (is_code and (before or _CODE.match(following))):
            yield line.strip()
        before = is_code


def texts_of(path: Path) -> list[Text]:
    """The distinct texts of a file's requests."""
    found: dict[str, Text] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            for message in json.loads(line)["request"]["messages"]:
                content = message.get("content")
                parts = (
                    [content] if isinstance(content, str) else [part.get("text") for part in content or ()]
                )
                for part in parts:
                    if part:
                        found.setdefault(part, Text(message["role"], part))
    return list(found.values())


def measure(texts: Sequence[Text], compressor: Compressor, rate: float, *, progress: bool = False) -> Tally:
    """Shorten `texts` at `rate` as the proxy would, and compare."""
    policy = Policy.model_validate(
        {
            "targets": [{"role": list(ROLES), "min_tokens": 1}],
            "ranges": [{"rate": rate}],
            "min_saved_tokens": 0,
        }
    )
    counter = tokenizer("o200k_base")
    plans = {str(number).encode(): plan_text(text, policy, counter) for number, text in enumerate(texts)}
    by_key = {str(number).encode(): text for number, text in enumerate(texts)}
    results: dict[bytes, list[Remainder]] = {}
    made = sorted(commissions(by_key, plans, policy, counter), key=lambda one: len(one.job.text))
    batches = list(_batches(made))
    for batch in track(batches, f"rate {rate}", disable=not progress, console=Console(stderr=True)):
        for commission, result in zip(batch, compressor.compress([one.job for one in batch]), strict=True):
            for share, remainder in remainders(commission, result):
                results.setdefault(share.key, []).append(remainder)
    tally = Tally()
    for key, text in by_key.items():
        sent = _sent(text.text, plans[key], results.get(key, []), policy)
        tally.reverted += sent is None
        tally.add(text.text, text.text if sent is None else sent)
    return tally


def _batches(made: Sequence[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for commission in made:
        if batch and size + len(commission.job.text) > _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
        batch.append(commission)
        size += len(commission.job.text)
    if batch:
        yield batch


def _sent(text: str, plan: TextPlan, results: Sequence[Remainder], policy: Policy) -> str | None:
    """What is sent of a text; None if the invariant check wants the original."""
    shortened = {}
    for piece, result in zip(plan.pieces, results, strict=True):
        content = text[slice(*piece.span)]
        protection = Protection(piece.blocks, (*piece.inline, *piece.heads))
        if violations(content, result.spans, protection, policy.protect, dropped=result.dropped):
            return None
        shortened[piece.span] = render(content, result.spans)
    return "".join(shortened.get(part, text[slice(*part)]) for part in plan.whole)


def _row(name: str, rate: float, tally: Tally) -> tuple[str, ...]:
    counts = (f"{tally.lost[kind]:,} / {held:,}" for kind, held in tally.held.items())
    share = f"{100 * tally.sent_characters / max(tally.characters, 1):.1f}"
    return (
        name,
        f"{rate:g}",
        f"{tally.texts:,}",
        f"{tally.shortened:,}",
        share,
        *counts,
        f"{tally.reverted:,}",
    )


@click.command()
@click.option(
    "--traffic", multiple=True, type=click.Path(exists=True, path_type=Path), help="Default: all files."
)
@click.option("--rates", multiple=True, type=float, default=RATES, show_default=True)
@click.option("--limit", type=int, default=None, help="Only the first N distinct texts of each file.")
@click.option("--examples", is_flag=True, help="Show what was lost.")
def main(traffic: tuple[Path, ...], rates: tuple[float, ...], limit: int | None, examples: bool) -> None:
    """Count what is lost at each rate; exits with 1 if anything is."""
    compressor = compressors.load("llmlingua2")
    columns = ("file", "rate", "texts", "shortened", "% sent")
    kinds = ("numbers", "identifiers", "JSON values", "lines of code")
    clean = True
    for path in traffic or sorted(TRAFFIC.glob("*.jsonl.gz")):
        texts = texts_of(path)[:limit]
        table = Table("Lost / held", (*columns, *kinds, "reverted"), [])
        for rate in rates:
            tally = measure(texts, compressor, rate, progress=True)
            table.rows.append(_row(path.name.removesuffix(".jsonl.gz"), rate, tally))
            clean &= tally.is_clean
            if examples:
                Console().print(*tally.examples[:20], sep="\n", markup=False)
        table.show(Console(width=140))
    sys.exit(not clean)


if __name__ == "__main__":
    main()
