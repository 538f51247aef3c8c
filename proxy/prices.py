"""What models cost and take, from litellm's own price list. Reads its file; litellm itself is never imported."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from policies.economics import ModelFacts, ModelRule, Price, caching_of, with_rules
from policies.economics.caching import NO_CACHING

_FILE = "model_prices_and_context_window_backup.json"
# Under these the list has models that are called by their bare names elsewhere; hosts of open models, whose prices
# differ, are left out.
_PREFIXES = ("", "gemini/", "deepseek/", "vertex_ai/", "xai/", "mistral/")
_date = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8}|latest)$")
_SAMPLE = "sample_spec"
# Of the input's price, where the list doesn't say: a read, a write, a write for an hour.
# https://platform.claude.com/docs/en/build-with-claude/prompt-caching
_ANTHROPIC = (0.1, 1.25, 2.0)

Entry = Mapping[str, Any]


def facts_of(model: str, rules: Mapping[str, ModelRule] | None = None) -> ModelFacts | None:
    """What is known of `model`: by the first of `rules` (glob to rule) that fits its name, else by the price list.

    A provider's prefix and a date may be missing or be there in vain. Prices are those of the shortest prompts and the
    usual service tier. The first call reads the list, which takes some 30 ms: call it from a thread.
    """
    return with_rules(model, _listed(model), rules or {})


@functools.lru_cache(maxsize=1024)
def _listed(model: str) -> ModelFacts | None:
    entries = _price_list()
    return next((_facts(model, entries[name]) for name in _names(model) if name in entries), None)


@functools.cache
def _price_list() -> dict[str, Entry]:
    """The list's entries with a price per input token; empty where litellm isn't installed or ships none."""
    spec = importlib.util.find_spec("litellm")
    path = Path(spec.origin).parent / _FILE if spec is not None and spec.origin is not None else None
    if path is None or not path.is_file():
        return {}
    listed: dict[str, Entry] = json.loads(path.read_text(encoding="utf-8"))
    listed.pop(_SAMPLE, None)
    return {
        name: entry for name, entry in listed.items() if _number(entry, "input_cost_per_token") is not None
    }


def _names(model: str) -> Iterator[str]:
    """What `model` may be listed as, the closest first."""
    whole = model.strip()
    if whole.startswith("ft:"):  # fine-tuned models are listed with the base model's date, or not at all
        yield ":".join(whole.split(":")[:2])
        whole = whole.split(":")[1]
    bare = whole.rpartition("/")[2]
    undated = _date.sub("", bare)
    yield from dict.fromkeys(
        (whole, _date.sub("", whole), *(prefix + name for name in (bare, undated) for prefix in _PREFIXES))
    )


def _facts(model: str, entry: Entry) -> ModelFacts:
    provider = str(entry.get("litellm_provider") or "")
    price = _price(entry, anthropic="claude" in model.lower())
    minimum = _number(entry, "prompt_cache_min_tokens")
    context = _number(entry, "max_input_tokens")
    caching = NO_CACHING
    if price.cached_input_usd < price.input_usd:
        caching = caching_of(
            provider,
            model,
            minimum_tokens=int(minimum) if minimum else None,
            bills_writes=price.write_usd > price.input_usd,
        )
    return ModelFacts(model, provider, caching, price, int(context) if context else None)


def _price(entry: Entry, *, anthropic: bool) -> Price:
    usd = _number(entry, "input_cost_per_token") or 0.0
    read, write, long_write = _ANTHROPIC if anthropic else (1.0, 1.0, 1.0)
    cached_usd = _number(entry, "cache_read_input_token_cost")
    return Price(
        input_usd=usd,
        cached_input_usd=read * usd if cached_usd is None else cached_usd,
        # DeepSeek's writes are listed with 0: they are billed as input.
        write_usd=_number(entry, "cache_creation_input_token_cost") or write * usd,
        long_write_usd=_number(entry, "cache_creation_input_token_cost_above_1hr") or long_write * usd,
        output_usd=_number(entry, "output_cost_per_token") or 0.0,
    )


def _number(entry: Entry, key: str) -> float | None:
    value = entry.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
