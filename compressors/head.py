"""From a causal model's hidden states to the surprise of given tokens, never holding tokens × vocabulary.

Owns the way from transformers' models to body and head. Knows no text and no batches.
N: states, V: vocabulary, C: size of a state.
"""

from __future__ import annotations

from typing import Any

import torch

from compressors.errors import CompressionError

_LOGIT_BYTES = {"cpu": 1 << 24}
"""Most logits held at a time, as float32; more would leave a processor's cache."""
_ACCELERATOR_LOGIT_BYTES = 1 << 28
"""The same elsewhere, where small pieces cost more in starting them."""
_TOLERANCE = 0.05


class Head:
    """The last part of a transformers causal language model: whatever holds its output embeddings.

    Raises `CompressionError` for an architecture whose logits it can't reproduce, found by a trial.
    """

    def __init__(self, model: Any) -> None:
        outputs = model.get_output_embeddings()
        parts = [
            part
            for part in model.children()
            if part is not model.base_model and any(module is outputs for module in part.modules())
        ]
        if outputs is None or len(parts) != 1:
            raise CompressionError(f"{type(model).__name__} has no output embeddings of its own")
        config = model.config.get_text_config()
        self._project = parts[0]
        self._scale = float(getattr(config, "logit_scale", None) or 1.0)
        self._scale /= float(getattr(config, "logits_scaling", None) or 1.0)
        self.state_bytes = 0
        """Memory of one state on the device."""
        self._cap: float | None = getattr(config, "final_logit_softcapping", None)
        limit = _LOGIT_BYTES.get(model.device.type, _ACCELERATOR_LOGIT_BYTES)
        self._rows = max(1, limit // (4 * int(config.vocab_size)))
        self._try(model)

    @torch.inference_mode()
    def surprisals(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """−log p of each target (`(N,)` int64) in nats, given the state before it (`(N, C)`); `(N,)` float32."""
        # filled in place: small results that outlive their logits would keep those from being given back
        found = torch.empty(len(states), dtype=torch.float32, device=states.device)
        for start in range(0, len(states), self._rows):
            chunk = slice(start, start + self._rows)
            found[chunk] = self._surprisals(states[chunk], targets[chunk])
        return found

    def _surprisals(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = self._logits(states)  # (N, V) float32
        # in place on a processor, whose cache holds few: each value is read before it is written
        known = torch.log_softmax(logits, -1, out=logits if logits.device.type == "cpu" else None)
        return -known.gather(-1, targets[:, None])[:, 0]

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self._project(states).float()
        if self._scale != 1.0:
            logits = logits * self._scale
        return logits if self._cap is None else torch.tanh(logits / self._cap) * self._cap

    @torch.inference_mode()
    def _try(self, model: Any) -> None:
        ids = torch.arange(1, 5, device=model.device)[None]
        whole = model(input_ids=ids).logits.float()  # (1, 4, V)
        states = model.base_model(input_ids=ids).last_hidden_state  # (1, 4, C)
        self.state_bytes = states[0, 0].nbytes
        own = self._logits(states)
        spread = float(whole.std()) + 1e-6
        if whole.shape != own.shape or float((whole - own).abs().max()) > _TOLERANCE * spread:
            raise CompressionError(f"{type(model).__name__} makes its logits in a way that isn't known here")
