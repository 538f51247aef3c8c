"""Compressors to test with: the embedded one, and tiny random models with real tokenizers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForTokenClassification,
    BertTokenizer,
    DistilBertConfig,
    DistilBertForTokenClassification,
    ModernBertConfig,
    ModernBertForTokenClassification,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForTokenClassification,
)

import compressors
from compressors.identity import EMBEDDED
from tests.fakes.causal import save

REAL_TOKENIZERS = Path(__file__).parents[3] / "shared" / "data" / "tokenizers"
"""Beside the checkout on the machines that have it; tests make do with generated ones elsewhere."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_OTHERS = "あいうえおかきくけこ日本語中文東京한국어абвгдежз.,;:!?()'\"-_/%$+*=<>#@&"
_WORDS = ["the", "of", "and", "to", "in", "is", "that", "it", "was", "for", "on", "are", "with", "this"]


def _bert_tokenizer(*, lower: bool) -> Any:
    """The real multilingual vocabulary where there is one, else a small one of letters and words."""
    if lower:
        return AutoTokenizer.from_pretrained(EMBEDDED["llmlingua2"])
    path = REAL_TOKENIZERS / "bert-base-multilingual-cased" / "vocab.txt"
    if path.exists():
        entries = path.read_text(encoding="utf-8").splitlines()
    else:
        pieces = [*_LETTERS, *_OTHERS]
        entries = [
            "[PAD]",
            "[UNK]",
            "[CLS]",
            "[SEP]",
            "[MASK]",
            *pieces,
            *(f"##{p}" for p in pieces),
            *_WORDS,
        ]
    return BertTokenizer(vocab={entry: i for i, entry in enumerate(entries)}, do_lower_case=False)


def _xlm_roberta_tokenizer() -> Any:
    path = REAL_TOKENIZERS / "xlm-roberta" / "tokenizer.json"
    if path.exists():
        backend = Tokenizer.from_file(str(path))
    else:
        pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *_LETTERS, *_OTHERS, *(f"▁{w}" for w in _WORDS)]
        scores = [(piece, -float(i) / 10) for i, piece in enumerate(pieces)]
        backend = Tokenizer(models.Unigram([*scores, ("<mask>", 0.0)], unk_id=3, byte_fallback=False))
        backend.normalizer = normalizers.NFKC()
        backend.pre_tokenizer = pre_tokenizers.Metaspace()
        backend.decoder = decoders.Metaspace()
        backend.post_processor = TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
        model_max_length=512,
    )


def _byte_level_tokenizer() -> Any:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *alphabet]
    backend = Tokenizer(models.BPE({entry: i for i, entry in enumerate(entries)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend, model_max_length=256, **names
    )


_SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def _tiny(kind: str) -> tuple[Any, Any]:
    if kind == "xlm-roberta":
        tokenizer = _xlm_roberta_tokenizer()
        config: Any = XLMRobertaConfig(
            vocab_size=len(tokenizer), max_position_embeddings=514, pad_token_id=1, bos_token_id=0, **_SMALL
        )
        return XLMRobertaForTokenClassification(config), tokenizer
    if kind == "modernbert":
        tokenizer = _byte_level_tokenizer()
        config = ModernBertConfig(
            vocab_size=len(tokenizer), max_position_embeddings=256, pad_token_id=0, **_SMALL
        )
        return ModernBertForTokenClassification(config), tokenizer
    tokenizer = _bert_tokenizer(lower=kind != "mbert")
    if kind == "distilbert":
        config = DistilBertConfig(vocab_size=len(tokenizer), dim=16, hidden_dim=32, n_layers=2, n_heads=2)
        return DistilBertForTokenClassification(config), tokenizer
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=512, **_SMALL)
    return BertForTokenClassification(config), tokenizer


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with a tiny random model: bert, mbert, distilbert, xlm-roberta or modernbert."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            torch.manual_seed(0)
            model, tokenizer = _tiny(kind)
            with torch.no_grad():  # spread the probabilities, which are all near 0.5 otherwise
                model.classifier.weight.normal_(std=1.0)
            # the llmlingua package looks for these names in the path
            name = {"mbert": "bert-base-multilingual-cased", "xlm-roberta": "xlm-roberta-large"}.get(
                kind, kind
            )
            made[kind] = tmp_path_factory.mktemp("tiny") / name
            model.save_pretrained(made[kind])
            tokenizer.save_pretrained(made[kind])
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Callable[[str], Path]) -> Callable[[str], compressors.Compressor]:
    """A compressor with a tiny random model; see `tiny_folder`."""
    made: dict[str, compressors.Compressor] = {}

    def compressor(kind: str) -> compressors.Compressor:
        if kind not in made:
            made[kind] = compressors.load("llmlingua2", str(tiny_folder(kind)), device="cpu")
        return made[kind]

    return compressor


@pytest.fixture(scope="session")
def embedded() -> compressors.Compressor:
    return compressors.load("llmlingua2", device="cpu")


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """A compressor with a tiny random causal model, by method."""
    folder = save("llama", tmp_path_factory.mktemp("causal"))
    made: dict[str, Any] = {}

    def compressor(method: str) -> Any:
        if method not in made:
            made[method] = compressors.load(method, str(folder), device="cpu")
        return made[method]

    return compressor
