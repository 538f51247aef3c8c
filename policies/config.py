"""The schema of the configuration file, and what holds within one section of it.

Knows neither files nor YAML (`loading.py` does) and does not follow names from one section to another.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from policies.protection import ProtectKind

Mode = Literal["on", "shadow", "off"]
Override = Literal["mode", "rate", "policy"]
Rate = Annotated[float, Field(gt=0, le=1)]
Tokens = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A mapping of the file: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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


class Compressor(Section):
    """A method with its model, loaded once and shared by all policies that name it."""

    method: Literal["llmlingua2", "llmlingua", "longllmlingua"] = "llmlingua2"
    """How texts are shortened: by a token classifier, or by a causal model's surprise without or with a question."""
    model: str = "embedded"
    """`embedded`, a Hugging Face checkpoint (token classifier or causal model, as the method needs), or a folder."""
    revision: str | None = None
    """Branch, tag or commit of a hub model."""
    device: str = "auto"
    """`auto` (a GPU where there is one), `cpu`, `cuda`, `cuda:1` …"""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Number format of the forward pass; float32 by default, bfloat16 for causal models on a GPU."""
    trust_remote_code: bool = False
    """Whether code that comes with a hub model may run here."""
    batch_tokens: int = Field(default=8192, ge=512)
    """Most tokens of one batch."""
    max_queue_tokens: int = Field(default=400_000, ge=512)
    """Most tokens that may wait for the model; beyond that a text goes up as it is."""


class Target(Section):
    """A rule that says whether a text is to be shortened."""

    role: tuple[str, ...]
    """Roles of the messages that the rule speaks of."""
    min_tokens: Tokens = 0
    """The rule fits texts of at least this many tokens."""
    mode: Literal["on", "off"] = "on"
    """`off` leaves the text alone."""

    @field_validator("role", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Range(Section):
    """How far texts of some length are shortened: exactly one of `rate`, `target_tokens`, `min_probability`."""

    min_tokens: Tokens = 0
    """Fits texts of at least this many tokens …"""
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    """… and of fewer than this many."""
    rate: Rate | None = None
    """Share of the tokens outside protected blocks that stays."""
    target_tokens: Annotated[int, Field(gt=0)] | None = None
    """Most tokens that stay of the whole text."""
    min_probability: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Words that the model keeps with at least this probability stay."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        measures = [self.rate, self.target_tokens, self.min_probability]
        if sum(measure is not None for measure in measures) != 1:
            raise ValueError("exactly one of rate, target_tokens, min_probability")
        if self.max_tokens is not None and self.max_tokens <= self.min_tokens:
            raise ValueError("max_tokens above min_tokens")
        return self

    def fits(self, tokens: int) -> bool:
        """Whether a text of `tokens` tokens lies in the range."""
        return self.min_tokens <= tokens and (self.max_tokens is None or tokens < self.max_tokens)


class JsonRule(Section):
    """A rule for pairs in JSON, by key: exactly one of `rate`, `compress: false`, `remove: true`."""

    key: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    """Globs for the key, or with dots for the last keys of its path, in which lists don't count."""
    rate: Rate | None = None
    """Share of the tokens that stays of the string, or of each string in the list, that the key names."""
    compress: bool = True
    """`false` leaves the value alone, with all keys in it."""
    remove: bool = False
    """`true` leaves out key and value."""

    @field_validator("key", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.rate is not None) + (not self.compress) + self.remove != 1:
            raise ValueError("exactly one of rate, compress: false, remove: true")
        return self


_SPLITS = "auto, paragraphs, json_list, or exactly one of {regex: '…'} and {tags: name}"


def _regex(value: str | None) -> str | None:
    """`value` if it is a regular expression that matches something; `^` and `$` stand for the ends of lines."""
    if value is None:
        return None
    try:
        pattern = re.compile(value, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"a Python regular expression ({error})") from None
    if pattern.fullmatch(""):
        raise ValueError("a regular expression that doesn't match the empty text")
    return value


class Split(Section):
    """How documents are told apart: by a shape's name, or by exactly one of `regex` and `tags`."""

    shape: Literal["auto", "paragraphs", "json_list"] | None = None
    """`auto` knows the usual shapes; `paragraphs` are parted by blank lines; `json_list` holds one in each item."""
    regex: str | None = None
    """Matches a document, or has a group `document` or else a first one that does; a group `title` always stays."""
    tags: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][\w:.-]*$")], ...] | None = Field(
        default=None, min_length=1
    )
    """Names of the elements that are documents, such as `document`."""

    @field_validator("tags", mode="before", json_schema_input_type=str | tuple[str, ...] | None)
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return _regex(value)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.shape, self.regex, self.tags)) != 1:
            raise ValueError(_SPLITS)
        return self


class Question(Section):
    """What the question of a prompt stands in: exactly one of `tag` and `regex`."""

    tag: Annotated[str, Field(pattern=r"^[A-Za-z_][\w:.-]*$")] | None = None
    """Name of an element, such as `question`."""
    regex: str | None = None
    """Matches the question, or has a group `question` or else a first one that does."""

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return _regex(value)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.tag is None) == (self.regex is None):
            raise ValueError("exactly one of tag, regex")
        return self


class Documents(Section):
    """Where the documents and the question stand in the messages of a request."""

    split: Split = Split(shape="auto")
    """How documents are told apart: `auto`, `paragraphs`, `json_list`, `{regex: '…'}` or `{tags: document}`."""
    question: Question | None = None
    """`{tag: question}` or `{regex: '…'}`; by default what is labelled so, or the last user text."""
    instruction_rate: Rate = 1.0
    """Share that stays of the text around the documents."""
    question_rate: Rate = 1.0
    """Share that stays of the question that stands beside them."""

    @field_validator(
        "split", mode="before", json_schema_input_type=Literal["auto", "paragraphs", "json_list"] | Split
    )
    @classmethod
    def _by_name(cls, value: object) -> object:
        if isinstance(value, str) and value not in ("auto", "paragraphs", "json_list"):
            raise ValueError(_SPLITS)
        return {"shape": value} if isinstance(value, str) else value


class Strategy(Section):
    """How LLMLingua and LongLLMLingua spend a budget on documents, sentences and words."""

    rankers: tuple[str, ...] = Field(default=("bm25", "perplexity"), min_length=1)
    """What ranks documents by the question: `perplexity`, `bm25`, `gzip`, `embedding:MODEL`, `reranker:MODEL`."""
    condition: Literal["after", "before", "none"] = "after"
    """Where `perplexity` reads the question: after the document, before it, or not at all."""
    restrictive: str = " We can get the answer to this question in the given documents."
    """Sentence that follows the question where `perplexity` ranks by it; best in the prompts' language."""
    document_filter: bool = True
    """Whether whole documents may go."""
    document_budget: str = Field(default="*1", pattern=r"^[-+*/().\d\s]+$")
    """Arithmetic that follows the target, such as `+100`: tokens of the documents that stay, the last one beyond."""
    kept_documents: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Documents that stay in any case, by place from 0."""
    min_documents: int = Field(default=0, ge=0)
    """At least so many documents stay."""
    order: Literal["original", "sort", "two_stage"] = "original"
    """Documents as they came, best first, or best at both ends."""
    dynamic_ratio: float = Field(default=0.3, ge=0, le=1)
    """How much more of the document that fits the question best than of the worst stays; 0 leaves it to the words."""
    sentence_filter: bool = False
    """Whether whole sentences may go before words do."""
    sentence_budget: float = Field(default=1.4, gt=0)
    """Tokens of the sentences that stay, as a multiple of the target."""
    first_sentences: int = Field(default=0, ge=0)
    """Sentences at each document's start that are preferred."""
    last_sentences: int = Field(default=0, ge=0)
    """Sentences at each document's end that are preferred."""
    min_sentences: int = Field(default=0, ge=0)
    """At least so many sentences stay."""
    token_filter: bool = True
    """Whether words go; without it only documents and sentences do."""
    contrast: bool = True
    """Whether words count by how much the question lessens their surprise."""
    segment_tokens: Annotated[int, Field(ge=8)] | None = None
    """Tokens judged at a time, given what was kept before them; without it all at once."""


class Policy(Section):
    """What is shortened, how far, what is protected, and what happens when it doesn't work."""

    compressor: str = "default"
    """A name from `compressors`."""
    mode: Mode = "on"
    """`on`; `shadow` compresses and records but sends the original; `off`."""
    targets: tuple[Target, ...] = (
        Target(role=("user", "tool"), min_tokens=200),
        Target(role=("system",), mode="off"),
    )
    """Which texts; the first rule that fits decides, a text that no rule fits is left alone."""
    ranges: tuple[Range, ...] = (
        Range(min_tokens=200, max_tokens=1000, rate=0.7),
        Range(min_tokens=1000, rate=0.5),
    )
    """How far, by the text's own length; the first that fits decides."""
    protect: frozenset[ProtectKind] = frozenset(
        ("code", "json", "urls", "numbers", "negations", "quotes", "identifiers", "tables", "tags")
    )
    """What is never dropped."""
    json_rules: tuple[JsonRule, ...] = ()
    """For pairs in JSON; the first that fits a key decides, what none fits stays. Without rules, see `protect`."""
    strategy: Strategy = Strategy()
    """For compressors with a causal model; others ignore it."""
    documents: Documents | None = None
    """Where documents and the question stand; without it a text has neither."""
    force_tokens: tuple[str, ...] = ("\n", "?")
    """Words or characters that always stay."""
    force_reserve_digit: bool = False
    """Whether every word with a digit stays, protected or not."""
    drop_consecutive: bool = False
    """Whether force tokens are dropped where nothing between them was kept."""
    chunk_end_tokens: tuple[str, ...] = (".", "\n")
    """Where a text longer than the model's window is preferably cut."""
    token_to_word: Literal["mean", "first"] = "mean"
    """How a word's probability follows from those of its pieces."""
    min_rate: Rate | None = None
    """Lowest rate that a request may ask for; by default the lowest of `ranges`."""
    min_saved_tokens: Tokens = 50
    """A text that would save fewer tokens is left alone."""
    deadline_ms: float = Field(default=300.0, gt=0)
    """What isn't shortened by then goes up as it is, now and on later turns."""
    on_failure: Literal["forward", "reject"] = "forward"
    """`forward` sends the original when compression fails; `reject` answers 503."""
    recover: bool = False
    """Whether an answer that repeats words of a shortened text gets back what was dropped between them."""

    def lowest_rate(self) -> float:
        """The strongest compression that a request may ask for, in (0, 1]."""
        if self.min_rate is not None:
            return self.min_rate
        return min((r.rate for r in self.ranges if r.rate is not None), default=1.0)


class Match(Section):
    """What a request must look like for a route, beside its path."""

    model: tuple[str, ...] = ()
    """Globs, one of which the request's `model` must match; paths other than chat completions ignore it."""
    header: dict[str, str] = {}
    """Headers with the globs that their values must match."""

    @field_validator("model", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

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
    """A name from `policies`; without one, requests pass through untouched."""
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
    compressors: dict[str, Compressor] = {"default": Compressor()}
    """Methods with their models."""
    policies: dict[str, Policy] = {}
    """What is done to texts."""
    routes: tuple[Route, ...] = Field(min_length=1)
    """Which request goes where; the first that matches."""
    store: StoreConfig = StoreConfig()
    """Where decisions are remembered; a plain URL will do."""
    max_body_bytes: int = Field(default=32 * 2**20, gt=0)
    """Largest chat request, decoded; a larger one answers 413."""
    max_in_flight: int = Field(default=4096, gt=0)
    """Most requests served at a time by each worker; one more answers 503."""

    @field_validator("store", mode="before", json_schema_input_type=str | StoreConfig)
    @classmethod
    def _plain_url(cls, value: object) -> object:
        return {"url": value} if isinstance(value, str) else value


def default_config(base_url: str) -> Config:
    """What `laconic serve` does without a file: one upstream, the embedded model, a careful policy."""
    return Config(
        upstreams={"default": Upstream(base_url=base_url)},
        # A second, so that a prompt of some thousand tokens is shortened on a CPU as well.
        policies={"careful": Policy(deadline_ms=1000)},
        routes=(Route(name="default", upstream="default", policy="careful", overrides=frozenset({"mode"})),),
    )
