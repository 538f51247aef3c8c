"""Ending a training between two steps."""

from __future__ import annotations

import signal

import pytest

from compressors.training.stopping import Stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted(number: int) -> None:
    stop = Stop()
    usual = signal.getsignal(number)
    with stop.listening():
        assert not stop
        signal.raise_signal(number)
        assert stop
    assert stop.signal == number
    assert signal.getsignal(number) is usual


def test_a_second_ctrl_c_ends_at_once() -> None:
    stop = Stop()
    with stop.listening():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
