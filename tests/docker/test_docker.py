"""The files under `docker/` fit each other and what laconic accepts."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import yaml

from policies.loading import load_config

FOLDER = Path(__file__).parents[2] / "docker"


def test_the_example_configuration_is_valid_and_uses_the_redis_of_the_compose_file() -> None:
    config = load_config((FOLDER / "laconic.yaml").read_text(), "docker/laconic.yaml", {})
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    assert urlsplit(config.store.url).hostname in services


def test_the_compose_file_starts_nothing_without_a_secret() -> None:
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    assert services["laconic"]["environment"]["LACONIC_SECRET"].startswith("${LACONIC_SECRET:?")
