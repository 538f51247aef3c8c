"""A worker's way to one compressor in one process: it opens it, sends it jobs, and comes back after it was lost.

Knows what the process says of itself; knows nothing of other devices.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp

from compressors import CompressionError, Job
from compressors.engines import NotReadyError, Shortened, estimated_tokens, resolve
from policies.config import Compressor
from proxy.sharing.messages import HOST, key_of, packed, unpacked
from proxy.sharing.state import Reply, State

_AGAIN_S = 0.1
_LONG_BYTES = 2**20
_NO_LIMIT = aiohttp.ClientTimeout(total=None)  # callers have deadlines of their own
_log = logging.getLogger("laconic.compressor")


class Channel:
    """One compressor in the process that listens at `path`; needs a running event loop.

    `on_news` is called whenever the process has told something, or was lost.
    """

    def __init__(self, path: Path, compressor: Compressor, on_news: Callable[[], None]) -> None:
        self._compressor = compressor
        self._on_news = on_news
        self._url = f"{HOST}/{key_of(compressor)}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(path), limit=0), timeout=_NO_LIMIT, auto_decompress=False
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._sent_tokens = 0
        self.state = State()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.load_error: Exception | None = None
        self.settled = asyncio.Event()
        """Set once loading has ended, well or not, for the first time."""
        self._connection = asyncio.create_task(self._stay_connected())

    @property
    def is_ready(self) -> bool:
        """Whether jobs are taken."""
        return self.state.is_ready and not self._closed

    def expected_s(self, tokens: int) -> float:
        """Seconds for so many tokens, behind those that wait as far as that was told or was sent from here."""
        pace = self.state.seconds_per_token
        return max(self.state.waiting_s, self._sent_tokens * pace) + tokens * pace

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """As an engine's `submit`."""
        if not self.is_ready:
            raise NotReadyError("the compressor's process is not ready")
        future: asyncio.Future[Shortened] = asyncio.get_running_loop().create_future()
        task = self._run(self._shorten(job, future))
        tokens = estimated_tokens(len(job.text))
        self._sent_tokens += tokens

        def over(done: asyncio.Future[Shortened]) -> None:
            self._sent_tokens -= tokens
            if done.cancelled():
                task.cancel()

        future.add_done_callback(over)
        return future

    def close(self) -> None:
        """Take no more jobs; leave the compressor once those under way are done."""
        self._closed = True
        self.settled.set()
        self._leaving = asyncio.create_task(self._leave())

    async def ended(self) -> None:
        """Wait until the compressor is left, after `close`."""
        await self._leaving

    async def _leave(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._connection.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._connection
        await self._session.close()

    async def _stay_connected(self) -> None:
        while True:
            connected = False
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with self._session.ws_connect(self._url) as socket:
                    connected, self._socket = True, socket
                    await socket.send_bytes(packed(self._compressor))
                    async for message in socket:
                        if message.type is not aiohttp.WSMsgType.BINARY:
                            break
                        self._told(unpacked(message.data))
            if connected:
                self._lost()
            await asyncio.sleep(_AGAIN_S)

    def _lost(self) -> None:
        if not self.settled.is_set():
            self.load_error = CompressionError("the compressor's process ended while it loaded the model")
            self.settled.set()
        self.state = State()
        self._on_news()
        _log.warning("the compressor's process is gone; texts go as they are until it is back")

    def _doubt(self) -> None:
        """A job could not be sent, or came to nothing: send no more until the process says how it is doing."""
        self.state = State()
        if self._socket is not None and not self._socket.closed:
            self._run(_close(self._socket))

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _told(self, state: State) -> None:
        self.state = state
        self.load_error = None if state.error is None else CompressionError(state.error)
        if state.is_ready or state.error is not None:
            self.settled.set()
        self._on_news()

    async def _shorten(self, job: Job, future: asyncio.Future[Shortened]) -> None:
        outcome: Shortened | CompressionError
        content = packed(job)
        # Long ones are sent in parts, so that they don't hold up the event loop.
        data = content if len(content) < _LONG_BYTES else io.BytesIO(content)
        try:
            async with self._session.post(self._url, data=data) as response:
                response.raise_for_status()
                reply: Reply = unpacked(await response.read())
        except aiohttp.ClientResponseError as error:
            outcome = CompressionError(f"the compressor's process answered with status {error.status}")
        except (aiohttp.ClientError, OSError):
            outcome = NotReadyError("the compressor's process ended")
            self._doubt()
        except Exception as error:  # the caller is to hear of it, whatever it is
            outcome = CompressionError(f"the compressor's answer raised {type(error).__name__}")
        else:
            self._told(reply.state)
            outcome = reply.outcome
        resolve(future, outcome)


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close()
