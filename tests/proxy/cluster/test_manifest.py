"""`docker/rayservice.yaml` fits the code: what it names is there, and its configuration is valid."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.loading import load_config

_ROOT = Path(__file__).parents[3]
_PARTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((_ROOT / "docker" / "rayservice.yaml").read_text(encoding="utf-8"))
)
_MAP, _SERVICE = _PARTS


def test_the_configuration_is_valid() -> None:
    config = load_config(_MAP["data"]["laconic.yaml"], "laconic.yaml", {})
    assert config.store.url.startswith("redis://")
    assert config.compressors["llmlingua2"].ray.num_gpus


def test_the_application_can_be_imported_with_its_arguments() -> None:
    pytest.importorskip("ray.serve")
    from ray.serve.schema import ServeDeploySchema

    schema = ServeDeploySchema.model_validate(yaml.safe_load(_SERVICE["spec"]["serveConfigV2"]))
    (application,) = schema.applications
    module, _, name = application.import_path.partition(":")
    imported = importlib.import_module(module)
    assert callable(getattr(imported, name))
    arguments = imported.Arguments.model_validate(application.args)
    assert arguments.config == Path("/etc/laconic/laconic.yaml")


def test_every_pod_has_the_file_and_the_secret() -> None:
    cluster = _SERVICE["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        assert container["volumeMounts"][0]["mountPath"] == "/etc/laconic"
        assert container["envFrom"] == [{"secretRef": {"name": "laconic"}}]
        assert group["template"]["spec"]["volumes"][0]["configMap"]["name"] == _MAP["metadata"]["name"]


def test_it_names_the_ray_that_is_tested() -> None:
    version = _SERVICE["spec"]["rayClusterConfig"]["rayVersion"]
    assert f"ray=={version} " in (_ROOT / "constraints.txt").read_text(encoding="utf-8")
