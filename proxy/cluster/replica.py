"""A copy of a compressor on a Ray cluster.

Knows no HTTP and no Ray. Its texts are batched by the same engine as in a single process, not by `@serve.batch`: that
one counts texts, where a model's time goes by tokens; it answers a batch when all of it is done, so that a message of
ten words would wait for the report that came along; and it goes on with texts whose callers are gone. The engine cuts
long texts into parts and lets short ones pass between them.
"""

from __future__ import annotations

from compressors import CompressionError, Job
from policies.config import Compressor
from proxy import logs
from proxy.gateway import engine_of
from proxy.sharing.state import Reply, State, reply_to, state_of


class CompressorReplica:
    """Loads a compressor and shortens texts; Ray counts it as started once the model is warm."""

    async def __init__(self, compressor: Compressor, level: int) -> None:  # type: ignore[misc] # Ray awaits it
        """Raises `CompressionError` if the model can't be loaded; Ray then tries again, and reports it."""
        logs.configure(level)
        self._engine = engine_of(compressor)
        await self._engine.loaded()
        if self._engine.load_error is not None:
            raise CompressionError(f"{compressor.model}: {self._engine.load_error}")

    async def shorten(self, job: Job) -> Reply:
        """Do a job; it is given up when its caller cancels the call."""
        return await reply_to(job, self._engine)

    async def state(self) -> State:
        """How the compressor is doing here."""
        return state_of(self._engine)

    async def check_health(self) -> None:
        """Asked by Ray; raises if no text can be shortened here any more."""
        if not self._engine.is_ready:
            raise CompressionError("the model's thread has ended")
