"""`load`: from a method's name to a compressor. Imports torch only when called."""

from __future__ import annotations

from compressors.base import CompressionError, Compressor
from compressors.identity import UNREADABLE_SHARE, fingerprint, folder_of

METHODS = ("llmlingua2",)
COMPATIBLE = ("0.2.2",)
"""Versions of the `llmlingua` package whose decisions can be reproduced."""


def load(
    method: str,
    model: str = "embedded",
    device: str = "auto",
    dtype: str | None = None,
    compat: str | None = None,
    *,
    trust_remote_code: bool = False,
    revision: str | None = None,
    unreadable_share: float = UNREADABLE_SHARE,
    threads: int | None = None,
    batch_tokens: int | None = None,
) -> Compressor:
    """A compressor of `method` with `model`: `embedded`, a folder, or a name on the Hugging Face hub.

    `device` is `auto` or torch's name of one; `dtype` is float32 (the default), bfloat16 or float16.
    `compat="0.2.2"` reproduces the llmlingua package and gives a `PromptCompressor`. A text is left
    whole if more than `unreadable_share` of its letters can't be read. `threads` sets torch's CPU
    threads, of the whole process. `batch_tokens` bounds one forward pass (512 on a CPU, where more is
    slower; 65,536 elsewhere).

    Raises `CompressionError` if the method is unknown or the model can't be loaded.
    """
    if method not in METHODS:
        raise CompressionError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
    if compat not in (None, *COMPATIBLE):
        raise CompressionError(f"can't be compatible with {compat!r}; known are {', '.join(COMPATIBLE)}")
    import torch  # only now: the proxy imports this module and must stay light

    from compressors.checkpoint import extend_vocabulary, load_checkpoint
    from compressors.compat import PLACEHOLDERS, LLMLingua2Compat
    from compressors.encoder import Encoder
    from compressors.llmlingua2 import LLMLingua2
    from compressors.reading import Reader

    if threads is not None:
        torch.set_num_threads(threads)
    checkpoint = load_checkpoint(
        model,
        "classifier",
        folder=folder_of(method, model),
        device=device,
        dtype=dtype,
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
    if batch_tokens is None:
        batch_tokens = 512 if checkpoint.device.type == "cpu" else 65536
    name = fingerprint(method, model, dtype, revision, compat=compat, unreadable_share=unreadable_share)
    encoder = Encoder(checkpoint.model, checkpoint.tokenizer.pad_token_id or 0, batch_tokens)
    if compat is not None:
        special_tokens = extend_vocabulary(checkpoint, PLACEHOLDERS)
        return LLMLingua2Compat(checkpoint.tokenizer, special_tokens, encoder, name)
    return LLMLingua2(
        Reader(checkpoint.tokenizer, checkpoint.window),
        encoder,
        name,
        literacy=checkpoint.literacy,
        unreadable_share=unreadable_share,
    )
