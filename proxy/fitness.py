"""Whether models can do what policies ask of them, as far as it can be told before they are loaded."""

from __future__ import annotations

from compressors import ModelError, require_questions
from policies.config import Config


def require_fit_models(config: Config) -> None:
    """Raises `CompressionError` naming policy, setting and model if a policy asks for what its model can't do."""
    for name, policy in config.policies.items():
        if policy.strategy.question_aware:
            try:
                require_questions(config.compressors[policy.compressor].model)
            except ModelError as error:  # which begins with the setting
                raise ModelError(f"policies.{name}.strategy.{error}") from error
