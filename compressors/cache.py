"""Keys and values of a causal model's past: of a stream, kept in place; of a prefix, shared by a batch's rows.

Owns memory only. Knows no tokens.
B: rows, H: key-value heads, T: tokens of the past, Q: new tokens, D: size of a head.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

_FIRST = 256


class _Slab(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's past in a buffer with room to grow; `update` writes behind it and gives views."""

    length = 0
    keys: Any
    values: Any

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the states of new tokens, `(B, H, Q, D)`; gives those of all, `(B, H, T+Q, D)`."""
        end = self.length + key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = (
                states.new_empty((*states.shape[:-2], max(end, _FIRST), states.shape[-1]))
                for states in (key_states, value_states)
            )
        elif end > self.keys.shape[-2]:
            self.keys, self.values = (self._grown(buffer, end) for buffer in (self.keys, self.values))
        self.keys[..., self.length : end, :] = key_states
        self.values[..., self.length : end, :] = value_states
        self.length = end
        return self.keys[..., :end, :], self.values[..., :end, :]

    def _grown(self, buffer: torch.Tensor, end: int) -> torch.Tensor:
        larger = buffer.new_empty((*buffer.shape[:-2], end + end // 2, buffer.shape[-1]))
        larger[..., : self.length, :] = buffer[..., : self.length, :]
        return larger

    def get_seq_length(self) -> int:
        """Tokens of the past."""
        return self.length


class Past(Cache):
    """The past of a causal model as `past_key_values` of transformers; also for sliding-window models.

    Sliding windows are left to the attention mask: a window that forgot could not be cropped.
    """

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=_Slab)
        self.layers: list[Any]

    @property
    def length(self) -> int:
        """Tokens that it holds."""
        return self.layers[0].length if self.layers else 0

    def keep(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        for layer in self.layers:
            layer.length = min(length, layer.length)

    @torch.inference_mode()  # where the buffers were made
    def drop(self, first: int, count: int) -> None:
        """Forget `count` tokens from place `first` on, or as many as there are; those after them close up."""
        for layer in self.layers:
            start, stop = min(first, layer.length), min(first + count, layer.length)
            end = layer.length - (stop - start)
            for buffer in (layer.keys, layer.values):
                buffer[..., start:end, :] = buffer[..., stop : layer.length, :].clone()
            layer.length = end

    @property
    def nbytes(self) -> int:
        """Memory that it takes on the model's device."""
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.layers)


class _Behind(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer of new tokens behind the past that all rows share, if any; stores nothing."""

    def __init__(self, shared: Any = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shared = shared

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put the states of new tokens, `(B, H, Q, D)`, behind the shared ones; `(B, H, T+Q, D)`."""
        if self.shared is None:
            return key_states, value_states
        rows = len(key_states)
        return (
            torch.cat((self.shared.keys.expand(rows, -1, -1, -1), key_states), dim=-2),
            torch.cat((self.shared.values.expand(rows, -1, -1, -1), value_states), dim=-2),
        )

    def get_seq_length(self) -> int:
        """Tokens of the shared past."""
        return 0 if self.shared is None else int(self.shared.keys.shape[-2])


class Behind(Cache):
    """What a batch reads behind: nothing, or the past of one prefix. Each layer's keys and values live only
    while that layer is computed.

    Also given where there is no prefix: without a cache transformers looks for packed sequences, and waits for
    the device to do so.
    """

    def __init__(self, prefix: Prefix | None = None) -> None:
        if prefix is None:
            super().__init__(layer_class_to_replicate=_Behind)
        else:
            super().__init__(layers=[_Behind(layer) for layer in prefix.layers])


class Prefix(DynamicCache):
    """The past of a prefix, one row, no larger than it has to be."""

    layers: list[Any]

    @property
    def nbytes(self) -> int:
        """Memory that it takes on the model's device."""
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.layers)
