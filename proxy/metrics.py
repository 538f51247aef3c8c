"""Every metric, declared in one place. Base units; a label never holds a text, a key or more names than a bounded few.

With several workers, `PROMETHEUS_MULTIPROC_DIR` (set by `laconic serve`) makes them add up.
"""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_TOKENS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_BY_POLICY = ("route", "policy", "method", "model")

REQUESTS = Counter("laconic_requests", "Answers given.", ("route", "status"))
IN_FLIGHT = Gauge("laconic_in_flight", "Requests being served.", multiprocess_mode="livesum")
ORIGINAL_TOKENS = Histogram(
    "laconic_original_tokens",
    "Tokens of a request's message texts as they came.",
    _BY_POLICY,
    buckets=_TOKENS,
)
SENT_TOKENS = Histogram(
    "laconic_sent_tokens",
    "Tokens of a request's message texts as they were sent.",
    _BY_POLICY,
    buckets=_TOKENS,
)
SAVED_TOKENS = Histogram(
    "laconic_saved_tokens",
    "Original less sent tokens; in shadow mode, what would be saved.",
    (*_BY_POLICY, "mode"),
    buckets=(0, *_TOKENS),
)
COMPRESSION_SECONDS = Histogram(
    "laconic_compression_seconds",
    "From the parsed request to the texts to send.",
    ("route", "policy"),
    buckets=_SECONDS,
)
STAGE_SECONDS = Histogram(
    "laconic_stage_seconds",
    "Where shortening spends its time: queue, tokenize, forward and select for a text given to the model, render for "
    "a request.",
    ("compressor", "stage"),
    buckets=_SECONDS,
)
UPSTREAM_FIRST_BYTE_SECONDS = Histogram(
    "laconic_upstream_first_byte_seconds",
    "From the sent request to the upstream's headers.",
    ("route",),
    buckets=_SECONDS,
)
STORE_OPERATIONS = Counter(
    "laconic_store_operations", "Looked up and written decisions.", ("store", "result")
)
SKIPS = Counter("laconic_skips", "Texts left as they were.", ("route", "policy", "reason"))
BREAK_EVEN = Counter(
    "laconic_break_even", "Texts by whether shortening them was worth the time.", ("compressor", "verdict")
)
COMPRESSOR_SECONDS_PER_TOKEN = Gauge(
    "laconic_compressor_seconds_per_token",
    "What a compressor needs for a token, lately; the break-even weighs it.",
    ("compressor",),
    multiprocess_mode="mostrecent",
)
UPSTREAM_SECONDS_PER_TOKEN = Gauge(
    "laconic_upstream_seconds_per_token",
    "What an upstream needs to read a token, lately; the break-even weighs it.",
    ("upstream", "model"),
    multiprocess_mode="mostrecent",
)
INVARIANT_VIOLATIONS = Counter("laconic_invariant_violations", "Results thrown away by a guard.", ("kind",))
FAILURES = Counter("laconic_failures", "What went wrong.", ("kind",))
CAPTURED = Counter("laconic_captured", "Requests that were to be written for a replay.", ("result",))


@functools.lru_cache(maxsize=1024)
def requests(route: str, status: int) -> Counter:
    """The series of `REQUESTS`, found without prometheus_client's own, slower look-up."""
    return REQUESTS.labels(route, str(status))


@functools.lru_cache(maxsize=1024)
def upstream_first_byte_seconds(route: str) -> Histogram:
    """The series of `UPSTREAM_FIRST_BYTE_SECONDS`, likewise."""
    return UPSTREAM_FIRST_BYTE_SECONDS.labels(route)


class CompressionSeries(NamedTuple):
    """What is observed of each request that a policy looked at."""

    original_tokens: Histogram
    sent_tokens: Histogram
    saved_tokens: Histogram
    seconds: Histogram


@functools.lru_cache(maxsize=1024)
def compression_series(route: str, policy: str, method: str, model: str, mode: str) -> CompressionSeries:
    """The series of one kind of request."""
    labels = (route, policy, method, model)
    return CompressionSeries(
        ORIGINAL_TOKENS.labels(*labels),
        SENT_TOKENS.labels(*labels),
        SAVED_TOKENS.labels(*labels, mode),
        COMPRESSION_SECONDS.labels(route, policy),
    )


def worker_ended() -> None:
    """Take this worker's gauges out of the sum."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """All metrics in Prometheus' text format, of all workers."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest()
