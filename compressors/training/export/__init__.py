"""Turns a training's weights into a model's folder, with what that loses and a card. Knows no command line.

Cheap to import; `export` imports torch.
"""

from __future__ import annotations

from collections.abc import Callable

from compressors.training.export.order import Comparison, Order, Weights

__all__ = ["Comparison", "Order", "Weights", "export"]


def export(order: Order, preparing: Callable[[str], None], threads: int | None = None) -> Comparison:
    """Write the model's folder; `preparing` hears what is done, `threads` sets torch's.

    Raises `CompressionError` for what can't be used.
    """
    import torch

    from compressors.training.export.run import carry_out

    if threads is not None:
        torch.set_num_threads(threads)
    return carry_out(order, preparing)
