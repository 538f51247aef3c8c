"""Keys and values of a causal model's past, kept in place: grown by halves, cropped without a copy.

Owns memory only. Knows no tokens.
B: rows, H: key-value heads, T: tokens of the past, Q: new tokens, D: size of a head.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

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

    def repeated(self, rows: int, room: int) -> _Slab:
        """A copy of the one row's past for `rows` rows, with room for `room` more tokens."""
        copy = _Slab()  # type: ignore[no-untyped-call]
        copy.lazy_initialization(self.keys, self.values)
        copy.keys, copy.values = (
            buffer.new_empty((rows, buffer.shape[1], self.length + room, buffer.shape[3]))
            for buffer in (self.keys, self.values)
        )
        copy.keys[..., : self.length, :] = self.keys[..., : self.length, :]
        copy.values[..., : self.length, :] = self.values[..., : self.length, :]
        copy.length = self.length
        return copy


class Past(Cache):
    """The past of a causal model as `past_key_values` of transformers; also for sliding-window models.

    Sliding windows are left to the attention mask: a window that forgot could not be cropped.
    """

    def __init__(self, layers: list[Any] | None = None) -> None:
        if layers is None:
            super().__init__(layer_class_to_replicate=_Slab)
        else:
            super().__init__(layers=layers)
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

    def repeated(self, rows: int, room: int) -> Past:
        """A copy of a one-row past for `rows` rows, with room for `room` more tokens."""
        return Past([layer.repeated(rows, room) for layer in self.layers])
