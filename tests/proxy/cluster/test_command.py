"""`laconic serve --engine ray`: what is refused before any cluster is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from proxy.cli import main

pytest.importorskip("ray.serve")

_FILE = """\
upstreams: {fake: {base_url: "http://localhost/v1"}}
store: "STORE"
routes: [{name: default, upstream: fake}]
"""


def _refused(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exit_code
    return result.output


@pytest.mark.parametrize("store", ["memory:", "sqlite:///laconic.db"])
def test_several_proxies_need_a_store_that_they_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "laconic.yaml"
    path.write_text(_FILE.replace("STORE", store))
    output = _refused("--engine", "ray", "--workers", "2", "--config", str(path))
    assert f"store: found {store.partition(':')[0]} with 2 workers on Ray; allowed: redis://" in output


def test_a_capture_needs_one_machine(tmp_path: Path) -> None:
    assert "--capture goes without --engine ray" in _refused(
        "--engine", "ray", "--capture", str(tmp_path / "capture.jsonl")
    )


def test_an_address_without_ray_is_a_mistake() -> None:
    assert "--ray-address needs --engine ray" in _refused("--ray-address", "auto")


def test_a_service_is_built_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray import serve

    from proxy.cluster.deployment import Arguments, build
    from proxy.cluster.source import UnsharedStoreError

    path = tmp_path / "laconic.yaml"
    path.write_text(_FILE.replace("STORE", "redis://localhost:1/0"))
    assert isinstance(build(Arguments(config=path, workers=2)), serve.Application)
    path.write_text(_FILE.replace("STORE", "memory:"))
    with pytest.raises(UnsharedStoreError):
        build(Arguments(config=path, workers=2))
