"""What `load` takes and refuses, what a fingerprint depends on, and what importing costs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertModel, BitsAndBytesConfig

import compressors
from compressors import CompressionError, Compressor, Job, fingerprint, load
from compressors.identity import EMBEDDED
from tests.fakes.causal import save

TEXT = "The committee has not yet agreed on item 7, and nobody really knows what it is going to cost. " * 20


def test_importing_and_fingerprinting_need_no_torch() -> None:
    code = (
        "import sys, compressors\n"
        "compressors.fingerprint('llmlingua2')\n"
        "compressors.Job(text='a')\n"
        "print([m for m in ('torch', 'transformers', 'tokenizers', 'numpy') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


def test_all_names_are_public() -> None:
    assert all(hasattr(compressors, name) for name in compressors.__all__)


@pytest.mark.parametrize("kind", ["bert", "mbert", "distilbert", "xlm-roberta", "modernbert"])
def test_any_token_classifier_loads_from_a_folder(tiny: Callable[[str], Compressor], kind: str) -> None:
    [result] = tiny(kind).compress([Job(text=TEXT, rate=0.5)])
    assert 0.49 <= result.compressed_tokens / result.original_tokens <= 0.5


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(dtype: str) -> None:
    half = load("llmlingua2", device="cpu", dtype=dtype)
    [result] = half.compress([Job(text=TEXT, rate=0.5)])
    assert result.compressed_tokens <= 0.5 * result.original_tokens
    assert half.fingerprint == fingerprint("llmlingua2", dtype=dtype) != fingerprint("llmlingua2")


def test_a_compressor_has_the_fingerprint_that_was_foretold(
    embedded: Compressor, tiny: Callable[[str], Compressor], tiny_folder: Callable[[str], Path]
) -> None:
    assert embedded.fingerprint == fingerprint("llmlingua2", "embedded", None, None)
    assert tiny("bert").fingerprint == fingerprint("llmlingua2", str(tiny_folder("bert")))


def test_fingerprints_differ_in_all_that_changes_decisions(
    tiny_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder("bert"), folder)
    found = [
        fingerprint("llmlingua2"),
        fingerprint("llmlingua2", dtype="bfloat16"),
        fingerprint("llmlingua2", compat="0.2.2"),
        fingerprint("llmlingua2", unreadable_share=0.5),
        fingerprint("llmlingua", "owner/name"),
        fingerprint("llmlingua2", "owner/name"),
        fingerprint("llmlingua2", "owner/name", None, "v2"),
        fingerprint("llmlingua2", str(folder)),
    ]
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + b" ")
        found.append(fingerprint("llmlingua2", str(folder)))
    assert len(set(found)) == len(found)
    assert fingerprint("llmlingua2", dtype="float32") == fingerprint("llmlingua2")


def test_a_moved_folder_keeps_its_fingerprint(tiny_folder: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(tiny_folder("bert"), tmp_path / "moved")
    moved = fingerprint("llmlingua2", str(tmp_path / "moved"))
    assert moved == fingerprint("llmlingua2", str(tiny_folder("bert")))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"method": "llmlingua9"}, "llmlingua9"),
        ({"method": "llmlingua2", "compat": "0.1"}, "0.1"),
        ({"method": "llmlingua2", "dtype": "int3"}, "int3"),
        ({"method": "llmlingua2", "device": "toaster"}, "toaster"),
        ({"method": "llmlingua2", "model": "/no/such/folder"}, "/no/such/folder"),
    ],
)
def test_what_cannot_be_loaded_is_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(CompressionError, match=named):
        load(**arguments)


def test_a_model_without_a_classifier_is_refused(tmp_path: Path) -> None:
    config = BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9
    )
    BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(CompressionError, match="no token classifier"):
        load("llmlingua2", str(tmp_path))


def test_a_model_with_other_labels_is_refused(tiny_folder: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(tiny_folder("bert"), tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = {"0": "A", "1": "B", "2": "C"}
    path.write_text(json.dumps(config))
    with pytest.raises(CompressionError, match="3 labels"):
        load("llmlingua2", str(tmp_path / "model"))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    shutil.copytree(EMBEDDED["llmlingua2"], tmp_path / "model")
    weights = tmp_path / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CompressionError, match="can't load model"):
        load("llmlingua2", str(tmp_path / "model"))


def test_the_number_of_threads_can_be_set() -> None:
    before = torch.get_num_threads()
    try:
        load("llmlingua2", device="cpu", threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.filterwarnings("default")  # the libraries' own
def test_a_quantised_causal_model_stays_quantised(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="the extra laconic[quantized]")
    plain, packed = save("llama", tmp_path / "plain"), tmp_path / "packed"
    options = {"quantization_config": BitsAndBytesConfig(load_in_8bit=True), "device_map": "cpu"}  # type: ignore[no-untyped-call]
    AutoModelForCausalLM.from_pretrained(plain, **options).save_pretrained(packed)
    AutoTokenizer.from_pretrained(plain).save_pretrained(packed)
    compressor = compressors.load("llmlingua", str(packed), device="cpu")
    kinds = {type(module).__name__ for module in compressor._causal._body.modules()}  # type: ignore[attr-defined]
    assert "Linear8bitLt" in kinds
    [result] = compressor.compress([Job(text="The committee met and agreed on the old bridge. " * 4)])
    assert 0 < result.compressed_tokens < result.original_tokens


@pytest.mark.parametrize("method", ["llmlingua", "longllmlingua"])
def test_a_classifier_is_no_causal_model(tiny_folder: Callable[[str], Path], method: str) -> None:
    with pytest.raises(CompressionError, match="no causal language model, its type is distilbert"):
        compressors.load(method, str(tiny_folder("distilbert")), device="cpu")
