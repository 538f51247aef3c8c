"""`laconic train`: from texts to a model of one's own, a step a command."""

from __future__ import annotations

import click

from proxy.cli.commands import Commands


class _Steps(Commands):
    package = __name__
    names = ("distill", "annotate", "filter", "answers", "fit", "pretrain", "align", "export")


@click.group("train", cls=_Steps)
def command() -> None:
    """Train the models that shorten, on your own traffic; needs `laconic[train]`.

    \b
    A keep/drop classifier for LLMLingua-2:
      distill   have an LLM shorten texts
      annotate  label each word of a text by what the LLM kept
      filter    leave out samples that don't align
      answers   label words by what could be asked about a text, without an LLM
      fit       train a classifier on the labels
    A causal model for LLMLingua and LongLLMLingua:
      pretrain  train on text
      align     tune toward your upstream's answers
    Either:
      export    pack a trained model, with its card
    """
