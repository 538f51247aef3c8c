"""Passages to build prompts from, and what a reader would see of what was found in them."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from policies.documents import Found, find
from policies.protection.spans import subtract
from policies.rules import Documents

PASSAGES = (
    "Refunds are granted within thirty days of delivery if the goods are unused and in their original packaging.\n"
    "The receipt must be shown; without it the shop gives a voucher over the lowest price of the last quarter.",
    "Shipping to islands takes five more working days, which the customer is told before the order is confirmed.\n"
    "Parcels that weigh more than thirty kilograms go by a carrier that rings up to arrange a day for delivery.",
    "Gift cards can't be returned. Their value never expires, and they can be combined with any other offer.\n"
    "A lost card is replaced if its number is known; the shop never asks for it by mail or on the telephone.",
)
QUESTION = "How long does a refund take?"
AUTO = Documents()


def documents(text: str, rule: Documents = AUTO) -> list[str]:
    """The documents as they stand in the text."""
    return contents(text, find(text, rule))


def contents(text: str, found: Found) -> list[str]:
    return [text[slice(*document.span)] for document in found.documents]


def heads(text: str, found: Found) -> list[list[str]]:
    """The heads of each document, without white space at their ends."""
    return [[text[start:end].strip() for start, end in document.heads] for document in found.documents]


def bodies(text: str, found: Found) -> list[str]:
    """What may be shortened of each document, without white space at its ends."""
    return [
        "".join(text[start:end] for start, end in subtract([document.span], document.heads)).strip()
        for document in found.documents
    ]


def question(text: str, rule: Documents = AUTO) -> str | None:
    found = find(text, rule).question
    return None if found is None else text[slice(*found)]


def kept(text: str, found: Found, keep: Collection[int]) -> str:
    """`text` with only the documents numbered in `keep`, each but the first behind the separator before it."""
    spans = [document.span for document in found.documents]
    gaps = [""] + [text[left[1] : right[0]] for left, right in pairwise(spans)]
    chosen = [number for number in range(len(spans)) if number in keep]
    middle = "".join(
        (gaps[number] if place else "") + text[slice(*spans[number])] for place, number in enumerate(chosen)
    )
    return text[: spans[0][0]] + middle + text[spans[-1][1] :]


def check(text: str, found: Found) -> None:
    """What holds of anything found in any text."""
    end = 0
    for document in found.documents:
        start, stop = document.span
        assert end <= start < stop <= len(text)
        assert text[start:stop].strip()
        at = start
        for head in document.heads:
            assert at <= head[0] < head[1] <= stop
            at = head[1]
        end = stop
    if found.question is not None:
        start, stop = found.question
        assert 0 <= start < stop <= len(text)
        assert text[start:stop] == text[start:stop].strip()
        assert any(map(str.isalnum, text[start:stop]))
