"""The engine of a compressor whose copies run somewhere on a Ray cluster.

Knows how copies are called and lost; knows nothing of where they run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import DeploymentUnavailableError, RayServeException
from ray.serve.handle import DeploymentHandle

from compressors import CompressionError, Job
from compressors.engines import NotReadyError, Shortened, Speed, estimated_tokens, resolve
from policies.config import Compressor
from proxy.sharing.state import Reply, State

_log = logging.getLogger("laconic.cluster")
_ATTEMPTS = 5
_AGAIN_S = 0.1
_ASK_S = 0.5  # between two questions for the state; every answer tells it as well
_NO_COPY_S = 3.0  # without an answer to that, and there is none


class RayEngines:
    """Makes engines of deployments."""

    def __init__(self, handles: Mapping[Compressor, DeploymentHandle[Any]]) -> None:
        self._handles = handles

    def __call__(self, compressor: Compressor) -> RayEngine:
        """An engine that calls the compressor's copies; needs a running event loop."""
        return RayEngine(self._handles[compressor])


class RayEngine:
    """An `Engine` that sends each job to one of a deployment's copies, and to another if that is lost."""

    def __init__(self, handle: DeploymentHandle[Any]) -> None:
        self._handle = handle
        self._state = State()
        self._closed = False
        self._jobs: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()
        self.speed = Speed()
        self.load_error: Exception | None = None
        self.is_broken = False  # Ray replaces a copy whose device is
        self._watching = asyncio.create_task(self._watch())

    @property
    def is_ready(self) -> bool:
        """Whether a copy has the model loaded."""
        return self._state.is_ready and not self._closed

    @property
    def on_gpu(self) -> bool:
        """Whether a copy has told that it runs on more than the processor."""
        return self._state.on_gpu

    async def loaded(self) -> None:
        """Wait until a copy is ready, or none can be."""
        await self._settled.wait()

    def expected_s(self, characters: int) -> float:
        """Seconds that a text of so many characters is likely to need, by what the last copy that answered told."""
        state = self._state
        return state.waiting_s + estimated_tokens(characters) * state.seconds_per_token

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """Send a job to a copy; cancelling the future takes it out there.

        Raises `NotReadyError` at once; the future fails with a `CompressionError`: a `QueueFullError` where too
        many tokens wait, a `NotReadyError` if one copy after the other was lost.
        """
        if not self.is_ready:
            raise NotReadyError("no copy has the model loaded")
        future: asyncio.Future[Shortened] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._shorten(job, future))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        future.add_done_callback(lambda done: task.cancel() if done.cancelled() else None)
        return future

    def close(self) -> None:
        """Take no more jobs; those that wait are still done."""
        self._closed = True
        self._settled.set()
        self._watching.cancel()

    async def ended(self, timeout_s: float) -> None:
        """Wait for the last job's end after `close`, at most so long."""
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=timeout_s)

    async def _shorten(self, job: Job, future: asyncio.Future[Shortened]) -> None:
        outcome: Shortened | CompressionError
        try:
            reply: Reply = await self._answer(job)
        except CompressionError as error:
            outcome = error
        except Exception as error:  # whatever Ray raises: the caller is to hear of it
            outcome = CompressionError(f"calling the compressor's copy raised {type(error).__name__}")
        else:
            self._told(reply.state)
            outcome = reply.outcome
        resolve(future, outcome)

    async def _answer(self, job: Job) -> Any:
        """What a copy says to a job; the caller's deadline ends the wait for one that has room."""
        for _ in range(_ATTEMPTS):
            response = self._handle.shorten.remote(job)
            try:
                return await response
            except asyncio.CancelledError:
                response.cancel()  # type: ignore[no-untyped-call] # Ray has it so
                raise
            except RayTaskError as error:  # its own words may quote the text
                raise CompressionError("the compressor's copy raised an error") from error
            except DeploymentUnavailableError as error:
                raise NotReadyError("the compressor's deployment has failed") from error
            except (RayError, RayServeException):  # the copy or its machine is gone
                await asyncio.sleep(_AGAIN_S)
        raise NotReadyError(f"{_ATTEMPTS} copies of the compressor were lost")

    async def _watch(self) -> None:
        """Keep in touch while nothing is asked."""
        while True:
            response = None
            try:
                response = self._handle.state.remote()
                async with asyncio.timeout(_NO_COPY_S):
                    self._told(await response)
            except TimeoutError:  # nobody is to wait for a copy until there is one
                if response is not None:
                    response.cancel()  # type: ignore[no-untyped-call] # Ray has it so
                self._state = State()
            except DeploymentUnavailableError:
                self._state = State()
                self.load_error = CompressionError(
                    "the compressor's deployment has failed; Ray's log says why"
                )
                self._settled.set()
            except (RayError, RayServeException):
                pass
            except Exception as error:  # whatever else Ray raises: it is asked again
                _log.error("asking for the compressor's state raised %s", type(error).__name__)
            await asyncio.sleep(_ASK_S)

    def _told(self, state: State) -> None:
        self._state = state
        self.load_error = None
        self.speed.replace(state.seconds_per_token)
        self._settled.set()
