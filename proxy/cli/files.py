"""Reading what the user named, with errors that a person can act on."""

from __future__ import annotations

from pathlib import Path

import click

from compressors import CompressionError
from policies.config import Config
from policies.loading import ConfigError
from proxy.fitness import require_fit_models
from proxy.settings import Settings, SettingsError, read_config


class UnusableFileError(click.ClickException):
    """A file that can't be used; exit status 2."""

    exit_code = 2


def read_settings() -> Settings:
    """The environment's settings; raises `UnusableFileError` naming a bad variable."""
    try:
        return Settings.from_environment()
    except SettingsError as error:
        raise UnusableFileError(str(error)) from error


def read_config_file(path: Path, settings: Settings) -> Config:
    """The configuration in `path`; raises `UnusableFileError` with all that is wrong with it."""
    try:
        config = read_config(path, settings)
        require_fit_models(config)
    except ConfigError as error:
        raise UnusableFileError(f"{path} can't be used\n{error}") from error
    except (OSError, UnicodeDecodeError, CompressionError) as error:
        raise UnusableFileError(f"{path}: {error}") from error
    return config
