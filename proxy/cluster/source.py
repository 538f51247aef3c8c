"""What is served on a cluster, in a form that goes from machine to machine without any secret in it.

Knows neither Ray nor sockets. A file's text travels as it was written, and each machine puts its own environment into
it: Ray would store what it is given, and shows it to all who may look at the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from policies.config import Compressor, Config, default_config
from policies.loading import load_config
from proxy.settings import Settings


class UnsharedStoreError(ValueError):
    """Several proxies would remember each for itself what was sent."""


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration file's text, or what stands for it where there is none."""

    text: str | None = None
    name: str = "(default)"
    """Of the file, for errors."""
    policy: str | None = None
    """A built-in policy, without a file."""

    @classmethod
    def read(cls, path: Path) -> Source:
        """The file at `path`; raises OSError, UnicodeDecodeError."""
        return cls(path.read_text(encoding="utf-8"), str(path))

    def config(self, settings: Settings) -> Config:
        """The configuration in this environment; raises `ConfigError`."""
        if self.text is None:
            return default_config(settings.upstream_url, self.policy)
        return load_config(self.text, self.name, settings.variables)


def used_compressors(config: Config) -> dict[str, Compressor]:
    """The compressors that policies name, each once, by a name."""
    named = {policy.compressor: config.compressors[policy.compressor] for policy in config.policies.values()}
    return {name: compressor for compressor, name in {c: n for n, c in named.items()}.items()}


def require_shared_store(config: Config, proxies: int) -> None:
    """Raises `UnsharedStoreError` if several proxies would break each other's conversations."""
    url = config.store.url
    if proxies > 1 and url.startswith(("memory:", "sqlite:")):
        raise UnsharedStoreError(
            f"store: found {url.partition(':')[0]} with {proxies} workers on Ray; allowed: redis://…, which all "
            "machines share, or one worker"
        )
