"""A streamed answer, event by event: the text of each choice is recovered, all else passes as it came.

Bytes in, bytes out; knows the time only as a number, and no sockets.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.dialects.chat_answers import ChatAnswer, parse_event

if TYPE_CHECKING:
    from compressors import recover

HOLD_S = 0.2
"""Longest time that a text is held back."""
_LARGEST_EVENT = 2**20
_EVENT_END = re.compile(rb"(?>\r\n|\n|\r(?!\Z)){2}")
_DONE = re.compile(rb"data: ?\[DONE\]")


@dataclass(slots=True)
class _Choice:
    """The text of one choice."""

    stream: recover.RecoveryStream
    model: tuple[ChatAnswer, int] | None = None
    """Its last event and its place in it: what is given out later looks like this."""
    unsent: str = ""
    """What was held back, as it came."""
    arrivals: deque[tuple[float, int]] = field(default_factory=deque)
    """When how many characters of `unsent` came."""

    def note(self, text: str, now: float) -> None:
        """Keep account of what is held back after `text`."""
        held = self.stream.held
        self.unsent = (self.unsent + text)[-held:] if held else ""
        self.arrivals.append((now, len(text)))
        excess = sum(size for _, size in self.arrivals) - held
        while self.arrivals and self.arrivals[0][1] <= excess:
            excess -= self.arrivals.popleft()[1]

    def event(self, text: str) -> bytes:
        """An event that says `text`; nothing for no text."""
        if not text or self.model is None:
            return b""
        answer, place = self.model
        contents = {number: "" for number, said in enumerate(answer.choices) if said.content is not None}
        return answer.with_contents(contents | {place: text})


class RecoveredEvents:
    """One stream of events on its way to the caller."""

    def __init__(self, recovery: recover.Recovery) -> None:
        self._recovery = recovery
        self._choices: dict[str, _Choice] = {}
        self._buffer = b""  # an event that isn't complete
        self._out: list[bytes] = []

    @property
    def deadline(self) -> float | None:
        """When `expire` must be called; None while nothing is held back."""
        return min((c.arrivals[0][0] + HOLD_S for c in self._choices.values() if c.arrivals), default=None)

    def feed(self, data: bytes, now: float, *, last: bool = False) -> bytes:
        """Take the next bytes of the stream; returns what can be sent. After an exception, `surrender`."""
        self._buffer += data
        while end := _EVENT_END.search(self._buffer):
            self._pass(self._buffer[: end.end()], now)
            self._buffer = self._buffer[end.end() :]
        if len(self._buffer) > _LARGEST_EVENT:
            raise ValueError("an event is too large")
        if last:
            for choice in self._choices.values():
                self._give(choice, choice.stream.flush())
            self._out.append(self._buffer)
            self._buffer = b""
        return self._sent()

    def expire(self, now: float) -> bytes:
        """Give out what has been held back for too long."""
        for choice in self._choices.values():
            if choice.arrivals and choice.arrivals[0][0] + HOLD_S <= now:
                self._give(choice, choice.stream.release())
        return self._sent()

    def surrender(self) -> bytes:
        """All that was taken and not yet sent, as it came."""
        self._out += [choice.event(choice.unsent) for choice in self._choices.values()]
        self._out.append(self._buffer)
        return self._sent()

    def _choice(self, index: str) -> _Choice:
        if index not in self._choices:
            self._choices[index] = _Choice(self._recovery.stream())
        return self._choices[index]

    def _sent(self) -> bytes:
        out, self._out = b"".join(self._out), []
        return out

    def _give(self, choice: _Choice, text: str) -> None:
        self._out.append(choice.event(text))
        choice.unsent = ""
        choice.arrivals.clear()

    def _pass(self, event: bytes, now: float) -> None:
        """Send an event, after what it must not overtake."""
        answer = parse_event(event)
        if answer is None or not answer.choices:
            ends = _DONE.search(event) is not None
            for choice in self._choices.values():
                self._give(choice, choice.stream.flush() if ends else choice.stream.release())
            self._out.append(event)
            return
        changed: dict[int, str] = {}
        for number, said in enumerate(answer.choices):
            choice = self._choice(said.choice)
            if said.content is None:
                self._give(choice, choice.stream.flush())
                continue
            out = choice.stream.feed(said.content.text) + (choice.stream.flush() if said.ends else "")
            if out != said.content.text:
                changed[number] = out
        self._out.append(answer.with_contents(changed) if changed else event)
        for number, said in enumerate(answer.choices):
            if said.content is not None:
                self._choices[said.choice].model = answer, number
                self._choices[said.choice].note(said.content.text, now)
