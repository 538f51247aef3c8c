"""What the README says is complete: every setting, header, metric, error code and reason stands in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client import Counter, Gauge, Histogram
from pydantic import BaseModel

from policies import config, policy, rules
from policies.loading import load_config
from policies.protection import ProtectKind
from policies.skip import Skip
from proxy import errors, metrics

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _settings() -> list[str]:
    known = [*vars(config).values(), *vars(policy).values(), *vars(rules).values()]
    models = [m for m in known if isinstance(m, type) and issubclass(m, BaseModel)]
    return sorted({name for model in models for name in model.model_fields})


@pytest.mark.parametrize("name", _settings())
def test_every_setting_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", README)


def test_every_metric_is_documented() -> None:
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            assert metric._name in README


def test_every_header_is_documented() -> None:
    source = (
        "".join(path.read_text() for path in (ROOT / "proxy").rglob("*.py"))
        + (ROOT / "policies" / "routes.py").read_text()
    )
    headers = set(re.findall(r'"(x-laconic-[a-z-]+[a-z])"', source))
    assert len(headers) > 8
    assert not {header for header in headers if header not in README}


def test_every_error_code_is_documented() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.LaconicError)
    ]
    assert not {kind.code for kind in kinds if f"`{kind.code}`" not in README}


def test_every_reason_is_documented() -> None:
    assert not {reason for reason in Skip if f"`{reason}`" not in README}


def test_every_variable_is_documented() -> None:
    source = (ROOT / "proxy" / "settings.py").read_text()
    assert not {name for name in re.findall(r"LACONIC_[A-Z_]+", source) if name not in README}


def test_the_examples_are_valid() -> None:
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "routes:" in block]
    assert blocks
    for block in blocks:
        load_config(block, "README.md", {"OPENAI_API_KEY": "x"})


def test_no_kind_of_protection_is_missing() -> None:
    assert not {kind for kind in get_args(ProtectKind) if f"`{kind}`" not in README}
