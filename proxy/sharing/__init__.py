"""One copy of a model for several workers: its own process for each device, reached over a Unix socket."""

from __future__ import annotations

from proxy.sharing.engine import SharedEngines
from proxy.sharing.keeper import Keeper

__all__ = ["Keeper", "SharedEngines"]
