"""How a causal model's methods spend a budget: the choices that the papers leave to the user.

Owns names, defaults and ranges. Knows no method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from compressors.errors import CompressionError
from compressors.expression import budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How LLMLingua and LongLLMLingua spend a budget.

    LLMLingua-2 looks at `document_filter` and `question_aware` and, if both are set and there is a question, at
    `rankers`, `document_budget`, `kept_documents` and `min_documents`.

    The llmlingua package's names, where they differ, are in brackets.
    """

    rankers: tuple[str, ...] = ("bm25", "embedding")
    """What ranks documents and sentences by the question: `bm25`, `embedding` with the model that ships, `perplexity`
    of the causal model, `gzip`, `embedding:MODEL` or `reranker:MODEL`; several are fused [rank_method]."""
    condition: Literal["after", "before", "none"] = "after"
    """Whether `perplexity` reads the question after the document, before it, or not at all
    [condition_in_question]."""
    restrictive: str = " We can get the answer to this question in the given documents."
    """Sentence that follows the question where `perplexity` ranks by it, best in the prompts' language."""
    document_filter: bool = True
    """Whether whole documents may go [use_context_level_filter]."""
    document_budget: str = "*1"
    """Arithmetic that follows the target and gives the tokens of the documents that stay, as in `+100`; the
    one that exceeds it stays as well [context_budget]."""
    kept_documents: tuple[int, ...] = ()
    """Documents that stay in any case, by place from 0 [force_context_ids]."""
    min_documents: int = 0
    """At least so many documents stay [force_context_number]."""
    order: Literal["original", "sort", "two_stage"] = "original"
    """How documents that stay are arranged: as they came, best first, or best at both ends
    [reorder_context]."""
    dynamic_ratio: float = 0.3
    """How much more of the document that fits the question best than of the worst stays, in [0, 1]; 0 leaves
    it to the words [dynamic_context_compression_ratio]."""
    sentence_filter: bool = False
    """Whether whole sentences may go before words do [use_sentence_level_filter]."""
    sentence_budget: float = 1.4
    """Tokens of the sentences that stay, as a multiple of the target [token_budget_ratio]."""
    first_sentences: int = 0
    """Sentences at each document's start that are preferred [keep_first_sentence]."""
    last_sentences: int = 0
    """Sentences at each document's end that are preferred [keep_last_sentence]."""
    min_sentences: int = 0
    """At least so many sentences stay [keep_sentence_number]."""
    token_filter: bool = True
    """Whether words go; without it only documents and sentences do [use_token_level_filter]."""
    contrast: bool = True
    """Whether a word counts by how much the question lessens its surprise, not by its surprise alone
    [condition_compare]."""
    segment_tokens: int | None = None
    """Tokens that are judged at a time, given what was kept before them; None judges all at once, given all
    that stands before them [iterative_size]."""
    question_aware: bool = False
    """Whether a token classifier reads the question before each chunk of the text; for models trained so."""

    def __post_init__(self) -> None:
        """Raises `CompressionError` for a number out of its range, an unknown word, or no arithmetic."""
        budget(self.document_budget, 1.0)
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
