"""What a process or a replica with a compressor tells those who use it from elsewhere.

Knows no sockets and no clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

from compressors import CompressionError, Job
from compressors.engines import Engine, Shortened


@dataclass(frozen=True, slots=True)
class State:
    """How a compressor is doing where it runs."""

    is_ready: bool = False
    error: str | None = None
    """Why its model could not be loaded."""
    on_gpu: bool = False
    waiting_s: float = 0.0
    """What a new job would wait for those that wait already, whoever sent them."""
    seconds_per_token: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a job, and how its compressor is doing since."""

    outcome: Shortened | CompressionError
    state: State


def state_of(engine: Engine) -> State:
    """How an engine in this process is doing."""
    return State(
        is_ready=engine.is_ready,
        error=None if engine.load_error is None else str(engine.load_error),
        on_gpu=engine.on_gpu,
        waiting_s=engine.expected_s(0),
        seconds_per_token=engine.speed.seconds_per_token,
    )


async def reply_to(job: Job, engine: Engine) -> Reply:
    """Do a job; it is given up when this is cancelled."""
    outcome: Shortened | CompressionError
    try:
        outcome = await engine.submit(job)
    except CompressionError as error:
        outcome = error
    return Reply(outcome, state_of(engine))
