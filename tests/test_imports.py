"""Who may import whom, and what start-up must not pay for."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "policies": {
        "compressors",
        "proxy",
        "torch",
        "transformers",
        "aiohttp",
        "starlette",
        "redis",
        "uvicorn",
        "tests",
    },
    "compressors": {"policies", "proxy", "aiohttp", "starlette", "redis", "uvicorn", "tests"},
    "proxy": {"torch", "transformers", "litellm", "tests"},
}
PUBLIC_FACE = {"compressors", "compressors.engines", "compressors.measuring", "compressors.ranking"}
TRAINING = "compressors.training"
TRAINS = ROOT / "proxy" / "cli" / "train"
CALLS_LITELLM = ROOT / "proxy" / "distillation" / "upstream.py"


def _imports(package: str) -> Iterator[tuple[Path, str]]:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                yield path, node.module


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_go_one_way(package: str) -> None:
    wrong = [(path, name) for path, name in _imports(package) if name.partition(".")[0] in FORBIDDEN[package]]
    assert [each for each in wrong if each != (CALLS_LITELLM, "litellm")] == []


def test_the_proxy_knows_only_the_public_face_of_compressors() -> None:
    used = {
        name
        for path, name in _imports("proxy")
        if name.partition(".")[0] == "compressors"
        and not (path.is_relative_to(TRAINS) and name.startswith(TRAINING))
    }
    assert used <= PUBLIC_FACE


def test_only_training_knows_how_to_train() -> None:
    others = {
        path
        for package in ("proxy", "compressors")
        for path, name in _imports(package)
        if name.startswith(TRAINING)
    }
    assert not [path for path in others if not {"train", "training"} & set(path.parts)]


@pytest.mark.parametrize(
    "module",
    [
        "proxy.app",
        "proxy.cli.serve",
        "proxy.sharing",
        "compressors",
        "policies.plan",
        *(f"proxy.cli.train.{path.stem}" for path in sorted(TRAINS.glob("*.py")) if path.stem != "__init__"),
    ],
)
def test_start_up_leaves_heavy_modules_alone(module: str) -> None:
    heavy = {"torch", "transformers", "litellm", "openai", "ray", "spacy", "matplotlib"}
    code = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
