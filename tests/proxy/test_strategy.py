"""A policy's strategy is the compressors': the same names, the same defaults, the same bounds."""

from __future__ import annotations

from dataclasses import asdict

import pytest

import compressors
from policies import rules


def test_names_and_defaults_are_the_same() -> None:
    assert rules.Strategy().model_dump() == asdict(compressors.Strategy())


@pytest.mark.parametrize(
    "fields",
    [
        {"order": "random"},
        {"condition": "during"},
        {"rankers": ()},
        {"dynamic_ratio": 1.5},
        {"sentence_budget": 0},
        {"segment_tokens": 1},
        {"document_budget": "+x"},
    ],
)
def test_what_one_refuses_the_other_does(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        rules.Strategy.model_validate(fields)
    with pytest.raises(compressors.CompressionError):
        compressors.Strategy(**fields)  # type: ignore[arg-type]
