"""Models that claim to read questions, or not to, whatever their weights were trained for."""

from __future__ import annotations

import json
from pathlib import Path


def claiming(source: Path, folder: Path, tokens: int = 64) -> Path:
    """The token classifier in `source`, once more in `folder`, declared to read questions of so many tokens."""
    folder.mkdir()
    for file in source.iterdir():
        (folder / file.name).symlink_to(file)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config["laconic"] = {**config.get("laconic", {}), "question": {"tokens": tokens}}
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
