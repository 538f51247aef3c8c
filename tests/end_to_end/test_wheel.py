"""The wheel holds all that is needed: it is built, unpacked outside the tree, and runs the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("laconic-*.whl")
    assert wheel.stat().st_size < 90_000_000  # PyPI takes 100 MB
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _run(unpacked: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=unpacked.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_only_the_three_packages_are_in_it(unpacked: Path) -> None:
    names = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"proxy", "compressors", "policies"}


def test_the_packages_come_from_the_wheel(unpacked: Path) -> None:
    result = _run(
        unpacked, "-c", "import proxy, compressors, policies; print(proxy.__file__, compressors.__file__)"
    )
    assert all(name.startswith(str(unpacked)) for name in result.stdout.split())


def test_the_demo_runs(unpacked: Path) -> None:
    result = _run(unpacked, "-m", "proxy.cli", "demo")
    assert result.returncode == 0, result.stderr
    for word in ("RAG prompt", "meeting transcript", "agent turn", "protected", "Anna Keller"):
        assert word in result.stdout
    assert "failed" not in result.stdout
    assert "deadline" not in result.stdout
