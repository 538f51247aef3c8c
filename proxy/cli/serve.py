"""`laconic serve`: run the proxy, in one process or several."""

from __future__ import annotations

import functools
import logging
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from policies.config import Config, default_config
from proxy import logs
from proxy.cli.files import UnusableFileError, read_config_file, read_settings
from proxy.settings import Settings, SettingsError, store_secret

if TYPE_CHECKING:
    from proxy.app import Application

_DRAIN_S = 30


@click.command("serve")
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file of routes and policies. Without one, everything goes to LACONIC_UPSTREAM_URL "
    "(https://api.openai.com/v1 if unset) under a careful policy.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8800, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on."
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes that serve.")
@click.option("--quiet", is_flag=True, help="Log warnings only, not every request.")
def command(config_path: Path | None, host: str, port: int, workers: int, quiet: bool) -> None:
    """Run the proxy until interrupted.

    SIGHUP, or a change of the file, loads the configuration again; requests under way aren't touched, and an
    invalid file is refused. SIGTERM and Ctrl-C end it after the requests under way.
    """
    settings = read_settings()
    config = read_config_file(config_path, settings) if config_path else default_config(settings.upstream_url)
    try:
        store_secret(settings, config.store)  # makes the secret's file before workers compete for it
    except SettingsError as error:
        raise UnusableFileError(str(error)) from error
    level = logging.WARNING if quiet else logging.INFO
    server_config = uvicorn.Config(
        functools.partial(_app, config, settings, config_path, level),
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="on",
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=_DRAIN_S,
    )
    logs.configure(level)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until a file is watched; alone, it would end the process
    if workers == 1:
        uvicorn.Server(server_config).run()
        return
    with tempfile.TemporaryDirectory(prefix="laconic-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _Supervisor(server_config, [server_config.bind_socket()]).run()


def _app(config: Config, settings: Settings, config_path: Path | None, level: int) -> Application:
    logs.configure(level)
    from proxy.app import Application

    return Application(config, settings, config_path)


class _Supervisor(Multiprocess):
    """Hands SIGHUP on to the workers, which load the configuration again, instead of restarting them."""

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)
