"""`load`: from a method's name to a compressor. Imports torch only when called."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from compressors.base import Compressor
from compressors.errors import CompressionError
from compressors.identity import UNREADABLE_SHARE, fingerprint, folder_of

if TYPE_CHECKING:
    from compressors.checkpoint import Checkpoint
    from compressors.ranking import Ranker

METHODS = ("llmlingua2", "llmlingua", "longllmlingua")
COMPATIBLE = ("0.2.2",)
"""Versions of the `llmlingua` package whose decisions can be reproduced."""
EIGHT_BITS = "int8"


def devices(device: str) -> list[str]:
    """The devices that a list such as `cuda:0,cuda:1` names; `auto` stands for every GPU there is. Imports torch."""
    from compressors.checkpoint import all_devices

    return all_devices(device)


def has_accelerator(device: str = "auto") -> bool:
    """Whether `device`, as `devices` takes it, is more than the machine's processor; `auto` imports torch."""
    if device != "auto":
        return not device.startswith("cpu")
    from compressors.checkpoint import choose_device

    return choose_device(device).type != "cpu"


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
    """A compressor of `method` with `model`: `embedded`, a folder, a name on the Hugging Face hub, or `shape:NAME`.

    A shape has random weights, for measuring; `shape:NAME@FOLDER` gives it another tokenizer.

    `device` is `auto` or torch's name of one; `dtype` is float32, bfloat16, float16, or int8 for BERT-like token
    classifiers on a CPU; by default float32 on a CPU and half precision on a GPU.
    `compat="0.2.2"` reproduces the llmlingua package and gives a `PromptCompressor`. A text is left
    whole if more than `unreadable_share` of its letters can't be read. `threads` sets torch's CPU
    threads, of the whole process. `batch_tokens` bounds one forward pass; by default what suits
    the device.

    Raises `CompressionError` if the method is unknown or the model can't be loaded.
    """
    if method not in METHODS:
        raise CompressionError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
    if compat not in (None, *COMPATIBLE):
        raise CompressionError(f"can't be compatible with {compat!r}; known are {', '.join(COMPATIBLE)}")
    import torch  # only now: the proxy imports this module and must stay light

    from compressors.checkpoint import load_checkpoint

    if threads is not None:
        torch.set_num_threads(threads)
    checkpoint = load_checkpoint(
        model,
        "classifier" if method == "llmlingua2" else "causal",
        folder=folder_of(method, model),
        device=device,
        dtype=_loaded_dtype(method, dtype, compat),
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
    name = fingerprint(method, model, dtype, revision, compat=compat, unreadable_share=unreadable_share)
    if method == "llmlingua2":
        eight_bits = dtype == EIGHT_BITS
        return _classifying(
            checkpoint, model, name, compat, unreadable_share, batch_tokens, eight_bits, trust_remote_code
        )
    if dtype == EIGHT_BITS:
        raise CompressionError("int8 is for llmlingua2; causal models take float32, bfloat16 or float16")
    return _causal(checkpoint, method, name, compat, unreadable_share, batch_tokens, trust_remote_code)


def _loaded_dtype(method: str, dtype: str | None, compat: str | None) -> str | None:
    """What the checkpoint is loaded in; parity with the package needs its float32."""
    parity = dtype is None and compat is not None and method == "llmlingua2"
    return "float32" if parity or dtype == EIGHT_BITS else dtype


def _classifying(
    checkpoint: Checkpoint,
    model: str,
    name: str,
    compat: str | None,
    unreadable_share: float,
    batch_tokens: int | None,
    eight_bits: bool,
    trust_remote_code: bool,
) -> Compressor:
    from compressors.checkpoint import extend_vocabulary
    from compressors.compat import PLACEHOLDERS, LLMLingua2Compat
    from compressors.encoder import encoder
    from compressors.llmlingua2 import LLMLingua2
    from compressors.questions import Questions
    from compressors.reading import Reader

    if batch_tokens is None:
        halves = checkpoint.model.dtype.itemsize == 2  # twice as many fit into a cache
        batch_tokens = 16384 if checkpoint.device.type != "cpu" else 1024 if halves else 512
    special_tokens = frozenset() if compat is None else extend_vocabulary(checkpoint, PLACEHOLDERS)
    pad_id = checkpoint.tokenizer.pad_token_id or 0
    runs = encoder(checkpoint.model, pad_id, batch_tokens, eight_bits=eight_bits)
    if compat is not None:
        return LLMLingua2Compat(checkpoint.tokenizer, special_tokens, runs, name)
    reader = Reader(checkpoint.tokenizer, checkpoint.window)
    return LLMLingua2(
        reader,
        runs,
        name,
        model=model,
        questions=Questions(reader, checkpoint.question_tokens) if checkpoint.question_tokens else None,
        rankers=_rankers(checkpoint, trust_remote_code),
        literacy=checkpoint.literacy,
        unreadable_share=unreadable_share,
        device=str(checkpoint.device),
        batch_tokens=batch_tokens,
    )


def _causal(
    checkpoint: Checkpoint,
    method: str,
    name: str,
    compat: str | None,
    unreadable_share: float,
    batch_tokens: int | None,
    trust_remote_code: bool,
) -> Compressor:
    from compressors.causal import Causal
    from compressors.llmlingua import LLMLingua
    from compressors.longllmlingua import LongLLMLingua
    from compressors.packing import pack
    from compressors.reading import Reader

    if batch_tokens is None:
        batch_tokens = 1024 if checkpoint.device.type == "cpu" else 8192
    pack(checkpoint.model)
    causal = Causal(checkpoint.model, window=checkpoint.window, batch_tokens=batch_tokens)
    if compat is not None:
        from compressors.compat import LLMLinguaCompat

        positions = getattr(checkpoint.model.config, "max_position_embeddings", None)  # all that are declared
        return LLMLinguaCompat(checkpoint.tokenizer, causal, name, method=method, window=positions)
    reader = Reader(checkpoint.tokenizer, checkpoint.window)
    options: dict[str, Any] = {
        "start": reader.start,
        "literacy": checkpoint.literacy,
        "unreadable_share": unreadable_share,
    }
    if method == "llmlingua":
        return LLMLingua(reader, causal, name, **options)
    return LongLLMLingua(reader, causal, name, rankers=_rankers(checkpoint, trust_remote_code), **options)


def _rankers(checkpoint: Checkpoint, trust_remote_code: bool) -> Callable[[str], Ranker]:
    """Gives rankers by name, on the device of the checkpoint."""
    from compressors.ranking import load_ranker

    return partial(load_ranker, device=str(checkpoint.device), trust_remote_code=trust_remote_code)
