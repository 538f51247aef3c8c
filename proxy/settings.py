"""The only reader of the environment, and of the files whose contents depend on it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compressors.engines import Engine
from policies.config import Compressor, Config, StoreConfig
from policies.loading import load_config

DEFAULT_UPSTREAM_URL = "https://api.openai.com/v1"


class SettingsError(Exception):
    """A value of the environment that can't be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, and where compressors run."""

    upstream_url: str = DEFAULT_UPSTREAM_URL
    """`LACONIC_UPSTREAM_URL`: where requests go without a configuration file."""
    secret: bytes | None = field(default=None, repr=False)
    """`LACONIC_SECRET`: the key under which decisions are remembered; at least 16 characters."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All of it, for `${NAME}` in configuration files."""
    engines: Callable[[Compressor], Engine] | None = field(default=None, repr=False)
    """Makes the engine of a compressor that doesn't run in this process; must be picklable."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `environment`, the process's own where none is given; raises `SettingsError`."""
        values = dict(os.environ if environment is None else environment)
        secret = values.get("LACONIC_SECRET")
        if secret is not None and len(secret) < 16:
            raise SettingsError("LACONIC_SECRET: found fewer than 16 characters; allowed: 16 or more")
        url = values.get("LACONIC_UPSTREAM_URL", DEFAULT_UPSTREAM_URL)
        if not url.startswith(("http://", "https://")):
            raise SettingsError(
                f"LACONIC_UPSTREAM_URL: found {url!r}; allowed: an http:// or https:// address"
            )
        return cls(url, secret.encode() if secret is not None else None, values)


def read_config(path: Path, settings: Settings) -> Config:
    """The configuration in a file; raises `ConfigError`, OSError."""
    return load_config(path.read_text(encoding="utf-8"), str(path), settings.variables)


def store_secret(settings: Settings, store: StoreConfig) -> bytes:
    """The secret for a store: the given one, else one kept in a file beside a SQLite store, else a random one.

    Raises `SettingsError` for a Redis store without `LACONIC_SECRET`, because its replicas must share one.
    """
    if settings.secret is not None:
        return settings.secret
    if store.url == "memory:":
        return secrets.token_bytes(32)
    path = sqlite_path(store)
    if path is None:
        raise SettingsError("LACONIC_SECRET: not set; a Redis store needs it, the same on every replica")
    file = path.with_name(path.name + ".secret")
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(secrets.token_hex(32).encode())
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(
            f"{file}: cannot be written ({error.strerror}); set LACONIC_SECRET instead"
        ) from error
    secret = file.read_bytes()
    if len(secret) < 16:
        raise SettingsError(f"{file}: holds fewer than 16 characters; remove it to have a new one made")
    return secret


def sqlite_path(store: StoreConfig) -> Path | None:
    """The file of a SQLite store; None for other stores."""
    return Path(store.url.removeprefix("sqlite:///")) if store.url.startswith("sqlite:///") else None
