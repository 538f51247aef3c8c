"""Carries a training from the command line to its end, or to a signal. Knows no kind of training."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console

from compressors import CompressionError
from compressors.training import Record, Report, Stop
from proxy.cli.files import UnusableFileError
from proxy.cli.train.terminal import Terminal, table


class Run(Protocol):
    """A training."""

    @property
    def done(self) -> bool:
        """Whether it is over."""

    def carry_on(self, stop: Stop) -> Record:
        """Train until done or stopped."""


def command_line() -> str:
    """What was typed, for the record."""
    return shlex.join(["laconic", *sys.argv[1:]])


@contextmanager
def errors() -> Iterator[None]:
    """Turns a `CompressionError` into one that a person can act on."""
    try:
        yield
    except CompressionError as error:
        raise UnusableFileError(str(error)) from error


def carry(begin: Callable[[Report], Run]) -> None:
    """Carry the training that `begin` gives to its end and print its figures; exits as is usual after a signal."""
    os.environ.setdefault(
        "TRANSFORMERS_VERBOSITY", "error"
    )  # a start that lacks a head, or has another, is meant
    stop = Stop()
    with Terminal() as terminal:
        run = begin(terminal)
        with stop.listening():
            record = run.carry_on(stop)
    Console().print(table(record.figures))
    if stop.signal is not None and not run.done:
        click.echo(f"stopped after {record.steps} steps; the same command goes on", err=True)
        click.get_current_context().exit(128 + stop.signal)
