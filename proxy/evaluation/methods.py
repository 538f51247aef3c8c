"""A method by the name that a person gives it, from `random` to `llmlingua2:compat`. Knows no measures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import compressors
from proxy.evaluation.baselines import BASELINES, baseline

_COMPAT = "0.2.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A baseline, or a compressor with a model."""

    name: str
    model: str | None = None
    compat: str | None = None

    @property
    def title(self) -> str:
        """Its name as it is typed."""
        return self.name if self.compat is None else f"{self.name}:compat"

    @property
    def label(self) -> str:
        """Its title, with any model but the one that ships."""
        return self.title if self.model in (None, "embedded") else f"{self.title} {self.model}"

    @property
    def protects(self) -> bool:
        """Whether it keeps what must stay; baselines and the llmlingua package don't know of such."""
        return self.model is not None and self.compat is None

    def load(self, texts: Iterable[str], *, device: str, seed: int) -> compressors.Compressor:
        """Its compressor; raises `CompressionError` if there is none. `texts`: all that is evaluated."""
        if self.model is None:
            return baseline(self.name, texts, seed)
        return compressors.load(self.name, model=self.model, device=device, compat=self.compat)


def methods(names: Iterable[str], models: Iterable[str]) -> list[Method]:
    """The methods called `names`: baselines, `baselines` for all of them, else each with every one of `models`.

    `NAME:compat` takes the llmlingua package's decisions. Raises `ValueError` for any other suffix.
    """
    found: list[Method] = []
    for full in names:
        name, _, suffix = full.partition(":")
        if name == "baselines" and not suffix:
            found += [Method(name=each) for each in BASELINES]
        elif name in BASELINES and not suffix:
            found.append(Method(name=name))
        elif name in (*BASELINES, "baselines") or suffix not in ("", "compat"):
            raise ValueError(f"{full}: expected NAME or, of a compressor, NAME:compat")
        else:
            found += [Method(name=name, model=model, compat=_COMPAT if suffix else None) for model in models]
    return list(dict.fromkeys(found))


def one_of(found: Iterable[Method], name: str) -> Method:
    """The first of `found` that is called `name`; raises `ValueError` if none is."""
    titles = {method.title: method for method in reversed(list(found))}
    if name not in titles:
        raise ValueError(f"{name}: none of the methods; these are {', '.join(reversed(titles))}")
    return titles[name]
