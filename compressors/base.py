"""What every compressor takes and gives: a `Job` in, a `Compressed` out.

Owns the vocabulary of this package. Knows no method, no model, no tensor: importing it is cheap.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from compressors.errors import CompressionError
from compressors.strategy import Strategy

Span = tuple[int, int]
"""A half-open range of characters, `start < end`, of the text it belongs to."""


class Tokenizer(Protocol):
    """The tokens a text is billed in."""

    def count(self, text: str) -> int:
        """Number of tokens in `text`."""

    def starts(self, text: str) -> Collection[int]:
        """Character offset at which each token of `text` starts, ascending, one entry a token."""


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
    """What the text is read for: LongLLMLingua, and LLMLingua-2 if `question_aware`, keep what helps to answer it."""
    strategy: Strategy = field(default_factory=Strategy)
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
