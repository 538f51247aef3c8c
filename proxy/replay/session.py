"""One replay: traffic against configurations, with a journal in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from policies.config import Config
from policies.economics import Biller
from proxy.replay.conversations import Conversation, times_s
from proxy.replay.journal import Journal, run_digest
from proxy.replay.outcomes import Replayed, outcomes
from proxy.replay.reading import Traffic
from proxy.replay.run import Reply, replay
from proxy.replay.serving import Stage

Open = Callable[[Config], AbstractContextManager[Stage]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration under trial."""

    name: str
    source: bytes
    """The file's bytes."""
    config: Config


@dataclass(frozen=True, slots=True)
class Session:
    """What is replayed and how it is billed."""

    traffic: Sequence[Traffic]
    billers: Mapping[str, Biller]
    gap_s: float
    shared: bool
    """Whether conversations share a cache: then all are billed together at the end."""
    concurrency: int
    settings: Mapping[str, object]
    """What else outcomes depend on."""

    @property
    def conversations(self) -> list[Conversation]:
        """All of them."""
        return [each for traffic in self.traffic for each in traffic.conversations]

    def run(
        self, candidate: Candidate, open_stage: Open, journal: Journal, advance: Callable[[], None]
    ) -> list[Replayed]:
        """What `candidate` makes of each conversation; `advance` is called as each is done.

        Conversations that the journal knows aren't sent again. Raises `NotServingError`, `UnknownPriceError`.
        """
        every = self.conversations
        account = _Account(self, candidate, journal)
        due = [each for each in every if account.find(each) is None]
        for _ in range(len(every) - len(due)):
            advance()

        def done(conversation: Conversation, replies: Sequence[Reply]) -> None:
            account.enter(conversation, replies)
            advance()

        if due:
            with open_stage(candidate.config) as stage:
                replay(due, stage, self.concurrency, done)
            account.bill()
        return [found for each in every if (found := account.find(each)) is not None]


class _Account:
    """Turns the replies of one candidate into bills, and notes them in the journal."""

    def __init__(self, session: Session, candidate: Candidate, journal: Journal) -> None:
        self._session = session
        self._journal = journal
        self._runs = {
            each.name: run_digest(candidate.source, each.digest, session.settings) for each in session.traffic
        }
        every = session.conversations
        self._times = dict(zip(map(_key, every), times_s(every, session.gap_s), strict=True))
        self._waiting: list[tuple[Conversation, Sequence[Reply]]] = []

    def find(self, conversation: Conversation) -> Replayed | None:
        return self._journal.find(self._runs[conversation.traffic], conversation.name)

    def enter(self, conversation: Conversation, replies: Sequence[Reply]) -> None:
        """Bill the conversation; where caches are shared, only once all are there."""
        self._waiting.append((conversation, replies))
        if not self._session.shared:
            self.bill()

    def bill(self) -> None:
        """Bill what isn't yet."""
        conversations = [conversation for conversation, _ in self._waiting]
        found = outcomes(
            conversations,
            [replies for _, replies in self._waiting],
            [self._times[_key(conversation)] for conversation in conversations],
            self._session.billers,
        )
        for each, its in zip(conversations, found, strict=True):
            self._journal.add(Replayed(self._runs[each.traffic], each.traffic, each.name, its))
        self._waiting.clear()


def _key(conversation: Conversation) -> tuple[str, str]:
    return conversation.traffic, conversation.name
