"""The names under which a request's texts and its conversation are remembered.

Knows keys and arrival groups; neither stores nor what a decision is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby

from policies.groups import Text, arrivals
from policies.tool_definitions import TOOLS
from proxy.store.conversation import Terms
from proxy.store.decision import Keys

TOOLS_NUMBER = 2**32 - 1


class History:
    """The texts of one request, each named by a keyed hash of its role and words."""

    def __init__(self, texts: Sequence[Text], scope: Keys) -> None:
        self.texts = texts
        self._scope = scope
        by_role = {role: scope.within(b"text", role.encode()) for role in {text.role for text in texts}}
        self._names = [
            by_role[text.role].digest(text.text.encode("utf-8", "surrogatepass")) for text in texts
        ]

    @cached_property
    def turns(self) -> dict[int, bytes]:
        """For each arrival group with texts, the key of the conversation as it stood when the group had arrived.

        It tells apart conversations that differ in anything said before, by whomever. Tools are not said.
        """
        return {group: moments[-1] for group, moments in self._moments.items()}

    @property
    def halfway(self) -> Sequence[bytes]:
        """The keys of the conversation as it may have stood when only the first texts of the newest group had come.

        The latest is first. A request that was never answered is followed by one whose group has grown.
        """
        return self._moments[self.last][-2::-1]

    @cached_property
    def _moments(self) -> dict[int, list[bytes]]:
        """For each arrival group the keys of the conversation after each of its texts."""
        keys = self._scope.within(b"conversation")
        found = {}
        for group, members in groupby(range(len(self.texts)), key=lambda place: self.texts[place].group):
            places = [place for place in members if self.texts[place].role != TOOLS]
            moments = [keys]
            for place in places:
                if self.texts[place].role != "assistant":
                    moments.append(moments[-1].within(self._names[place]))
            found[group] = [moment.digest() for moment in moments[1:] or moments]
            answers = (self._names[place] for place in places if self.texts[place].role == "assistant")
            keys = moments[-1].within(*answers)
        return found

    @property
    def first(self) -> int:
        """The first arrival group with texts."""
        return self.texts[0].group

    @property
    def last(self) -> int:
        """The newest arrival group with texts."""
        return self.texts[-1].group

    def number(self, place: int) -> int:
        """The number by which the conversation remembers the text at `place`, whether tools come before it or not."""
        return TOOLS_NUMBER if self.texts[place].role == TOOLS else place - self._tools

    def place(self, number: int) -> int | None:
        """The place of the text with a number; None if the request has no such text."""
        if number == TOOLS_NUMBER:
            return 0 if self._tools else None
        return number + self._tools if number + self._tools < len(self.texts) else None

    @property
    def _tools(self) -> int:
        return int(self.texts[0].role == TOOLS)

    def key_as_it_came(self, place: int, plain: bytes) -> bytes:
        """Under which key this worker keeps the counts of a text that isn't shortened."""
        return self._scope.within(b"as it came", plain).digest(self._names[place])

    def keys(self, terms: Terms, places: Iterable[int]) -> dict[int, tuple[bytes, ...]]:
        """Under which keys the decisions about the texts at `places` may stand, the likeliest first.

        Texts up to a `cache_control` mark are to be the same whatever is asked after them, so they are decided
        by themselves. Marks move on: a text that lies before one now may have been decided before it did.
        """
        within = self._scope.within(terms.digest)
        if not terms.by_group:
            return {place: (within.digest(self._names[place]),) for place in places}
        alone = within.within(b"alone")
        grouped = self._grouped(within)
        return {place: tuple(self._candidates(place, grouped[place], alone)) for place in places}

    def _candidates(self, place: int, grouped: bytes, alone: Keys) -> Iterator[bytes]:
        text = self.texts[place]
        if not text.marked:
            yield grouped
            return
        if text.group < self.last:
            yield grouped
        yield alone.digest(self._names[place])

    def _grouped(self, within: Keys) -> list[bytes]:
        """For each text a key that also depends on all that arrived with it."""
        keys: list[bytes] = []
        for (_, members), arrived in zip(
            groupby(range(len(self.texts)), key=lambda place: self.texts[place].group),
            arrivals(self.texts),
            strict=True,
        ):
            group = within.within(*(self._names[place] for place in arrived))
            keys += (
                group.within(number.to_bytes(4, "little")).digest(self._names[place])
                for number, place in enumerate(members)
            )
        return keys
