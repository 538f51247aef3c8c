"""`laconic compress`: shorten one text, to see what a method does."""

from __future__ import annotations

from typing import IO, get_args

import click
from click.core import ParameterSource
from rich.console import Console
from rich.text import Text

import compressors
from policies.documents import Found, find
from policies.pieces import protected
from policies.protection import KINDS, ProtectKind, Span
from policies.protection.spans import union
from policies.rules import Documents
from policies.tokens import encoding_name, tokenizer
from proxy.cli.files import UnusableFileError

_NOT_IN_THE_PACKAGE = {
    "min_probability": "--min-probability",
    "split": "--documents",
    "kinds": "--protect",
    "count_as": "--count-as",
    "diff": "--diff",
}


@click.command("compress")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
@click.option(
    "--method",
    type=click.Choice(["llmlingua2", "llmlingua", "longllmlingua"]),
    default="llmlingua2",
    show_default=True,
    help="By a token classifier, or by a causal model's surprise without or with a question.",
)
@click.option(
    "--model",
    default="embedded",
    show_default=True,
    help="`embedded`, a checkpoint that fits the method, or a folder.",
)
@click.option(
    "--rate", type=click.FloatRange(0, 1, min_open=True), default=0.5, show_default=True, help="Kept share."
)
@click.option("--target-tokens", type=click.IntRange(1), help="Most tokens that stay, in place of --rate.")
@click.option(
    "--min-probability", type=click.FloatRange(0, 1), help="Least probability that stays, in place of --rate."
)
@click.option(
    "--question",
    default="",
    help="What the text is read for, with longllmlingua or a model trained on questions.",
)
@click.option(
    "--documents",
    "split",
    type=click.Choice(["auto", "paragraphs", "json_list"]),
    help="Whole documents may go, told apart like this; what stands around them stays.",
)
@click.option(
    "--force-token", "force_tokens", multiple=True, help="A word or character that always stays; repeatable."
)
@click.option("--force-digits", is_flag=True, help="Keep every word with a digit.")
@click.option(
    "--protect",
    "kinds",
    multiple=True,
    type=click.Choice([*get_args(ProtectKind), "nothing"]),
    help="What is never dropped; repeatable.  [default: all of these]",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …")
@click.option("--count-as", default="gpt-4o", show_default=True, help="Model whose tokens are counted.")
@click.option("--diff", is_flag=True, help="Show the whole text with dropped words in red, struck through.")
@click.option(
    "--compat",
    type=click.Choice(["0.2.2"]),
    help="Give the text that this version of the llmlingua package gives, counted in cl100k_base; "
    "not with --min-probability, --documents, --protect, --count-as or --diff.",
)
@click.pass_context
def command(
    context: click.Context,
    file: IO[str],
    method: str,
    model: str,
    rate: float,
    target_tokens: int | None,
    min_probability: float | None,
    question: str,
    split: str | None,
    force_tokens: tuple[str, ...],
    force_digits: bool,
    kinds: tuple[str, ...],
    device: str,
    count_as: str,
    diff: bool,
    compat: str | None,
) -> None:
    """Shorten FILE, or standard input, and print what stays; token counts go to standard error."""
    if compat is not None:
        _refuse_what_the_package_lacks(context)
    errors = Console(stderr=True)
    shown: str | Text
    text = _read(file)
    chosen = {kind for kind in KINDS if kind in kinds} if kinds else set(KINDS)
    found = find(text, Documents.model_validate({"split": split})) if split else Found((), None)
    protection = protected(text, found.documents, chosen)
    counter = tokenizer(encoding_name(count_as))
    job = compressors.Job(
        text=text,
        rate=rate,
        target_tokens=target_tokens,
        min_probability=min_probability,
        verbatim=tuple(union((*protection.blocks, *_around(text, found)))),
        forced=protection.inline,
        force_tokens=force_tokens,
        force_reserve_digit=force_digits,
        contexts=tuple(document.span for document in found.documents),
        heads=tuple(head for document in found.documents for head in document.heads),
        question=question or (text[slice(*found.question)] if found.question else ""),
        strategy=compressors.Strategy(question_aware=bool(question)),
        tokenizer=counter,
    )
    try:
        with errors.status(f"loading {model}"):
            compressor = compressors.load(method, model=model, device=device, compat=compat)
        with errors.status("shortening"):
            if isinstance(compressor, compressors.PromptCompressor):
                shown, summary = _as_the_package(compressor, job)
            else:
                (result,) = compressor.compress([job])
                shown = _coloured(text, result.spans) if diff else result.text
                summary = _summary(result, counter.count(text), counter.count(result.text))
    except compressors.CompressionError as error:
        raise UnusableFileError(str(error)) from error
    if isinstance(shown, Text):
        Console(highlight=False, soft_wrap=True).print(shown, end="")
    else:
        click.echo(shown, nl=False)
    errors.print(summary, highlight=False)


def _refuse_what_the_package_lacks(context: click.Context) -> None:
    for name, option in _NOT_IN_THE_PACKAGE.items():
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(
                f"{option} can't go with --compat: the llmlingua package has no such thing"
            )


def _around(text: str, found: Found) -> list[Span]:
    """What stands before the first and behind the last document."""
    if not found.documents:
        return []
    edges = ((0, found.documents[0].span[0]), (found.documents[-1].span[1], len(text)))
    return [edge for edge in edges if edge[0] < edge[1]]


def _read(file: IO[str]) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise UnusableFileError(f"{file.name} is not UTF-8: {error}") from error


def _as_the_package(compressor: compressors.PromptCompressor, job: compressors.Job) -> tuple[str, str]:
    """What the package prints for the job's text, and the package's own counts."""
    asked = {"question": job.question} if job.question else {}
    result = compressor.compress_prompt(
        [job.text],
        tokenizer=tokenizer("cl100k_base"),
        rate=job.rate,
        target_token=-1 if job.target_tokens is None else job.target_tokens,
        force_tokens=job.force_tokens,
        force_reserve_digit=job.force_reserve_digit,
        **asked,
    )
    return result.compressed_prompt, _counts(result.origin_tokens, result.compressed_tokens)


def _coloured(text: str, spans: tuple[compressors.Span, ...]) -> Text:
    shown, at = Text(), 0
    for start, end in spans:
        shown.append(text[at:start], style="red strike dim")
        shown.append(text[start:end], style="green")
        at = end
    shown.append(text[at:], style="red strike dim")
    return shown


def _summary(result: compressors.Compressed, original: int, kept: int) -> str:
    if result.unreadable:
        return f"{original} tokens; left whole: the model does not read this language"
    return _counts(original, kept)


def _counts(original: int, kept: int) -> str:
    return f"{original} → {kept} tokens ({kept / max(original, 1):.0%} kept)"
