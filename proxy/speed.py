"""How long upstreams need to read a token, learned from how long streams take to begin."""

from __future__ import annotations

from proxy.metrics import UPSTREAM_SECONDS_PER_TOKEN

_WEIGHT = 0.02  # of the newest answer
_FEWEST = 20  # answers before there is an estimate
_MOST_SERIES = 1000
_LEAST_SPREAD = 0.2  # of prompt lengths, relative to their mean; among equal ones no slope can be seen


class _Line:
    """Seconds over tokens as a line, by exponentially weighted least squares."""

    def __init__(self) -> None:
        self._count = 0
        self._x = self._y = self._xx = self._xy = 0.0

    def add(self, tokens: int, seconds: float) -> None:
        self._count += 1
        weight = max(_WEIGHT, 1 / self._count)
        self._x += weight * (tokens - self._x)
        self._y += weight * (seconds - self._y)
        self._xx += weight * (tokens * tokens - self._xx)
        self._xy += weight * (tokens * seconds - self._xy)

    @property
    def slope(self) -> float | None:
        """Seconds per token; None as long as the answers don't tell."""
        spread = self._xx - self._x**2
        if self._count < _FEWEST or spread < (_LEAST_SPREAD * self._x) ** 2:
            return None
        return max((self._xy - self._x * self._y) / spread, 0.0)


class ReadingSpeeds:
    """A line for each upstream and model."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}

    def add(self, upstream: str, model: str, tokens: int, first_byte_s: float) -> None:
        """Take in a streamed answer: the prompt's tokens as sent, and the wait for the first byte."""
        known = (upstream, model)
        if known not in self._lines and len(self._lines) >= _MOST_SERIES:  # callers choose models
            return
        line = self._lines.setdefault(known, _Line())
        line.add(tokens, first_byte_s)
        if (slope := line.slope) is not None:
            UPSTREAM_SECONDS_PER_TOKEN.labels(upstream, model).set(slope)

    def seconds_per_token(self, upstream: str, model: str) -> float | None:
        """What a token of the prompt adds to the wait; None where too little was seen."""
        line = self._lines.get((upstream, model))
        return None if line is None else line.slope
