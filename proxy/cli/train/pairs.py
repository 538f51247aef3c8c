"""The files of a distillation: pairs, and beside them what was answered but is no pair. Knows rows, no calls."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from compressors.training.lines import Growing
from proxy.distillation import Result


class Pairs:
    """A context manager; what stands in the files already is done."""

    def __init__(self, path: Path, model: str, instruction: str) -> None:
        """`model` and `instruction` are written beside each text; only rows with the same ones are done."""
        self.rejected_path = path.with_suffix(f".rejected{path.suffix}")
        self._good, self._rejected = Growing(path), Growing(self.rejected_path)
        self._made_by = {"model": model, "instruction": instruction}

    def __enter__(self) -> Self:
        with ExitStack() as files:
            rows = chain.from_iterable(
                files.enter_context(file).rows() for file in (self._good, self._rejected)
            )
            self._done = {row.get("text") for _, row in rows if row.items() >= self._made_by.items()}
            self._files = files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def __contains__(self, text: str) -> bool:
        return text in self._done

    def add(self, result: Result) -> None:
        """Write a result to the file that it belongs in."""
        chunk = result.chunk
        row = {"text": chunk.text, "compressed": result.compressed}
        row |= {"source": chunk.source, "document": chunk.document, **self._made_by}
        if result.fault is None:
            self._good.add(row)
        else:
            self._rejected.add({"reason": result.fault, **row})
