"""The schema of the configuration file: what is served, from where, and under which policies.

Owns all sections but the policies themselves (`policy.py`). Knows neither files nor YAML (`loading.py` does) and does
not follow names from one section to another.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from policies import builtin
from policies.economics.rule import ModelRule
from policies.policy import Policy
from policies.rules import OneOrMany, Section

Method = Literal["llmlingua2", "llmlingua", "longllmlingua"]
Override = Literal["mode", "rate", "policy"]
_KEY_HASH = re.compile(r"sha256:[0-9a-f]{32}")


def _key_hash(value: str) -> str:
    if not _KEY_HASH.fullmatch(value):
        raise ValueError(
            "what `laconic key hash` prints (sha256: and 32 hexadecimal digits), not the key itself"
        )
    return value


class Upstream(Section):
    """An OpenAI-compatible API that requests are forwarded to."""

    base_url: str
    """Where the API lives, up to and including its version: `https://api.openai.com/v1`."""
    api_key: SecretStr | None = None
    """Sent as `Authorization: Bearer …` in place of the caller's; write `${NAME}` to take it from the environment."""
    connect_timeout_s: float = Field(default=5.0, gt=0)
    """Longest wait for a connection; a miss answers 504."""
    read_timeout_s: float = Field(default=600.0, gt=0)
    """Longest silence of the upstream, before its answer and within it; a miss answers 504."""

    @field_validator("base_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or set("?#@") & set(value):
            raise ValueError(
                "an http:// or https:// address without query or password, such as https://api.openai.com/v1"
            )
        return value.rstrip("/")


class RayOptions(Section):
    """How often a compressor runs on a Ray cluster, and on what; other ways to serve ignore it."""

    num_replicas: int | None = Field(default=None, ge=1)
    """Copies that run; 1 unless their number follows the load."""
    min_replicas: int | None = Field(default=None, ge=1)
    """Copies that run at the least; 1 with `max_replicas`."""
    max_replicas: int | None = Field(default=None, ge=1)
    """Copies that run at the most: so many that each has half of `max_ongoing_requests`."""
    num_gpus: float = Field(default=0, ge=0)
    """GPUs of a copy: a whole number, or a fraction below 1 if several share one."""
    num_cpus: float = Field(default=1, gt=0)
    """Processors of a copy; without a GPU, also the threads of its model."""
    max_ongoing_requests: int = Field(default=64, ge=1)
    """Texts that a copy has at a time; more wait until one has room."""

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if self.num_replicas is not None and (self.min_replicas or self.max_replicas):
            raise ValueError("num_replicas, or min_replicas and max_replicas, but not both")
        if self.min_replicas is not None and self.max_replicas is None:
            raise ValueError("min_replicas with max_replicas")
        if (self.min_replicas or 1) > (self.max_replicas or self.min_replicas or 1):
            raise ValueError("min_replicas up to max_replicas")
        return self

    @field_validator("num_gpus")
    @classmethod
    def _whole_or_fraction(cls, value: float) -> float:
        if value > 1 and value != int(value):
            raise ValueError("a fraction below 1, or a whole number")
        return value


class Compressor(Section):
    """A method with its model, loaded once and shared by all policies that name it."""

    method: Method = "llmlingua2"
    """How texts are shortened: by a token classifier, or by a causal model's surprise without or with a question."""
    model: str = "embedded"
    """`embedded`, a Hugging Face checkpoint (token classifier or causal model, as the method needs), or a folder."""
    revision: str | None = None
    """Branch, tag or commit of a hub model."""
    device: str = "auto"
    """`auto` (every GPU, else the processor), `cpu`, `cuda`, `cuda:1` …, or several: `cuda:0,cuda:1`."""
    dtype: Literal["float32", "bfloat16", "float16", "int8"] | None = None
    """Number format of the forward pass; by default float32 on a CPU, on a GPU float16 for classifiers and
    bfloat16 for causal models; int8 for BERT-like classifiers on a CPU."""
    trust_remote_code: bool = False
    """Whether code that comes with a hub model may run here."""
    batch_tokens: int | None = Field(default=None, ge=64)
    """Most tokens of one forward pass; by default what suits the device."""
    max_queue_tokens: int = Field(default=400_000, ge=512)
    """Most tokens that may wait for the model; beyond that a text goes up as it is."""
    ray: RayOptions = RayOptions()
    """How often, and on what, `laconic serve --engine ray` runs it."""


class Match(Section):
    """What a request must look like for a route, beside its path."""

    model: Annotated[tuple[str, ...], OneOrMany] = ()
    """Globs, one of which the request's `model` must match; paths other than chat completions ignore it."""
    header: dict[str, str] = Field(default={})
    """Headers with the globs that their values must match."""
    key: Annotated[tuple[Annotated[str, AfterValidator(_key_hash)], ...], OneOrMany] = ()
    """Hashes, as `laconic key hash` prints them, one of which the caller's key must have."""

    @field_validator("header")
    @classmethod
    def _lower_names(cls, value: dict[str, str]) -> dict[str, str]:
        return {name.lower(): glob for name, glob in value.items()}


class Route(Section):
    """Which requests go to which upstream under which policy."""

    name: str = Field(pattern=r"^[\w.-]+$")
    """Shown in headers, metrics and logs."""
    path: str = Field(default="/v1", pattern=r"^(/[^/?#]+)+$")
    """Prefix of the request's path; what follows it is appended to the upstream's `base_url`."""
    match: Match = Match()
    """Further conditions; all must hold."""
    upstream: str
    """A name from `upstreams`."""
    policy: str | None = None
    """A name from `policies` or a built-in one (`agents`, `chat`, `meetings`, `rag`); without one, requests pass
    through untouched."""
    overrides: frozenset[Override] = frozenset()
    """What a request may change by its `x-laconic-*` headers."""
    tags: bool = False
    """Whether `<laconic:keep>` and `<llmlingua>` tags in texts are honoured and stripped."""
    api_key: SecretStr | None = None
    """As the upstream's `api_key`, and before it."""
    scope: Literal["caller", "route"] = "caller"
    """Who shares remembered decisions: requests with the same credential, or all of this route."""


class StoreConfig(Section):
    """Where decisions are remembered."""

    url: str = Field(default="memory:", pattern=r"^(memory:|sqlite:///.+|rediss?://.+|unix://.+)$")
    """`memory:`, `sqlite:///laconic.db`, `redis://host:6379/0`."""
    ttl_s: int = Field(default=7 * 24 * 3600, gt=0)
    """How long an unused decision is remembered."""
    memory_bytes: int = Field(default=128 * 2**20, ge=0)
    """Most memory for decisions in each worker."""


class Config(Section):
    """A whole configuration file."""

    upstreams: dict[str, Upstream]
    """APIs that requests are forwarded to."""
    compressors: dict[str, Compressor] = Field(default={"default": Compressor()})
    """Methods with their models; a method's own name, where not defined, stands for it with its embedded model."""
    policies: dict[str, Policy] = Field(default={})
    """What is done to texts."""
    routes: tuple[Route, ...] = Field(min_length=1)
    """Which request goes where; the first that matches."""
    store: StoreConfig = StoreConfig()
    """Where decisions are remembered; a plain URL will do."""
    models: dict[str, ModelRule] = Field(default={})
    """What models cost and take, by glob for their names; else as litellm's price list says."""
    max_body_bytes: int = Field(default=32 * 2**20, gt=0)
    """Largest chat request, decoded; a larger one answers 413."""
    max_in_flight: int = Field(default=4096, gt=0)
    """Most requests served at a time by each worker; one more answers 503."""

    def asks(self, policy: Policy) -> bool:
        """Whether what stays of a text under one of the policies depends on what it is read for."""
        method = self.compressors[policy.compressor].method
        return method == "longllmlingua" or policy.strategy.question_aware

    @field_validator("store", mode="before", json_schema_input_type=str | StoreConfig)
    @classmethod
    def _plain_url(cls, value: object) -> object:
        return {"url": value} if isinstance(value, str) else value


def default_config(base_url: str, policy: str | None = None) -> Config:
    """What `laconic serve` does without a file: one upstream, embedded models, a built-in policy or a careful one."""
    compressor = Compressor()
    if policy is not None:
        chosen = Policy.model_validate(builtin.policy(policy))
        compressor = Compressor.model_validate({"method": chosen.compressor})
    else:  # a second, so that a prompt of some thousand tokens is shortened on a CPU as well
        policy, chosen = "careful", Policy(deadline_ms=1000)
    return Config(
        upstreams={"default": Upstream(base_url=base_url)},
        compressors={chosen.compressor: compressor},
        policies={policy: chosen},
        routes=(Route(name="default", upstream="default", policy=policy, overrides=frozenset({"mode"})),),
    )
