"""The ASGI application: every request becomes an `Exchange`, beside health checks and metrics.

Importing this module imports neither torch nor litellm.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send

from policies.config import Config
from proxy import metrics
from proxy.errors import LaconicError, OverloadedError
from proxy.exchange import Exchange
from proxy.gateway import Gateway
from proxy.record import Record
from proxy.reload import Reloader
from proxy.settings import Settings

_log = logging.getLogger("laconic.app")


class Proxy:
    """Serves requests through the current gateway."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3, http only)."""
        gateway = self.gateway
        if scope["type"] != "http" or gateway is None:
            raise RuntimeError("only HTTP requests are served, between start-up and shutdown")
        record = Record(scope["method"])
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        exchange = Exchange(gateway, scope, receive, answer, record)
        self._in_flight += 1
        metrics.IN_FLIGHT.inc()
        try:
            if self._in_flight > gateway.config.max_in_flight:
                raise OverloadedError(f"{gateway.config.max_in_flight} requests are being served; try again")
            await exchange.run()
        except LaconicError as error:
            record.failure = error.code
            if not started:  # else the caller's connection breaks, as the upstream's did
                record.status = error.status
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
            if not started:
                record.status = 500
                await _send_error(LaconicError(f"laconic failed: {type(error).__name__}"), record, send)
        finally:
            exchange.hang_up.stop()
            self._in_flight -= 1
            metrics.IN_FLIGHT.dec()
            record.close()


async def _send_error(error: LaconicError, record: Record, send: Send) -> None:
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


def build_app(config: Config, settings: Settings, config_path: Path | None = None) -> Router:
    """The application for `config`; with `config_path`, changes of that file take effect while it runs."""
    proxy = Proxy()

    def current() -> Gateway:
        assert proxy.gateway is not None
        return proxy.gateway

    def swap(gateway: Gateway) -> None:
        proxy.gateway = gateway

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        swap(Gateway.open(config, settings))
        reloader: asyncio.Task[None] | None = None
        if config_path is not None:
            reloader = asyncio.create_task(Reloader(config_path, settings, current, swap).run())
        try:
            yield
        finally:
            if reloader is not None:
                reloader.cancel()
            await current().retire()
            metrics.worker_ended()

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        waiting = current().why_not_ready()
        return JSONResponse({"ready": not waiting, "waiting_for": waiting}, 503 if waiting else 200)

    async def exposition(_: Request) -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]
    router = Router(routes, lifespan=lifespan)
    router.default = proxy
    return router
