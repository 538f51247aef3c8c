"""A changed configuration file takes over without dropping a request; an invalid one is refused."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from compressors import CompressionError
from policies.loading import ConfigError
from proxy.gateway import Gateway
from proxy.settings import Settings, SettingsError, read_config

_POLL_S = 1.0
_log = logging.getLogger("laconic.config")


class Reloader:
    """Watches a file and SIGHUP, and hands over to a new gateway once its models are warm."""

    def __init__(
        self, path: Path, settings: Settings, current: Callable[[], Gateway], swap: Callable[[Gateway], None]
    ) -> None:
        self._path = path
        self._settings = settings
        self._current = current
        self._swap = swap
        self._asked = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Reload on every change until cancelled."""
        try:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        except (RuntimeError, ValueError):  # not the main thread, as in tests and embedded servers
            _log.debug("SIGHUP is not watched outside the main thread")
        seen = self._stamp()
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), _POLL_S)
            except TimeoutError:
                if self._stamp() == seen:
                    continue
            self._asked.clear()
            seen = self._stamp()
            try:
                await self._reload()
            except Exception:  # whatever is wrong with a file, the next one gets its chance
                _log.exception("configuration could not be loaded, the old one stays")

    def _stamp(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    async def _reload(self) -> None:
        old = self._current()
        try:
            new = Gateway.open(read_config(self._path, self._settings), self._settings, old)
        except (ConfigError, SettingsError, CompressionError, OSError, ValueError) as error:
            _log.error("configuration refused, the old one stays: %s", error)
            return
        await new.loaded()
        if waiting := new.why_not_ready():
            _log.error("configuration refused, the old one stays: %s", "; ".join(waiting))
            await new.retire(old)
            return
        self._swap(new)
        task = asyncio.create_task(old.retire(new))  # its requests may take a while
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
        _log.info("configuration reloaded from %s", self._path)
