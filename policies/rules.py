"""The schema of what stands in a policy: rules for texts, for JSON, for documents, and for how a budget is spent.

Owns the sections below a policy in the configuration file, and what all sections are.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

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
    """How LLMLingua and LongLLMLingua spend a budget on documents, sentences and words, and what LLMLingua-2 reads."""

    rankers: tuple[str, ...] = Field(default=("bm25", "embedding"), min_length=1)
    """What ranks documents: `bm25`, `embedding`, `perplexity`, `gzip`, `embedding:MODEL`, `reranker:MODEL`."""
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
    question_aware: bool = False
    """Whether `llmlingua2` reads each text for the question that arrived with it; for models trained on questions."""


class BreakEven(Section):
    """Weighs the tokens that a text is expected to save against the time that the compressor will need for it."""

    value: Literal["price", "latency", "off"] = "price"
    """What a token is worth: its `price`, or the `latency` that the upstream needs to read it; `off` weighs nothing.
    What isn't known of one is taken from the other, and without either every saving counts as worth it."""
    usd_per_second: float | None = Field(default=None, gt=0)
    """What a second of the compressor costs: by `price`, a text is shortened if that saves more. By default what
    renting one costs: 0.001 with a GPU (3.60 an hour), 0.00003 without (0.11 an hour)."""
