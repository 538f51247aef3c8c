"""One thread for each device."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import weakref

import pytest

from compressors.engines.device_thread import DeviceThread, device_thread, on_passing_thread


def test_all_who_name_a_device_share_its_thread() -> None:
    first, second, other = device_thread("cpu"), device_thread("cpu"), device_thread("cuda:0")
    threads = [each.run(threading.get_ident) for each in (first, second, other)]
    assert threads[0] == threads[1] != threads[2]
    assert threading.get_ident() not in threads


def test_one_at_a_time_in_the_order_of_asking() -> None:
    thread, order, inside = DeviceThread(), [], []
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go_on.wait(10)

    def use(name: int) -> None:
        inside.append(name)
        assert len(inside) == 1
        order.append(name)
        time.sleep(0.001)
        inside.remove(name)

    callers = [threading.Thread(target=thread.run, args=(wait,))]
    callers[0].start()
    begun.wait(10)
    for number in range(8):
        callers.append(threading.Thread(target=thread.run, args=(lambda name=number: use(name),)))
        callers[-1].start()
        while thread._work.qsize() <= number:
            time.sleep(0.001)
    assert order == []
    go_on.set()
    for caller in callers:
        caller.join(10)
    assert order == list(range(8))


def test_a_failure_is_the_callers_and_the_thread_goes_on() -> None:
    thread = DeviceThread()
    with pytest.raises(ZeroDivisionError):
        thread.run(lambda: 1 / 0)
    assert thread.run(lambda: 1) == 1


def test_nothing_of_a_failure_stays_once_it_was_dealt_with() -> None:
    class Memory:
        pass

    held: list[weakref.ref[Memory]] = []

    def fail() -> None:
        memory = Memory()
        held.append(weakref.ref(memory))
        raise ValueError

    thread = DeviceThread()
    gc.disable()  # nothing may wait for it
    try:
        with contextlib.suppress(ValueError):
            thread.run(fail)
        thread.run(int)  # by now the thread has let go, too
        assert held[0]() is None
    finally:
        gc.enable()


def test_the_thread_ends_once_nobody_holds_it() -> None:
    thread = device_thread("cuda:7")
    worker = thread.run(threading.current_thread)
    assert worker.is_alive()
    del thread
    worker.join(10)
    assert not worker.is_alive()


def test_a_passing_thread_ends_with_its_work() -> None:
    worker = on_passing_thread(threading.current_thread)
    assert worker is not threading.current_thread()
    worker.join(10)
    assert not worker.is_alive()
    with pytest.raises(ZeroDivisionError):
        on_passing_thread(lambda: 1 / 0)
