"""What was measured as JSON.

The document; times in the unit that a name ends in, null where there is nothing to say:

    measures    what the figures mean
    date, hardware, versions        see `proxy.evaluation.environment`
    load_average                    [1, 5, 15 minutes] of the whole machine before the first measurement
    settings    {method, device, dtype, threads, rounds, sizes, concurrency, limit_s, batch_tokens, messages, flips,
                 other_dtypes, seed}
    models      [{model, method, device, dtype, counted_in (the encoding that budgets are met in), load_s,
                  parameters, multiplied_parameters (all but embeddings),
                  matmul: {flops_per_s, size, dtype, way},
                  peak_bytes, peak_of (cuda: torch's tensors; process: resident memory),
                  latency: [{size, concurrency, requests, unfinished, tokens, seconds, tokens_per_s,
                             latency, queue: {p50, p95, p99} in ms, tokenize_ms, forward_ms, select_ms (means),
                             batches: {count, tokens, budget_tokens, seconds, fill},
                             utilisation (over the whole time), model_utilisation (over the time in the model),
                             peak_bytes (GPU)}],
                  beside:  [{case, tokens, sides: [{name, seconds: [], times, grown_bytes (GPU, weights left out)}],
                             words, words_alike, texts_alike}],
                  flips:   [{one, other, texts, words, flipped, share}],
                  errors:  [{part, error}]}]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from proxy.bench.outcomes import Latency, Measured
from proxy.bench.plan import Plan

MEASURES = (
    "Texts are made up, weights of shapes random. Latency: callers that each wait for an answer before they ask again, "
    "through the engine that the proxy uses. Utilisation: 2 operations for each parameter (without embeddings) and "
    "token, and attention's, over what the device could do in that time at its measured matmul rate. Beside the "
    "package: the same weights in one process, turn by turn, after a warm-up; words alike are those of the parity mode."
)


def record(
    found: Sequence[Measured], plan: Plan, environment: Mapping[str, object], load_average: Sequence[float]
) -> dict[str, object]:
    """The document described above."""
    settings = {
        key: value for key, value in asdict(plan).items() if key not in ("models", "latency", "beside")
    }
    return {
        "measures": MEASURES,
        **environment,
        "load_average": list(load_average),
        "settings": settings,
        "models": [_measured(each) for each in found],
    }


def _measured(found: Measured) -> dict[str, Any]:
    document = asdict(found)
    document["latency"] = [_latency(each) for each in found.latency]
    document["flips"] = [{**asdict(each), "share": each.share} for each in found.flips]
    return document


def _latency(found: Latency) -> dict[str, Any]:
    document = asdict(found)
    document["tokens_per_s"] = found.tokens_per_s
    if found.batches is not None:
        document["batches"]["fill"] = found.batches.fill
    return document
