"""What every compressor takes and gives: a `Job` in, a `Compressed` out.

Owns the vocabulary of this package. Knows no method, no model, no tensor: importing it is cheap.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

Span = tuple[int, int]
"""A half-open range of characters, `start < end`, of the text it belongs to."""


class Tokenizer(Protocol):
    """The tokens a text is billed in."""

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""

    def starts(self, text: str) -> Collection[int]:
        """Character offset at which each token of `text` starts, ascending, one entry a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How LLMLingua and LongLLMLingua spend a budget; methods without a causal model ignore it.

    The llmlingua package's names, where they differ, are in brackets.
    """

    rankers: tuple[str, ...] = ("bm25", "perplexity")
    """What ranks documents and sentences by the question: `perplexity` of the causal model, `bm25`, `gzip`,
    `embedding:MODEL` or `reranker:MODEL`; several are fused [rank_method]."""
    condition: Literal["after", "before", "none"] = "after"
    """Whether `perplexity` reads the question after the document, before it, or not at all
    [condition_in_question]."""
    restrictive: str = " We can get the answer to this question in the given documents."
    """Sentence that follows the question where `perplexity` ranks by it, best in the prompts' language."""
    document_filter: bool = True
    """Whether whole documents may go [use_context_level_filter]."""
    document_budget: str = "*1.3"
    """Arithmetic that follows the target and gives the tokens of the documents that stay, as in `+100`
    [context_budget]."""
    kept_documents: tuple[int, ...] = ()
    """Documents that stay in any case, by place from 0 [force_context_ids]."""
    min_documents: int = 0
    """At least so many documents stay [force_context_number]."""
    order: Literal["original", "sort", "two_stage"] = "original"
    """How documents that stay are arranged: as they came, best first, or best at both ends
    [reorder_context]."""
    dynamic_ratio: float = 0.0
    """How much more of the best document than of the worst stays, in [0, 1]
    [dynamic_context_compression_ratio]."""
    sentence_filter: bool = False
    """Whether whole sentences may go before words do [use_sentence_level_filter]."""
    sentence_budget: float = 1.4
    """Tokens of the sentences that stay, as a multiple of the target [token_budget_ratio]."""
    first_sentences: int = 0
    """Sentences at each document's start that are preferred [keep_first_sentence]."""
    last_sentences: int = 0
    """Sentences at each document's end that are preferred [keep_last_sentence]."""
    token_filter: bool = True
    """Whether words go; without it only documents and sentences do [use_token_level_filter]."""
    contrast: bool = True
    """Whether a word counts by how much the question lessens its surprise, not by its surprise alone
    [condition_compare]."""
    segment_tokens: int | None = None
    """Tokens that are judged at a time, given what was kept before them; None judges all at once, given all
    that stands before them [iterative_size]."""

    def __post_init__(self) -> None:
        """Raises `CompressionError` for a number out of its range or an unknown word."""
        allowed = {
            "condition": (self.condition in ("after", "before", "none"), "after, before, none"),
            "order": (self.order in ("original", "sort", "two_stage"), "original, sort, two_stage"),
            "rankers": (bool(self.rankers), "at least one"),
            "dynamic_ratio": (0 <= self.dynamic_ratio <= 1, "0 to 1"),
            "sentence_budget": (self.sentence_budget > 0, "above 0"),
            "segment_tokens": (self.segment_tokens is None or self.segment_tokens >= 8, "8 and more"),
        }
        for name, (valid, values) in allowed.items():
            if not valid:
                raise CompressionError(f"{name} can't be {getattr(self, name)!r}; allowed: {values}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One text to shorten and how far.

    Exactly one selection applies: `min_probability` if set, else `target_tokens` if set, else `rate`.
    """

    text: str
    rate: float = 0.5
    """Share of the tokens outside `verbatim` that stays, in (0, 1]; 1 is the identity."""
    target_tokens: int | None = None
    """At most this many tokens of the whole text stay, `verbatim` included."""
    min_probability: float | None = None
    """Keep each word whose keep probability is at least this, in [0, 1]."""
    verbatim: tuple[Span, ...] = ()
    """Blocks copied as they are and not shown to the model (code, JSON, tables …): ascending, disjoint."""
    forced: tuple[Span, ...] = ()
    """Inline spans that always stay but are shown to the model (numbers, URLs …): ascending, disjoint."""
    force_tokens: tuple[str, ...] = ()
    """Words or characters that stay wherever they occur."""
    force_reserve_digit: bool = False
    """Words that hold a digit stay."""
    drop_consecutive: bool = False
    """Of equal force tokens with nothing kept between them only the first stays."""
    chunk_end_tokens: tuple[str, ...] = (".", "\n")
    """Where a text longer than the model's window is preferably cut."""
    token_to_word: Literal["mean", "first"] = "mean"
    """How a word's probability follows from its tokens'."""
    contexts: tuple[Span, ...] = ()
    """The documents inside `text`, if whole ones may be dropped: ascending, disjoint. What lies between two
    of them goes with the second."""
    heads: tuple[Span, ...] = ()
    """Parts of documents that stay as long as the document does (numbers, titles, tags): ascending, disjoint."""
    question: str = ""
    """What the text is read for; LongLLMLingua keeps what helps to answer it."""
    strategy: Strategy = Strategy()
    """How the budget is spent on documents, sentences and words."""
    context_rate: float | None = None
    """Share of the documents' tokens that stays after whole documents were dropped, in (0, 1]."""
    word_labels: bool = False
    """Whether `Compressed.words` is wanted."""
    tokenizer: Tokenizer | None = None
    """Counts the budget; the model's own tokenizer where none is given."""

    def __post_init__(self) -> None:
        """Raises `CompressionError` if a rate, a target or a span is out of its range."""
        ranges: dict[str, tuple[float | None, bool]] = {
            "rate": (self.rate, self.rate > 0),
            "target_tokens": (self.target_tokens, self.target_tokens is None or self.target_tokens >= 0),
            "min_probability": (self.min_probability, 0 <= (self.min_probability or 0) <= 1),
            "context_rate": (self.context_rate, self.context_rate is None or self.context_rate > 0),
        }
        for name, (value, valid) in ranges.items():
            if not valid:
                raise CompressionError(f"{name} can't be {value}")
        for name in ("verbatim", "forced", "contexts", "heads"):
            end = 0
            for span in getattr(self, name):
                if not end <= span[0] < span[1] <= len(self.text):
                    raise CompressionError(f"{name}: {span} overlaps another span or isn't in the text")
                end = span[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A unit that is kept or dropped as a whole."""

    span: Span
    probability: float
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressed:
    """What stays of a job's text: `text` is the concatenation of `spans` of the original."""

    spans: tuple[Span, ...]
    """Disjoint; ascending unless documents were rearranged."""
    text: str
    original_tokens: int
    compressed_tokens: int
    dropped: tuple[Span, ...] = ()
    """Documents and sentences that went as a whole, protected parts included; ascending, disjoint."""
    unreadable: bool = False
    """The model can't read this text's language; it was left whole."""
    words: tuple[Word, ...] = ()


@runtime_checkable
class Compressor(Protocol):
    """Shortens texts; safe to call from one thread at a time."""

    fingerprint: str
    """Names the model and everything else, apart from the job, that its decisions depend on."""

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """Shorten each job's text, in order; a job's result doesn't depend on its neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatResult:
    """What `compress_prompt` of the llmlingua package returns, under the keys of its dict."""

    compressed_prompt: str
    compressed_prompt_list: list[str]
    origin_tokens: int
    compressed_tokens: int
    ratio: str
    rate: str
    saving: str
    fn_labeled_original_prompt: str | None


@runtime_checkable
class PromptCompressor(Compressor, Protocol):
    """A compressor that also takes whole calls of the llmlingua package."""

    def compress_prompt(
        self, context: str | Sequence[str], tokenizer: Tokenizer | None = None, **parameters: Any
    ) -> CompatResult:
        """The package's `compress_prompt(context, ...)`, by the package's parameter names."""


class CompressionError(Exception):
    """A job or a model that a compressor can't work with; the message names what and why."""
