"""Where a command that measures may write. Knows files, no figures."""

from __future__ import annotations

from pathlib import Path

from proxy.cli.files import UnusableFileError
from proxy.evaluation.plot import FORMATS, can_plot


def check_outputs(json_path: Path | None, plot_path: Path | None, *, extra: str = "eval") -> None:
    """Raise `UnusableFileError` for files that can't be written, before the work and not after it.

    `extra` is what brings matplotlib to the command.
    """
    for path in (json_path, plot_path):
        if path is not None and not path.absolute().parent.is_dir():
            raise UnusableFileError(f"{path}: its folder doesn't exist")
    if plot_path is None:
        return
    if plot_path.suffix.lower() not in FORMATS:
        raise UnusableFileError(f"--plot: {plot_path} must end in {' or '.join(FORMATS)}")
    if not can_plot():
        raise UnusableFileError(f"--plot needs matplotlib: pip install 'laconic[{extra}]'")
