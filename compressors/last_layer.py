"""No more of a causal model's last layer than what is looked at.

Owns which part of the layer that is: its feed-forward block, which looks at each token alone. Keys and values of all
tokens are made before it. Knows transformers' models, but no tokens.
B: sequences in a batch, L: tokens of the longest, C: size of a state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional

_BLOCKS = (("mlp",), ("intermediate", "output"))
"""What feed-forward blocks are made of, by their names in a layer of transformers."""
_TOLERANCE = 1e-2


class LastLayer:
    """Leaves the feed-forward block of a model's last layer out for tokens whose states nobody looks at.

    A model whose layers aren't known, or that gives other states then, computes all of it.
    """

    def __init__(self, model: Any) -> None:
        self._first = 0
        self._width = 0
        parts = _block(model)
        hooks = [part.register_forward_pre_hook(self._cut) for part in parts]
        if parts:
            hooks.append(parts[-1].register_forward_hook(self._fill))
        if hooks and not self._agrees(model.base_model):
            for hook in hooks:
                hook.remove()

    @contextmanager
    def seen_from(self, first: int, width: int) -> Iterator[None]:
        """A context in which the states before token `first` of sequences of `width` tokens are left open."""
        self._first, self._width = min(first, width - 1), width
        try:
            yield
        finally:
            self._first = 0

    def _cut(self, _: torch.nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(part[:, self._first :].contiguous() if self._is_whole(part) else part for part in given)

    def _fill(self, _: torch.nn.Module, given: tuple[Any, ...], made: Any) -> Any:
        return functional.pad(made, (0, 0, self._first, 0)) if self._first else made  # (B, L, C)

    def _is_whole(self, part: Any) -> bool:
        return (
            self._first > 0
            and isinstance(part, torch.Tensor)
            and part.dim() == 3
            and part.shape[1] == self._width
        )

    @torch.inference_mode()
    def _agrees(self, body: Any) -> bool:
        ids = torch.arange(1, 7, device=body.device).expand(2, -1)
        whole = body(input_ids=ids).last_hidden_state[:, 3:].float()
        try:
            with self.seen_from(3, 6):
                part = body(input_ids=ids).last_hidden_state[:, 3:].float()
        except (
            AttributeError,
            IndexError,
            RuntimeError,
            TypeError,
        ):  # the block gives or takes something else
            return False
        return torch.allclose(part, whole, rtol=_TOLERANCE, atol=_TOLERANCE)


def _block(model: Any) -> list[torch.nn.Module]:
    """The parts of the last layer's feed-forward block, in order; none if they aren't known."""
    count = getattr(model.config.get_text_config(), "num_hidden_layers", None)
    stacks = [
        part
        for part in model.base_model.modules()
        if isinstance(part, torch.nn.ModuleList) and len(part) == count
    ]
    if len(stacks) != 1:
        return []
    children = dict(stacks[0][-1].named_children())
    return next(([children[name] for name in names] for names in _BLOCKS if set(names) <= set(children)), [])
