"""`laconic train answers`: label words by what could be asked about a text, and ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from compressors import CompressionError
from compressors.training import answers, labels, lines
from proxy.cli.files import UnusableFileError
from proxy.cli.outputs import check_outputs
from proxy.cli.train.progress import progress

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_REWORDABLE = 15_000
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("answers")
@click.argument("paths", metavar="TEXTS...", nargs=-1, required=True, type=_FILE)
@click.option("--pipeline", required=True, help="spaCy pipeline with parser and names: package or folder.")
@click.option("--out", type=_OUTPUT, required=True, help="Rows of passages with labelled words.")
@click.option("--questions-out", type=_OUTPUT, help="Rows of passages with a question each.")
@click.option("--questions", type=click.IntRange(1), default=1, show_default=True, help="Most for a passage.")
@click.option("--synonyms", is_flag=True, help="Let questions say some words otherwise than the text.")
@click.option(
    "--most", type=click.IntRange(1), help="Passages of each file, drawn at random; by default all."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def command(
    paths: Sequence[Path],
    pipeline: str,
    out: Path,
    questions_out: Path | None,
    questions: int,
    synonyms: bool,
    most: int | None,
    seed: int,
) -> None:
    """Label the words of TEXTS by how likely they are part of an answer: names, numbers, noun phrases.

    No LLM is asked: a spaCy pipeline finds them, so the labels cost seconds and are as good as the pipeline. With
    --questions-out, questions are made as well, each from a sentence of its passage that one part is left out of;
    the words that answer it count most. With --synonyms some of a question's words give way to those that the embedded
    sentence encoder finds nearest among the texts' own.

    TEXTS are files as `laconic train distill` takes them. Outputs that are there are replaced.
    """
    for path in (out, questions_out):
        check_outputs(path, None)
    try:
        found = [
            passage for path in paths for passage in answers.passages(labels.documents(path), most, seed)
        ]
        if not found:
            raise UnusableFileError(f"{', '.join(map(str, paths))}: no passage of 40 words")
        rarity = answers.Rarity(passage.text for passage in found)
        near = answers.Synonyms(rarity.frequent(_REWORDABLE)) if synonyms and questions_out else None
        nlp = answers.load_pipeline(pipeline)
    except CompressionError as error:
        raise UnusableFileError(str(error)) from error
    plain: list[lines.Row] = []
    asked: list[lines.Row] = []
    with progress("labelling", "passages", len(found)) as done:
        docs = nlp.pipe((passage.text for passage in found), batch_size=64)
        for passage, doc in zip(found, docs, strict=True):
            rows = answers.Rows(passage, doc, rarity)
            plain.append(rows.plain())
            if questions_out is not None:
                asked += rows.asked(questions, seed, near)
            done()
    lines.write(out, plain)
    click.echo(f"{out}: {len(plain):,} passages")
    if questions_out is not None:
        lines.write(questions_out, asked)
        click.echo(f"{questions_out}: {len(asked):,} questions")
