"""`laconic train distill`: have an LLM shorten texts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import click
from rich.console import Console

from compressors import CompressionError
from compressors.training import labels
from policies.tokens import Tokenizer, encoding_name, tokenizer
from proxy.cli.files import UnusableFileError, read_settings
from proxy.cli.train.pairs import Pairs
from proxy.cli.train.progress import progress
from proxy.distillation import Chunk, Distillation, Pace, Tariff, Upstream, Usage

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("distill")
@click.argument("paths", metavar="TEXTS...", nargs=-1, required=True, type=_FILE)
@click.option("--model", required=True, help="The LLM, as litellm names it: gpt-4o-mini, anthropic/….")
@click.option(
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Pairs (.jsonl); the same command goes on with them after an interruption.",
)
@click.option(
    "--instruction", "instruction_path", metavar="FILE", type=_FILE, help="In place of laconic's own."
)
@click.option("--base-url", metavar="URL", help="Of an OpenAI-compatible server, such as laconic's.")
@click.option(
    "--api-key-env", metavar="NAME", help="Variable with the key.  [default: the provider's usual one]"
)
@click.option(
    "--chunk-tokens", type=click.IntRange(16), default=512, show_default=True, help="Longest text of a call."
)
@click.option(
    "--min-tokens", type=click.IntRange(1), default=20, show_default=True, help="Shorter texts are left out."
)
@click.option("--limit", type=click.IntRange(1), help="Only so many chunks, drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of what --limit draws.")
@click.option("--temperature", type=click.FloatRange(0), default=0.3, show_default=True)
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Calls at a time.")
@click.option("--requests-per-minute", type=click.FloatRange(0, min_open=True), help="Rate limit.")
@click.option("--tokens-per-minute", type=click.FloatRange(0, min_open=True), help="Rate limit.")
@click.option("--retries", type=click.IntRange(0), default=5, show_default=True, help="Of a call that fails.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(1), default=120.0, show_default=True, help="Seconds."
)
@click.option(
    "--price",
    nargs=2,
    type=click.FloatRange(0),
    metavar="IN OUT",
    help="USD a million tokens.  [default: litellm's list]",
)
@click.option(
    "--max-usd", type=click.FloatRange(0, min_open=True), help="Stop when this run has cost so much."
)
@click.option("--yes", is_flag=True, help="Don't ask before the first call.")
def command(
    paths: tuple[Path, ...],
    model: str,
    out: Path,
    instruction_path: Path | None,
    base_url: str | None,
    api_key_env: str | None,
    chunk_tokens: int,
    min_tokens: int,
    limit: int | None,
    seed: int,
    temperature: float,
    concurrency: int,
    requests_per_minute: float | None,
    tokens_per_minute: float | None,
    retries: int,
    timeout_s: float,
    price: tuple[float, float] | None,
    max_usd: float | None,
    yes: bool,
) -> None:
    """Cut TEXTS into chunks and have an LLM shorten each by leaving words out.

    TEXTS are .txt, .md, .txt.xz, .txt.gz (documents between lines `<|endoftext|>`), or JSON lines (plain or .gz) with
    `text` or with chat requests, as `laconic serve --capture` writes them. What they say goes to the LLM's provider.

    Answers that are no shortened text (empty, refused, cut off, longer) go to a second file, NAME.rejected.jsonl, with
    the reason. What the LLM changed nevertheless, `annotate` measures.
    """
    tariff = Tariff(price[0] / 1e6, price[0] / 1e6, price[1] / 1e6) if price else Tariff.of(model)
    if max_usd is not None and tariff is None:
        raise click.UsageError(f"no price is known for {model}: --max-usd needs --price")
    upstream = Upstream(
        model,
        base_url=base_url,
        api_key=_key(api_key_env),
        temperature=temperature,
        timeout_s=timeout_s,
    )
    counter = tokenizer(encoding_name(model))
    try:
        instruction = labels.read_instruction(instruction_path)
        errors = Console(stderr=True, highlight=False, soft_wrap=True)
        with Pairs(out, model, instruction.digest) as pairs:
            with errors.status("cutting texts"):
                drawn = _draw(_chunks(paths, counter, chunk_tokens, min_tokens), limit, seed)
            rest = [chunk for chunk in drawn if chunk.text not in pairs]
            work = Distillation(
                upstream,
                instruction.about,
                pairs.add,
                pace=Pace(requests_per_minute, tokens_per_minute),
                tariff=tariff,
                max_usd=max_usd,
                overhead_tokens=counter.count(instruction.about("")),
                concurrency=concurrency,
                retries=retries,
            )
            errors.print(_estimate(work, rest, len(drawn) - len(rest)))
            if rest and not yes:
                click.confirm("Go on?", abort=True, err=True)
            interrupted = _run(work, rest)
    except (CompressionError, OSError) as error:
        raise UnusableFileError(str(error)) from error
    _report(work, len(rest), pairs.rejected_path)
    if interrupted or work.summary.gave_up:
        raise click.exceptions.Exit(1)


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = read_settings().variables.get(variable)
    if not key:
        raise click.UsageError(f"--api-key-env: the variable {variable} isn't set")
    return key


def _chunks(paths: Sequence[Path], counter: Tokenizer, most: int, least: int) -> list[Chunk]:
    """The chunks of all files, each text once."""
    found: dict[str, Chunk] = {}
    for document in chain.from_iterable(map(labels.documents, paths)):
        for start, end in labels.chunks(document.text, most, counter.count):
            text = document.text[start:end]
            tokens = counter.count(text)
            if tokens >= least:
                found.setdefault(text, Chunk(text, document.source, document.document, tokens))
    return list(found.values())


def _draw(chunks: list[Chunk], limit: int | None, seed: int) -> list[Chunk]:
    if limit is None or limit >= len(chunks):
        return chunks
    return random.Random(seed).sample(chunks, limit)  # noqa: S311 (no secret)


def _estimate(work: Distillation, rest: Sequence[Chunk], done: int) -> str:
    usage = sum(map(work.expected, rest), Usage())
    tokens = f"{usage.input_tokens:,} tokens in, at most {usage.output_tokens:,} out"
    before = f" ({done:,} are done already)" if done else ""
    price = _money(work.usd(usage), "at most ")
    return (
        f"{len(rest):,} calls of {work.model}{before}, {tokens}: {price}; reasoning and retries come on top"
    )


def _money(usd: float | None, most: str = "") -> str:
    return "no price is known" if usd is None else f"{most}{usd:,.4f} USD"


def _run(work: Distillation, chunks: Sequence[Chunk]) -> bool:
    """Whether it was interrupted."""
    try:
        with progress("distilling", "chunks", len(chunks)) as advance:
            asyncio.run(work.run(chunks, advance))
    except KeyboardInterrupt:
        return True
    return False


def _report(work: Distillation, chunks: int, rejected_path: Path) -> None:
    summary = work.summary
    click.echo(f"shortened: {summary.good:,} of {chunks:,}")
    for reason, number in summary.faults.most_common():
        click.echo(f"rejected, {reason}: {number:,} (in {rejected_path})")
    for reason, number in summary.failures.most_common():
        click.echo(f"failed, {reason}: {number:,} (not written; the same command tries again)")
    usage = summary.usage
    click.echo(
        f"used: {usage.input_tokens:,} tokens in ({usage.cached_tokens:,} of them cached), "
        f"{usage.output_tokens:,} out: {_money(work.usd(usage))}"
    )
    if summary.stopped is not None:
        click.echo(f"stopped early: {summary.stopped}; the same command goes on from here")
