"""When calls may start, on a clock that nobody waits for."""

from __future__ import annotations

import asyncio

from proxy.distillation import Pace


class Clock:
    """Goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def _starts(pace: Pace, clock: Clock, *tokens: int) -> list[float]:
    starts = []
    for each in tokens:
        await pace.turn(each)
        starts.append(clock.now)
    return starts


async def test_requests_are_spread_over_the_minute() -> None:
    clock = Clock()
    pace = Pace(requests_per_minute=30, clock=clock, sleep=clock.sleep)
    assert await _starts(pace, clock, 1, 1, 1) == [0, 2, 4]


async def test_a_large_call_takes_more_of_the_minute() -> None:
    clock = Clock()
    pace = Pace(requests_per_minute=60, tokens_per_minute=600, clock=clock, sleep=clock.sleep)
    assert await _starts(pace, clock, 100, 1, 1) == [0, 10, 11]


async def test_no_turn_is_saved_up_while_nobody_calls() -> None:
    clock = Clock()
    pace = Pace(requests_per_minute=60, clock=clock, sleep=clock.sleep)
    await _starts(pace, clock, 1)
    clock.now = 100
    assert await _starts(pace, clock, 1, 1) == [100, 101]


async def test_without_limits_nobody_waits_unless_told_to() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    assert await _starts(pace, clock, 1000, 1000) == [0, 0]
    pace.hold(7)
    pace.hold(3)
    assert await _starts(pace, clock, 1, 1) == [7, 7]


async def test_who_waits_already_waits_longer_when_told_to() -> None:
    clock, told = Clock(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        if not told.is_set():
            told.set()
            pace.hold(20)
        await clock.sleep(seconds)

    pace = Pace(requests_per_minute=60, clock=clock, sleep=sleep)
    assert await _starts(pace, clock, 1, 1) == [0, 20]
