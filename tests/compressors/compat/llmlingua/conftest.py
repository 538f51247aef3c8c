"""Tiny random causal models with the tokenizers of Llama and GPT-2, for the parity mode and the package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2Tokenizer,
    LlamaConfig,
    LlamaTokenizer,
    MistralConfig,
    PhiConfig,
    Qwen2Config,
)
from transformers.convert_slow_tokenizer import generate_merges  # type: ignore[attr-defined]

from compressors.causal import Causal
from compressors.compat import LLMLinguaCompat
from tests.fakes import package as oracle

SHARED = Path(__file__).parents[5] / "shared" / "data" / "tokenizers"
"""Beside the checkout on the machines that have it; tests make do with generated ones elsewhere."""
WINDOWS = {"llama": 2048, "llama-short": 160, "mistral": 2048, "gpt2": 1024, "phi": 2048, "qwen2": 2048}
SLIDING = {"mistral": 128}
"""Tokens that a layer looks back on, where that is less than all."""
LAYERS = 2
_SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "initializer_range": 0.3,  # spreads the surprises, which are all alike otherwise
}
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?()'\"-_/%$+*=<>#@&|[]{}"
_WORDS = ["the", "committee", "of", "isn't", "agreed", "upon", "really", "Who", "was", "it", "and", "or"]


def _spelled_out(words: list[str]) -> list[str]:
    """Each word's beginnings of two letters and more, so that merges lead to it."""
    return [word[:end] for word in words for end in range(2, len(word) + 1)]


def _llama_tokenizer() -> Any:
    """Llama 2's tokenizer where there is one, else a small one of the same layout."""
    path = SHARED / "llama-2" / "tokenizer.model"
    if path.exists():
        from sentencepiece import SentencePieceProcessor

        pieces = SentencePieceProcessor(model_file=str(path))
        vocabulary = {pieces.id_to_piece(i): i for i in range(len(pieces))}
        scores = {piece: pieces.get_score(i) for piece, i in vocabulary.items()}
        merges = generate_merges(vocabulary, scores)
    else:
        entries = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *_LETTERS]
        entries += dict.fromkeys(_spelled_out([f"▁{word}" for word in _WORDS]))
        vocabulary = {entry: i for i, entry in enumerate(dict.fromkeys(entries))}
        merges = [(word[:-1], word[-1]) for word in _spelled_out([f"▁{word}" for word in _WORDS])]
    return LlamaTokenizer(vocab=vocabulary, merges=merges, add_bos_token=True)


def _gpt2_tokenizer() -> Any:
    """GPT-2's tokenizer where there is one, else a small one of the same layout."""
    path = SHARED / "gpt2"
    if path.exists():
        return GPT2Tokenizer.from_pretrained(str(path))
    spelled = _spelled_out([f"Ġ{word}" for word in _WORDS])
    entries = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *dict.fromkeys(spelled), "<|endoftext|>"]
    merges = [(word[:-1], word[-1]) for word in dict.fromkeys(spelled)]
    return GPT2Tokenizer(vocab={entry: i for i, entry in enumerate(entries)}, merges=merges)  # type: ignore[arg-type]


def _config(kind: str, words: int) -> Any:
    options = {**_SIZES, "vocab_size": words, "max_position_embeddings": WINDOWS[kind]}
    if kind == "gpt2":
        sizes: dict[str, Any] = {"n_embd": 16, "n_layer": LAYERS, "n_head": 2, "n_positions": WINDOWS[kind]}
        return GPT2Config(vocab_size=words, initializer_range=0.3, **sizes)
    if kind == "mistral":
        return MistralConfig(num_key_value_heads=1, sliding_window=SLIDING[kind], **options)
    makers: dict[str, Any] = {"llama": LlamaConfig, "llama-short": LlamaConfig, "phi": PhiConfig}
    makers["qwen2"] = Qwen2Config
    grouped = {} if kind == "phi" else {"num_key_value_heads": 1}
    return makers[kind](bos_token_id=1, eos_token_id=2, **grouped, **options)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Models so small gain nothing by several threads, and lose all where a processor is busy otherwise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def causal_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with a tiny random causal model, by its name in `WINDOWS`."""
    made: dict[str, Path] = {}
    tokenizers: dict[str, Any] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            make = _llama_tokenizer if kind in ("llama", "llama-short", "mistral") else _gpt2_tokenizer
            tokenizer = tokenizers.setdefault(make.__name__, None) or make()
            tokenizers[make.__name__] = tokenizer
            torch.manual_seed(0)
            made[kind] = tmp_path_factory.mktemp("causal") / kind
            AutoModelForCausalLM.from_config(_config(kind, len(tokenizer))).save_pretrained(made[kind])  # type: ignore[no-untyped-call]
            tokenizer.save_pretrained(made[kind])
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def compat(causal_folder: Callable[[str], Path]) -> Callable[[str], LLMLinguaCompat]:
    """The parity mode with a tiny model."""
    made: dict[str, LLMLinguaCompat] = {}

    def compressor(kind: str) -> LLMLinguaCompat:
        if kind not in made:
            folder = causal_folder(kind)
            model = AutoModelForCausalLM.from_pretrained(folder).eval().requires_grad_(False)  # type: ignore[no-untyped-call]
            causal = Causal(model, window=WINDOWS[kind], batch_tokens=512)
            made[kind] = LLMLinguaCompat(
                AutoTokenizer.from_pretrained(folder), causal, kind, split=oracle.split
            )
        return made[kind]

    return compressor


@pytest.fixture(scope="session")
def package(causal_folder: Callable[[str], Path]) -> Iterator[Callable[[str], Any]]:
    """The package's compressor with a tiny model."""
    made: dict[str, Any] = {}
    with oracle.installed() as llmlingua:

        def compressor(kind: str) -> Any:
            if kind not in made:
                made[kind] = oracle.compressor(llmlingua, causal_folder(kind))
            return made[kind]

        yield compressor
