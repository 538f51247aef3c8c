"""What a training computes in."""

from __future__ import annotations

import pytest
import torch

from compressors.training.precision import choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("dot_products", "tiles", "expected"),
    [(False, False, "float32"), (True, False, "bfloat16"), (False, True, "bfloat16")],
)
def test_a_cpu_takes_bfloat16_if_it_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, dot_products: bool, tiles: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: dot_products)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert choose_precision("auto", CPU) == expected


def test_what_is_asked_for_is_taken() -> None:
    assert choose_precision("bfloat16", CPU) == "bfloat16"
    assert choose_precision("float32", CPU) == "float32"
