"""Tables and pictures as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from proxy.replay.tables import CAPTION, Grid

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 0 0 2rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
svg { max-width: 100%; height: auto; display: block; margin: 1rem 0 2rem; }
p { color: #666; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; }
  th, td { border-color: #444; }
  svg { background: #fff; }
  p { color: #999; }
}
""".strip()


def page(grids: Iterable[Grid], pictures: Iterable[str]) -> str:
    """The page; `pictures` are SVG elements."""
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>laconic replay</title><style>{_STYLE}</style></head>",
        f"<body><h1>laconic replay</h1><p>{escape(CAPTION)}</p>",
        *pictures,
        *(line for grid in grids for line in _table(grid)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(grid: Grid) -> Iterator[str]:
    yield f"<table><caption>{escape(grid.title)}</caption>"
    yield f"<thead>{_row('th', grid.columns)}</thead><tbody>"
    yield from (_row("td", row) for row in grid.rows)
    yield "</tbody></table>"


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
