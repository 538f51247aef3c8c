"""How far a training is, and how fast it learns there."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from compressors.training.schedule import Schedule


def _schedule(*, seconds: Iterable[float] | None = None, warm_up: float = 0.0, **length: Any) -> Schedule:
    """By whose clock a step takes a second, or which reads `seconds`."""
    return Schedule(
        warm_up=warm_up, clock=iter(count(0.0) if seconds is None else seconds).__next__, **length
    )


def _step(schedule: Schedule, times: int = 1) -> None:
    for _ in range(times):
        with schedule:
            pass


@pytest.mark.parametrize("length", [{"steps": 10}, {"minutes": 1 / 6}])
def test_the_rate_rises_then_falls_to_nothing(length: dict[str, Any]) -> None:
    schedule = _schedule(warm_up=0.3, **length)
    factors = []
    while not schedule.done:
        factors.append(schedule.factor)
        _step(schedule)
    assert len(factors) == 10
    assert factors[:4] == sorted(factors[:4])
    assert factors[3:] == sorted(factors[3:], reverse=True)
    assert factors[3] == pytest.approx(1.0)
    assert schedule.factor == 0.0


def test_a_pause_does_not_count() -> None:
    schedule = _schedule(minutes=1.0, seconds=[*map(float, range(13)), 3613.0])
    _step(schedule, 7)
    assert schedule.elapsed_s == 6 + 5
    assert schedule.progress == pytest.approx(11 / 60)


def test_a_step_that_failed_does_not_count() -> None:
    schedule = _schedule(steps=2)
    with pytest.raises(KeyError), schedule:
        raise KeyError
    assert (schedule.steps, schedule.progress) == (0, 0.0)


def test_a_state_goes_on_where_it_was() -> None:
    begun, resumed = _schedule(minutes=0.2), _schedule(minutes=0.2)
    _step(begun, 4)
    resumed.restore(begun.state())
    _step(begun, 2)
    _step(resumed, 2)
    assert resumed.state() == begun.state()


def test_other_minutes_stretch_the_rest_of_the_schedule() -> None:
    begun, resumed = _schedule(minutes=0.2), _schedule(minutes=0.4)
    _step(begun, 6)
    resumed.restore(begun.state())
    assert resumed.progress == pytest.approx(0.5)
    _step(resumed)
    assert resumed.progress == pytest.approx(0.5 + 0.5 / 18)


def test_other_steps_rescale_the_schedule() -> None:
    begun, resumed = _schedule(steps=4), _schedule(steps=8)
    _step(begun, 4)
    resumed.restore(begun.state())
    assert (begun.progress, resumed.progress) == (1.0, 0.5)


@pytest.mark.parametrize("length", [{}, {"steps": 1, "minutes": 1.0}])
def test_a_schedule_has_one_length(length: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either steps or minutes"):
        _schedule(**length)
