"""When the next call may start. Knows minutes, requests and tokens; no calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Spreads calls evenly, so that no minute holds more than the limits allow; and waits when told to."""

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Without limits, calls start at once. `clock` gives seconds, `sleep` takes them."""
        self._request_s = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_s = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._clock = clock
        self._sleep = sleep
        self._free_at = self._held_until = clock()

    async def turn(self, tokens: int) -> None:
        """Wait until a call of so many tokens may start."""
        start = max(self._free_at, self._clock())
        self._free_at = start + max(self._request_s, tokens * self._token_s)
        while (wait_s := max(start, self._held_until) - self._clock()) > 0:
            await self._sleep(wait_s)

    def hold(self, seconds: float) -> None:
        """Start no call for so long: the upstream asked for it."""
        self._held_until = max(self._held_until, self._clock() + seconds)
