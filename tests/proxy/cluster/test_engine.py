"""Jobs that a copy of a compressor was lost with go to another; nothing but the caller's patience ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("ray.serve")

from ray.exceptions import ActorDiedError, RayTaskError
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import DeploymentUnavailableError

from compressors import Compressed, CompressionError, Job
from compressors.engines import NotReadyError, QueueFullError, Shortened, Timings
from proxy.cluster.engine import RayEngine
from proxy.sharing.state import Reply, State

_READY = State(is_ready=True, on_gpu=True, waiting_s=2.0, seconds_per_token=0.5)
_DONE = Shortened(Compressed(spans=((0, 2),), text="ab", original_tokens=2, compressed_tokens=1), Timings())


class _Response:
    def __init__(self, answer: Awaitable[Any]) -> None:
        self._answer = answer
        self.is_cancelled = False

    def __await__(self) -> Any:
        return self._answer.__await__()

    def cancel(self) -> None:
        self.is_cancelled = True


class _Method:
    def __init__(self, answer: Callable[..., Awaitable[Any]]) -> None:
        self._answer = answer
        self.responses: list[_Response] = []

    def remote(self, *arguments: Any) -> _Response:
        self.responses.append(_Response(self._answer(*arguments)))
        return self.responses[-1]


class _Handle:
    """Answers as copies of a compressor do: what `outcomes` holds, one after the other; the last for ever."""

    def __init__(self, *outcomes: Any) -> None:
        self._outcomes = list(outcomes)
        self.failure: Exception | None = None
        self.shorten = _Method(self._shorten)
        self.state = _Method(self._state)

    async def _state(self) -> State:
        if self.failure is not None:
            raise self.failure
        return _READY

    async def _shorten(self, job: Job) -> Reply:
        await asyncio.sleep(0)
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if outcome == "hang":
            await asyncio.Event().wait()
        if isinstance(outcome, Exception) and not isinstance(outcome, CompressionError):
            raise outcome
        return Reply(outcome, _READY)


async def _engine(handle: _Handle) -> RayEngine:
    engine = RayEngine(handle)  # type: ignore[arg-type]
    await engine.loaded()
    return engine


async def test_a_job_goes_to_another_copy_if_one_is_lost() -> None:
    handle = _Handle(ActorDiedError(), ActorDiedError(), _DONE)
    engine = await _engine(handle)
    assert await engine.submit(Job(text="abc")) == _DONE
    assert len(handle.shorten.responses) == 3
    engine.close()


async def test_copies_that_are_lost_again_and_again_are_given_up() -> None:
    engine = await _engine(_Handle(ActorDiedError()))
    with pytest.raises(NotReadyError, match="copies of the compressor were lost"):
        await engine.submit(Job(text="abc"))
    engine.close()


async def test_what_a_copy_refuses_is_not_asked_again() -> None:
    handle = _Handle(QueueFullError("too much"))
    engine = await _engine(handle)
    with pytest.raises(QueueFullError):
        await engine.submit(Job(text="abc"))
    assert len(handle.shorten.responses) == 1
    engine.close()


async def test_an_error_in_a_copy_says_nothing_of_the_text() -> None:
    error = RayTaskError("shorten", "a secret text", ValueError("a secret text"))  # type: ignore[no-untyped-call]
    engine = await _engine(_Handle(error))
    with pytest.raises(CompressionError) as caught:
        await engine.submit(Job(text="abc"))
    assert "secret" not in str(caught.value)
    engine.close()


async def test_a_cancelled_job_is_cancelled_in_its_copy() -> None:
    handle = _Handle("hang")
    engine = await _engine(handle)
    future = engine.submit(Job(text="abc"))
    await asyncio.sleep(0.01)
    future.cancel()
    assert future.cancelled()
    await asyncio.sleep(0.01)
    assert handle.shorten.responses[0].is_cancelled
    engine.close()


async def test_it_knows_how_its_copies_are_doing() -> None:
    engine = await _engine(_Handle(_DONE))
    assert engine.is_ready
    assert engine.on_gpu
    assert engine.expected_s(0) == 2.5
    assert engine.speed.seconds_per_token == pytest.approx(0.5)
    engine.close()
    assert not engine.is_ready
    with pytest.raises(NotReadyError):
        engine.submit(Job(text="abc"))


async def test_a_deployment_that_failed_is_a_model_that_could_not_be_loaded() -> None:
    handle = _Handle(_DONE)
    handle.failure = DeploymentUnavailableError(DeploymentID("compressor-mine", "laconic"))
    engine = await _engine(handle)
    assert "deployment has failed" in str(engine.load_error)
    with pytest.raises(NotReadyError):
        engine.submit(Job(text="abc"))
    engine.close()
