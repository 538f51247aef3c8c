"""`laconic serve`: run the proxy, in one process or several."""

from __future__ import annotations

import functools
import logging
import os
import secrets
import signal
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from policies import builtin
from policies.config import Config, default_config
from proxy import logs
from proxy.cli.files import UnusableFileError, read_config_file, read_settings
from proxy.cli.size import Size
from proxy.settings import Settings, SettingsError, store_secret

if TYPE_CHECKING:
    from proxy.app import Application
    from proxy.capture import Capture

_DRAIN_S = 30
_log = logging.getLogger("laconic.capture")


@click.command("serve")
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file of routes and policies. Without one, everything goes to LACONIC_UPSTREAM_URL "
    "(https://api.openai.com/v1 if unset) under a careful policy.",
)
@click.option(
    "--policy",
    type=click.Choice(builtin.NAMES),
    help="Built-in policy in the place of the careful one, without --config.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8800, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on."
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Processes that serve; several share one more that holds the model. With Ray, copies of the proxy.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where proxy and compressors run: on this machine, or on a Ray cluster (extra `laconic[ray]`).",
)
@click.option(
    "--ray-address",
    metavar="ADDRESS",
    help="Ray cluster to use: `auto` for the one this machine belongs to, or HOST:PORT. Without one, a cluster of "
    "this machine alone is started.",
)
@click.option("--quiet", is_flag=True, help="Log warnings only, not every request.")
@click.option(
    "--capture",
    "capture_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append every chat request to this file, for `laconic replay`: prompts will be on disk, readable by you.",
)
@click.option(
    "--capture-max-bytes",
    type=Size(),
    default="1GiB",
    show_default=True,
    help="Size of the file at which capturing ends.",
)
@click.option(
    "--capture-redact",
    is_flag=True,
    help="Capture other words of the same length for all but function words, other digits for digits.",
)
def command(
    config_path: Path | None,
    policy: str | None,
    host: str,
    port: int,
    workers: int,
    engine: str,
    ray_address: str | None,
    quiet: bool,
    capture_path: Path | None,
    capture_max_bytes: int,
    capture_redact: bool,
) -> None:
    """Run the proxy until interrupted.

    SIGHUP, or a change of the file, loads the configuration again; requests under way aren't touched, and an
    invalid file is refused. SIGTERM and Ctrl-C end it after the requests under way.
    """
    settings = read_settings()
    if config_path is not None and policy is not None:
        raise click.UsageError("--policy goes without --config; a file's routes name their policies")
    config = (
        read_config_file(config_path, settings)
        if config_path is not None
        else default_config(settings.upstream_url, policy)
    )
    try:
        store_secret(settings, config.store)  # makes the secret's file before workers compete for it
    except SettingsError as error:
        raise UnusableFileError(str(error)) from error
    level = logging.WARNING if quiet else logging.INFO
    logs.configure(level)
    if capture_redact and capture_path is None:
        raise click.UsageError("--capture-redact needs --capture")
    capture = _capture(capture_path, capture_max_bytes, capture_redact) if capture_path else None
    serving = functools.partial(_app, config, config_path=config_path, level=level, capture=capture)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until a file is watched; alone, it would end the process
    if engine == "ray":
        if capture is not None:
            raise click.UsageError("--capture goes without --engine ray; the proxies have no file in common")
        _serve_on_ray(config_path, policy, settings, ray_address, host, port, workers, level)
        return
    if ray_address is not None:
        raise click.UsageError("--ray-address needs --engine ray")
    if workers == 1:
        uvicorn.Server(_server_config(functools.partial(serving, settings), host, port)).run()
        return
    from proxy.sharing import Keeper, SharedEngines

    with (
        tempfile.TemporaryDirectory(prefix="laconic-metrics-") as folder,
        Keeper(functools.partial(logs.configure, level)) as keeper,
    ):
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        settings = replace(settings, engines=SharedEngines(keeper.folder))
        server = _server_config(functools.partial(serving, settings), host, port, workers)
        _Supervisor(server, [server.bind_socket()]).run()


def _serve_on_ray(
    config_path: Path | None,
    policy: str | None,
    settings: Settings,
    address: str | None,
    host: str,
    port: int,
    workers: int,
    level: int,
) -> None:
    from proxy.cluster.source import Source, UnsharedStoreError

    try:
        from proxy.cluster import serving
    except ModuleNotFoundError as error:
        raise click.ClickException(f"--engine ray needs {error.name}: pip install 'laconic[ray]'") from error
    read = (
        functools.partial(Source.read, config_path)
        if config_path
        else functools.partial(Source, policy=policy)
    )
    cluster = serving.Cluster(address=address, host=host, port=port, workers=workers, level=level)
    try:
        serving.run(read, settings, cluster)
    except (UnsharedStoreError, ConnectionError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error


def _server_config(app: Callable[[], Application], host: str, port: int, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
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


def _capture(path: Path, max_bytes: int, redact: bool) -> Callable[[], Capture]:
    """What opens the file in each worker; raises `UnusableFileError` if that can't be done."""
    from proxy.capture import Capture
    from proxy.capture.file import CaptureFile

    try:
        CaptureFile(path, max_bytes).close()
    except OSError as error:
        raise UnusableFileError(f"--capture: {path}: {error.strerror}") from error
    kept = "with other words in the place of theirs" if redact else "with all that they say"
    _log.warning("capture: chat requests are written to %s, %s, until it has %d bytes", path, kept, max_bytes)
    key = secrets.token_bytes(32)  # handed to the workers, and written nowhere
    return functools.partial(Capture.open, path, key, max_bytes=max_bytes, redact=redact)


def _app(
    config: Config,
    settings: Settings,
    config_path: Path | None,
    level: int,
    capture: Callable[[], Capture] | None,
) -> Application:
    logs.configure(level)
    from proxy.app import Application

    return Application(config, settings, config_path, capture=capture() if capture else None)


class _Supervisor(Multiprocess):
    """Hands SIGHUP on to the workers, which load the configuration again, instead of restarting them."""

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)
