"""The schema of a policy: which texts are shortened, how far, and what is protected.

Owns the sections below `policies` in the configuration file, and what all sections are. Knows nothing of what is
served (`config.py`), neither files nor YAML (`loading.py`).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from policies.protection import KINDS, ProtectKind

Mode = Literal["on", "shadow", "off"]
Rate = Annotated[float, Field(gt=0, le=1)]
Tokens = Annotated[int, Field(ge=0)]
JsonLayout = Literal["as_is", "compact", "tabular"]
OneOrMany = BeforeValidator(
    lambda value: (value,) if isinstance(value, str) else value, json_schema_input_type=str | tuple[str, ...]
)
"""Lets a list of words be written as a single word."""


class Section(BaseModel):
    """A mapping of the file: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Target(Section):
    """A rule that says whether a text is to be shortened."""

    role: Annotated[tuple[str, ...], OneOrMany]
    """Roles of the messages that the rule speaks of; `tools` are the descriptions in the request's tool definitions."""
    min_tokens: Tokens = 0
    """The rule fits texts of at least this many tokens."""
    mode: Literal["on", "off"] = "on"
    """`off` leaves the text alone."""
    rate: Rate | None = None
    """Share that stays of such texts, whatever `ranges` say."""


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

    key: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], OneOrMany] = Field(min_length=1)
    """Globs for the key, or with dots for the last keys of its path, in which lists don't count."""
    rate: Rate | None = None
    """Share of the tokens that stays of the string, or of each string in the list, that the key names."""
    compress: bool = True
    """`false` leaves the value alone, with all keys in it."""
    remove: bool = False
    """`true` leaves out key and value."""

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


class BreakEven(Section):
    """Weighs the tokens that a text is expected to save against the time that the compressor will need for it."""

    value: Literal["price", "latency", "off"] = "price"
    """What a token is worth: its `price`, or the `latency` that the upstream needs to read it; `off` weighs nothing.
    What isn't known of one is taken from the other, and without either every saving counts as worth it."""
    usd_per_second: float | None = Field(default=None, gt=0)
    """What a second of the compressor costs: by `price`, a text is shortened if that saves more. By default what
    renting one costs: 0.001 with a GPU (3.60 an hour), 0.00003 without (0.11 an hour)."""


class Policy(Section):
    """What is shortened, how far, what is protected, and what happens when it doesn't work."""

    extends: Literal["agents", "chat", "meetings", "rag"] | None = None
    """A built-in policy, whose settings hold where the policy gives none of its own."""
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
    protect: frozenset[ProtectKind] = frozenset(KINDS)
    """What is never dropped."""
    json_rules: tuple[JsonRule, ...] = ()
    """For pairs in JSON; the first that fits a key decides, what none fits stays. Without rules, see `protect`."""
    json_layout: JsonLayout = "as_is"
    """How JSON is written: `compact` without white space, `tabular` also with the keys of like objects named once."""
    comments: Rate | None = None
    """Share of the words in code's comments and docstrings that stays; without it, code stays as `protect` says."""
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
    on_failure: Literal["forward", "reject", "forward_unless_overflow"] = "forward"
    """What happens when compression fails: `forward` sends the original, `reject` answers 503, and
    `forward_unless_overflow` answers 503 only where the original would not fit the model's context window."""
    adopt: Literal["new_messages_only", "all"] = "new_messages_only"
    """Which messages of a conversation that was running before laconic saw it are shortened: those that arrive from
    then on, or `all`, which sends other bytes for the old ones once."""
    keep_cacheable: bool = True
    """Whether a conversation is only shortened beyond the length from which its model's provider caches prompts (1,024
    tokens as a rule), so that no later turn pays more."""
    holdout: float = Field(default=0.0, ge=0, lt=1)
    """Share of conversations that go up as they came, so that savings can be measured against them."""
    break_even: BreakEven = BreakEven()
    """When a saving is worth the time that it takes."""
    recover: bool = False
    """Whether an answer that repeats words of a shortened text gets back what was dropped between them."""

    @property
    def looks_at_tools(self) -> bool:
        """Whether a rule speaks of tool definitions."""
        return any("tools" in target.role for target in self.targets)

    @property
    def reshapes_json(self) -> bool:
        """Whether something may go that no compressor needs to be asked about."""
        return bool(self.json_rules) or self.json_layout != "as_is"

    def lowest_rate(self) -> float:
        """The strongest compression that a request may ask for, in (0, 1]."""
        if self.min_rate is not None:
            return self.min_rate
        return min((r.rate for r in self.ranges if r.rate is not None), default=1.0)
