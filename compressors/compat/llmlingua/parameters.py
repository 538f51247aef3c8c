"""The parameters of `llmlingua` 0.2.2 and what follows from them alone. Knows no texts, no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compressors.errors import CompressionError
from compressors.expression import budget

RANK_METHODS = ("llmlingua", "longllmlingua", "bm25", "gzip")
"""Of the package's rankers those that need no other model; the first two are the causal model's."""
IGNORED = frozenset(
    {
        "target_context",
        "context_level_rate",
        "context_level_target_token",
        "return_word_label",
        "word_sep",
        "label_sep",
        "token_to_word",
        "force_tokens",
        "force_reserve_digit",
        "drop_consecutive",
        "chunk_end_tokens",
    }
)
"""Parameters that only LLMLingua-2 reads."""
_CONDITIONS = ("none", "before", "after")
_HIDDEN = "_condition"
_NO_TARGET = 100
"""What the package takes for a budget if the target is negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The package's parameters under the package's names; -1 stands for "not given".

    Raises `CompressionError` if one is out of its range.
    """

    instruction: str = ""
    question: str = ""
    rate: float = 0.5
    target_token: float = -1
    iterative_size: int = 200
    force_context_ids: Sequence[int] | None = None
    force_context_number: int | None = None
    use_sentence_level_filter: bool = False
    use_context_level_filter: bool = True
    use_token_level_filter: bool = True
    keep_split: bool = False
    keep_first_sentence: int = 0
    keep_last_sentence: int = 0
    keep_sentence_number: int = 0
    high_priority_bonus: int = 100
    context_budget: str = "+100"
    token_budget_ratio: float = 1.4
    condition_in_question: str = "none"
    reorder_context: str = "original"
    dynamic_context_compression_ratio: float = 0.0
    condition_compare: bool = False
    add_instruction: bool = False
    rank_method: str = "llmlingua"
    concate_question: bool = True
    strict_preserve_uncompressed: bool = True

    def __post_init__(self) -> None:
        allowed = {
            "rate": (self.rate <= 1, "up to 1"),
            "iterative_size": (self.iterative_size > 0, "above 0"),
            "rank_method": (self.rank_method in RANK_METHODS, ", ".join(RANK_METHODS)),
            "condition_in_question": (
                self.condition_in_question.replace(_HIDDEN, "") in _CONDITIONS,
                f"{', '.join(_CONDITIONS)}, each also with {_HIDDEN}",
            ),
            "question": (
                bool(self.question) or self.rank_method != "longllmlingua",
                "one, for longllmlingua",
            ),
        }
        for name, (valid, values) in allowed.items():
            if not valid:
                raise CompressionError(f"{name} can't be {getattr(self, name)!r}; allowed: {values}")
        self.context_tokens(0.0)

    @property
    def condition(self) -> str:
        """Where the question stands when the model ranks: none, before or after."""
        if self.rank_method == "llmlingua":
            return "none"
        if self.rank_method == "longllmlingua" and self.condition_in_question == "none" and not self.hides:
            return "after"
        return self.condition_in_question.replace(_HIDDEN, "")

    @property
    def hides(self) -> bool:
        """Whether the question stands before the contexts, unseen, while tokens are judged."""
        return self.condition_compare or _HIDDEN in self.condition_in_question

    @property
    def descending(self) -> bool:
        """Whether the most surprising texts rank first."""
        return self.condition == "none"

    def target(self, instruction: int, question: int, contexts: int) -> float:
        """Tokens of the contexts that stay, from the lengths of all parts in the model's tokens.

        Negative where the instruction and the question alone are too long.
        """
        if self.target_token != -1:
            return self.target_token
        whole = (instruction + question + contexts) * self.rate
        return whole - instruction - (question if self.concate_question else 0)

    def context_tokens(self, target: float) -> float:
        """Tokens up to which whole contexts stay."""
        wanted = _NO_TARGET if target < 0 else target
        return budget(self.context_budget, wanted) if self.context_budget.strip() else wanted

    def sentence_tokens(self, target: float) -> float:
        """Tokens up to which whole sentences stay."""
        return (_NO_TARGET if target < 0 else target) * self.token_budget_ratio
