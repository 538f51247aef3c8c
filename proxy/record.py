"""The record of one request: from it come the response headers, the metrics and the log line.

Holds numbers, names of the configuration and reasons; never a text, a key or a URL.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from policies.routes import Choice
from policies.skip import Skip
from proxy import metrics
from proxy.ledger import Entry
from proxy.models import Models
from proxy.pipeline import Decided
from proxy.store.decision import Decision
from proxy.usage import Usage

_log = logging.getLogger("laconic.request")
_KNOWN_MODELS: set[str] = set()
_MOST_MODELS = 100
_MODEL_NAME = re.compile(r"[\w.:/@-]{1,80}")


@dataclass(slots=True)
class Record:
    """What is known of a request so far."""

    method: str = ""
    request_id: str = field(default_factory=lambda: f"{random.getrandbits(64):016x}")
    started: float = field(default_factory=time.perf_counter)
    choice: Choice | None = None
    model: str = ""
    compressor: str = ""
    original_tokens: int = 0
    sent_tokens: int = 0
    saved_new_tokens: int = 0
    """Those of the saved tokens that a provider's cache can't hold yet, because the texts are new."""
    shadow_saved_tokens: int = 0
    is_counted: bool = True
    """Whether the tokens of all texts were counted."""
    held_out: bool = False
    cluster: int = 0
    key: str = ""
    """A short hash of the caller's key."""
    usage: Usage | None = None
    texts: int = 0
    skips: dict[str, int] = field(default_factory=dict)
    compress_s: float | None = None
    upstream_s: float | None = None
    status: int = 0
    failure: str = ""

    @property
    def saved_tokens(self) -> int:
        """Tokens that the upstream did not get."""
        return self.original_tokens - self.sent_tokens

    def skip(self, reason: str, count: int = 1) -> None:
        """Note texts that were left as they were."""
        if count:
            self.skips[reason] = self.skips.get(reason, 0) + count

    def decided(self, decided: Decided, is_new: Sequence[bool]) -> None:
        """Note what was decided; `is_new` says of each text whether it arrived with this request."""
        self.held_out, self.cluster = decided.held_out, decided.cluster
        self.is_counted = decided.counting is None
        self._add(decided.decisions, is_new)
        for decision in decided.decisions:
            if decision.skip is not None:
                self.skip(decision.skip)

    def count(self, decisions: Sequence[Decision], is_new: Sequence[bool]) -> None:
        """Note the tokens, now that all were counted."""
        self.original_tokens = self.sent_tokens = self.saved_new_tokens = 0
        self.is_counted = True
        self._add(decisions, is_new)

    def _add(self, decisions: Sequence[Decision], is_new: Sequence[bool]) -> None:
        for decision, new in zip(decisions, is_new, strict=True):
            self.original_tokens += decision.original_tokens
            self.sent_tokens += decision.sent_tokens
            self.saved_new_tokens += new * (decision.original_tokens - decision.sent_tokens)

    def rehearsed(self, decisions: Sequence[Decision]) -> None:
        """What was decided was not done."""
        self.shadow_saved_tokens = self.saved_tokens
        self.sent_tokens, self.saved_new_tokens = self.original_tokens, 0
        self.skip(Skip.SHADOW, sum(decision.skip is None for decision in decisions))

    @property
    def prompt_tokens(self) -> int:
        """What the upstream read: its own count, else that of the texts."""
        return self.usage.prompt_tokens if self.usage is not None else self.sent_tokens

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The `x-laconic-*` response headers."""
        pairs: list[tuple[bytes, bytes]] = [(b"x-laconic-request-id", self.request_id.encode())]
        if self.choice is None:
            return pairs
        pairs.append((b"x-laconic-mode", f"{self.choice.mode}; source={self.choice.source}".encode()))
        if self.choice.policy_name:
            pairs.append((b"x-laconic-policy", self.choice.policy_name.encode()))
        if self.compress_s is not None:
            if self.is_counted:
                pairs += (
                    (b"x-laconic-original-tokens", b"%d" % self.original_tokens),
                    (b"x-laconic-sent-tokens", b"%d" % self.sent_tokens),
                )
            pairs += (
                (b"x-laconic-saved-tokens", b"%d" % self.saved_tokens),
                (b"x-laconic-compress-ms", b"%.1f" % (self.compress_s * 1000)),
            )
        if self.skips:
            counts = ", ".join(f"{reason}={count}" for reason, count in sorted(self.skips.items()))
            pairs.append((b"x-laconic-skipped", counts.encode()))
        return pairs

    def close(self) -> None:
        """Write the metrics and the log line; the last thing that happens to a request."""
        route = self.choice.route.name if self.choice else ""
        metrics.requests(route, self.status).inc()
        if self.upstream_s is not None:
            metrics.upstream_first_byte_seconds(route).observe(self.upstream_s)
        if self.failure:
            metrics.FAILURES.labels(self.failure).inc()
        if self.choice is not None and self.compress_s is not None:
            self._count_compression(route, self.choice)
        if _log.isEnabledFor(logging.INFO):
            _log.info("request", extra={"fields": self._fields(route)})

    def entry(self, models: Models) -> Entry | None:
        """What the ledger is told; None for a request that no policy looked at, or that was answered with an error.

        What was saved of texts that a provider's cache would hold is worth the price of reading from it.
        """
        choice = self.choice
        if (
            choice is None
            or self.compress_s is None
            or not HTTPStatus.OK <= self.status < HTTPStatus.BAD_REQUEST
        ):
            return None
        facts, saved_usd = models.facts(self.model), 0.0
        if facts is not None and (price := facts.price) is not None:
            old = self.saved_tokens - self.saved_new_tokens
            saved_usd = self.saved_new_tokens * price.input_usd + old * price.cached_input_usd
        measured = choice.policy is not None and choice.policy.holdout > 0 and choice.mode == "on"
        return Entry(
            route=choice.route.name,
            policy=choice.policy_name,
            model=model_label(self.model),
            key=self.key,
            mode=choice.mode,
            arm=("holdout" if self.held_out else "treated") if measured else "",
            cluster=self.cluster,
            original_tokens=self.original_tokens,
            sent_tokens=self.sent_tokens,
            shadow_saved_tokens=self.shadow_saved_tokens,
            saved_nanousd=round(saved_usd * 1e9),
            compress_s=self.compress_s,
            usage=self.usage,
        )

    def _count_compression(self, route: str, choice: Choice) -> None:
        series = metrics.compression_series(
            route, choice.policy_name, self.compressor, model_label(self.model), choice.mode
        )
        series.original_tokens.observe(self.original_tokens)
        series.sent_tokens.observe(self.sent_tokens)
        series.saved_tokens.observe(
            self.shadow_saved_tokens if choice.mode == "shadow" else self.saved_tokens
        )
        series.seconds.observe(self.compress_s or 0.0)
        for reason, count in self.skips.items():
            metrics.SKIPS.labels(route, choice.policy_name, reason).inc(count)

    def _fields(self, route: str) -> dict[str, object]:
        fields: dict[str, object] = {
            "request_id": self.request_id,
            "method": self.method,
            "route": route,
            "status": self.status,
            "total_ms": round((time.perf_counter() - self.started) * 1000, 2),
        }
        if self.upstream_s is not None:
            fields["upstream_ms"] = round(self.upstream_s * 1000, 2)
        if self.choice is not None and self.compress_s is not None:
            fields |= {
                "policy": self.choice.policy_name,
                "mode": self.choice.mode,
                "source": self.choice.source,
                "model": model_label(self.model),
                "texts": self.texts,
                "original_tokens": self.original_tokens,
                "sent_tokens": self.sent_tokens,
                "saved_tokens": self.saved_tokens,
                "compress_ms": round(self.compress_s * 1000, 2),
                "skipped": self.skips,
            }
            if self.choice.mode == "shadow":
                fields["shadow_saved_tokens"] = self.shadow_saved_tokens
        if self.failure:
            fields["failure"] = self.failure
        return fields


def model_label(model: str) -> str:
    """`model` if it looks like a name and few were seen, else `other`: callers must not be able to add series."""
    if model in _KNOWN_MODELS:
        return model
    if len(_KNOWN_MODELS) < _MOST_MODELS and _MODEL_NAME.fullmatch(model):
        _KNOWN_MODELS.add(model)
        return model
    return "other"
