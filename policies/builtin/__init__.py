"""Policies that ship: recommended beginnings for four kinds of traffic, each with its reasons in its file."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

import yaml

NAMES = ("agents", "chat", "meetings", "rag")


@functools.cache
def policy(name: str) -> dict[str, Any]:
    """The fields of a built-in policy, as a configuration file would hold them; `name` is one of `NAMES`."""
    fields: dict[str, Any] = yaml.safe_load((files(__package__) / f"{name}.yaml").read_text(encoding="utf-8"))
    return fields
