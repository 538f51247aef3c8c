"""A compressor on two devices: real processes with the embedded model."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
import sys

import pytest

from compressors import Job
from compressors.engines import NotReadyError
from policies.config import Compressor
from policies.tokens import tokenizer
from proxy import logs
from proxy.sharing import Keeper, SharedEngines
from tests.fakes.serving import children, has_torch

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.timeout(240),
]

_TEXT = (
    "Priya said that the launch will not happen before September 28, because the payment provider changed its test "
    "environment without telling anybody, and since then about 8 % of the test payments have been failing. "
)


async def test_each_device_has_its_process_and_one_can_do_without_the_other() -> None:
    with Keeper(functools.partial(logs.configure, logging.ERROR)) as keeper:
        # Both are the processor, but for torch and for laconic they are two devices.
        engine = SharedEngines(keeper.folder)(Compressor(device="cpu,cpu:0"))
        with pytest.raises(NotReadyError):
            engine.submit(Job(text=_TEXT))
        await engine.loaded()
        assert engine.is_ready
        assert engine.load_error is None
        assert not engine.on_gpu
        assert engine.expected_s(1000) > 0
        assert engine.speed.seconds_per_token > 0
        hosts = [pid for pid in children(os.getpid()) if has_torch(pid)]
        assert len(hosts) == 2
        job = Job(text=_TEXT, rate=0.5, tokenizer=tokenizer("o200k_base"))
        found = await asyncio.gather(*(engine.submit(job) for _ in range(6)))
        assert len({each.result.spans for each in found}) == 1
        assert found[0].result.compressed_tokens < found[0].result.original_tokens

        under_way = [engine.submit(Job(text=_TEXT * 50)) for _ in range(4)]
        os.kill(hosts[0], signal.SIGKILL)
        ends = await asyncio.gather(*under_way, return_exceptions=True)
        assert {type(end).__name__ for end in ends} <= {"Shortened", "NotReadyError"}
        assert engine.is_ready
        assert (await engine.submit(job)).result == found[0].result
        engine.close()
        await engine.ended(10)
