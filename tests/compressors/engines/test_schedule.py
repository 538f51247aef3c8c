"""Which units come next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compressors.engines.schedule import Batch, Schedule, Task

SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=12)


def task(number: int, sizes: list[int]) -> Task:
    return Task(number, ["x" * size for size in sizes])


def drained(schedule: Schedule, budget: int) -> list[Batch]:
    batches = []
    while batch := schedule.batch(budget):
        batches.append(batch)
    return batches


@given(st.lists(SIZES, max_size=8), st.integers(10, 80))
def test_every_unit_comes_once_and_batches_keep_to_the_budget(jobs: list[list[int]], budget: int) -> None:
    schedule = Schedule()
    tasks = [task(number, sizes) for number, sizes in enumerate(jobs)]
    for one in tasks:
        schedule.add(one)
    batches = drained(schedule, budget)
    units = sorted((one.number, place) for batch in batches for one, place in batch)
    assert units == [(number, place) for number, sizes in enumerate(jobs) for place in range(len(sizes))]
    for batch in batches:
        assert len(batch) == 1 or sum(len(one.units[place]) for one, place in batch) <= budget
    assert all(one.is_begun for one in tasks)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_a_newcomer_that_fits_is_in_the_next_batch(long: list[int]) -> None:
    schedule = Schedule()
    schedule.add(task(0, [*long, 50, 50, 50]))
    schedule.batch(50)
    schedule.add(task(1, [10]))
    assert any(one.number == 1 for one, _ in schedule.batch(50))


def test_the_oldest_gets_on_while_others_keep_coming() -> None:
    schedule = Schedule()
    oldest = task(0, [50] * 4)
    schedule.add(oldest)
    batches = 0
    while not oldest.is_begun:
        schedule.add(task(batches + 1, [50]))
        schedule.batch(50)
        batches += 1
    assert batches <= 20


def test_a_job_may_come_again_while_its_last_task_is_still_known() -> None:
    schedule = Schedule()
    first, again, other = task(1, [10]), task(1, [10, 10]), task(0, [50, 50])
    schedule.add(other)
    schedule.add(first)
    assert (first, 0) in schedule.batch(60)
    schedule.add(again)
    assert sorted((one.number, place) for batch in drained(schedule, 60) for one, place in batch) == [
        (0, 1),
        (1, 0),
        (1, 1),
    ]


def test_what_is_given_up_comes_no_more() -> None:
    schedule = Schedule()
    gone, stays = task(0, [5, 5, 5]), task(1, [5])
    schedule.add(gone)
    schedule.add(stays)
    gone.give_up()
    assert drained(schedule, 100) == [[(stays, 0)]]
