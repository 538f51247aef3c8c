"""What log lines may say."""

from __future__ import annotations

import asyncio
import gc
import json
import logging

import pytest

from proxy import logs


async def test_a_task_that_fails_unheard_is_logged_without_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure()
    try:
        loop = asyncio.get_running_loop()
        logs.watch(loop)

        async def fail() -> None:
            raise ValueError("what somebody asked")

        task = loop.create_task(fail())
        await asyncio.wait([task])
        del task
        gc.collect()
        await asyncio.sleep(0)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    said = capsys.readouterr().err
    assert "somebody" not in said
    assert "ValueError at" in json.loads(said)["where"]
