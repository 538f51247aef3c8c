"""The ASGI application: every request becomes an `Exchange`, beside health checks and metrics.

Importing this module imports neither torch nor litellm.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from policies.config import Config
from proxy import logs, metrics
from proxy.capture import Capture
from proxy.errors import LaconicError, OverloadedError
from proxy.exchange import Exchange
from proxy.gateway import Gateway
from proxy.record import Record
from proxy.reload import Reloader
from proxy.settings import Settings

_log = logging.getLogger("laconic.app")


class Proxy:
    """Serves requests through the current gateway."""

    def __init__(self, capture: Capture | None) -> None:
        self.gateway: Gateway | None = None
        self.capture = capture
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3, http only)."""
        gateway = self.gateway
        if scope["type"] != "http" or gateway is None:
            raise RuntimeError("only HTTP requests are served, between start-up and shutdown")
        record = Record(scope["method"])
        exchange = Exchange(gateway, scope, receive, send, record, self.capture)
        self._in_flight += 1
        gateway.requests += 1
        metrics.IN_FLIGHT.inc()
        try:
            if self._in_flight > gateway.config.max_in_flight:
                raise OverloadedError(f"{gateway.config.max_in_flight} requests are being served; try again")
            await exchange.run()
        except LaconicError as error:
            record.failure = error.code
            await _send_error(error, record, send)
        except ClientDisconnect:
            record.failure = "client_gone"
        except asyncio.CancelledError:
            if not exchange.hang_up.seen:
                raise
            record.failure = "client_gone"
        except Exception as error:
            _log.exception("a request failed")
            record.failure = "internal_error"
            await _send_error(LaconicError(f"laconic failed: {type(error).__name__}"), record, send)
        finally:
            exchange.hang_up.stop()
            self._in_flight -= 1
            gateway.requests -= 1
            metrics.IN_FLIGHT.dec()
            record.close()
            if (entry := record.entry(gateway.models)) is not None:
                gateway.ledger.add(entry)


async def _send_error(error: LaconicError, record: Record, send: Send) -> None:
    """Answer with the error; once an answer has begun, the caller's connection breaks instead."""
    if record.status:
        return
    record.status = error.status
    body = error.body()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        *record.headers(),
    ]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after_s))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Application:
    """The ASGI application for `config`; with `config_path`, changes of that file take effect while it runs.

    With `capture`, chat requests are written to its file; it is closed at shutdown.
    """

    def __init__(
        self,
        config: Config,
        settings: Settings,
        config_path: Path | None = None,
        capture: Capture | None = None,
    ) -> None:
        self._config = config
        self._settings = settings
        self._config_path = config_path
        self.proxy = Proxy(capture)
        self._own = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._metrics}
        routes = [Route(path, endpoint) for path, endpoint in self._own.items()]
        self._router = Router(routes, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event (ASGI 3)."""
        # All but a few requests are for the proxy: they don't wait for the router to try its routes.
        if scope["type"] == "http" and scope["path"] not in self._own:
            await self.proxy(scope, receive, send)
        else:
            await self._router(scope, receive, send)

    @property
    def gateway(self) -> Gateway:
        """What serves requests that arrive now."""
        assert self.proxy.gateway is not None
        return self.proxy.gateway

    def _swap(self, gateway: Gateway) -> None:
        self.proxy.gateway = gateway

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        logs.watch(asyncio.get_running_loop())
        self._swap(Gateway.open(self._config, self._settings))
        tasks = [asyncio.create_task(_spare_garbage_collector(self.gateway))]
        if self._config_path is not None:
            watch = Reloader(self._config_path, self._settings, lambda: self.gateway, self._swap)
            tasks.append(asyncio.create_task(watch.run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await self.gateway.retire()
            if self.proxy.capture is not None:
                await asyncio.to_thread(self.proxy.capture.close)
            metrics.worker_ended()

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readyz(self, _: Request) -> Response:
        waiting = self.gateway.why_not_ready()
        return JSONResponse({"ready": not waiting, "waiting_for": waiting}, 503 if waiting else 200)

    async def _metrics(self, _: Request) -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


async def _spare_garbage_collector(gateway: Gateway) -> None:
    """Let collections skip what start-up and models made, and come less often: they took 6 % of a busy proxy's time."""
    gc.set_threshold(10_000, 20, 50)
    await gateway.loaded()
    gc.collect()
    gc.freeze()
