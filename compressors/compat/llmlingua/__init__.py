"""The parity mode of LLMLingua and LongLLMLingua: the text of the `llmlingua` package, version 0.2.2.

Owns the calls that the package knows, and jobs. Where the package fails (an empty context, text that doesn't
survive the tokenizer, more windows than it planned) this gives something sensible. Knows no tensors
(`compressors.causal`) and no stage of the compression (`stages`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from compressors.base import CompatResult, Compressed, Job, Tokenizer
from compressors.causal import Causal
from compressors.compat.llmlingua.codec import Codec
from compressors.compat.llmlingua.contexts import Context
from compressors.compat.llmlingua.jobs import compressed, contexts_of, parameters_of
from compressors.compat.llmlingua.json_pairs import parsed, tagged_pairs
from compressors.compat.llmlingua.parameters import IGNORED, Parameters
from compressors.compat.llmlingua.prefix import JOINT
from compressors.compat.llmlingua.recovery import recovered
from compressors.compat.llmlingua.report import report
from compressors.compat.llmlingua.sentences import Split, punkt
from compressors.compat.llmlingua.stages import Stages, target_tokens
from compressors.compat.llmlingua.structured import tagged
from compressors.errors import CompressionError


class LLMLinguaCompat:
    """The package's LLMLingua and LongLLMLingua, for any causal model.

    `method`, `llmlingua` or `longllmlingua`, ranks where a call doesn't say. `window` is the most tokens of
    one sequence, the causal model's own where none is given. `split` cuts texts into sentences; the package
    takes nltk's punkt model, which is used here if it is installed.
    """

    def __init__(
        self,
        tokenizer: Any,
        causal: Causal,
        fingerprint: str,
        *,
        method: str = "llmlingua",
        window: int | None = None,
        split: Split = punkt,
    ) -> None:
        self.fingerprint = fingerprint
        self._method = method
        self._codec = Codec(tokenizer)
        self._causal = causal
        self._window = window or causal.window
        self._split = split

    def compress_prompt(
        self, context: str | Sequence[str], tokenizer: Tokenizer | None = None, **parameters: Any
    ) -> CompatResult:
        """The package's `compress_prompt(context, ...)`; see `Parameters`. Those of LLMLingua-2 do nothing.

        `tokenizer` counts what is reported, which the package does with tiktoken's cl100k_base; without one
        the model's own is used. Raises `CompressionError` for a parameter that is unknown or out of range.
        """
        settings = self._settings(parameters)
        codec = self._codec.session()
        contexts = [Context(n, text, ((0, len(text)),)) for n, text in enumerate(_texts(context))]
        return self._report(contexts, settings, codec, tokenizer or codec)

    def structured_compress_prompt(
        self, context: str | Sequence[str], tokenizer: Tokenizer | None = None, **parameters: Any
    ) -> CompatResult:
        """The package's `structured_compress_prompt(context, ...)`: texts with tags, see `structured`.

        Raises `CompressionError` like `compress_prompt`, and for a rate in a tag that is no rate.
        """
        settings = self._settings(parameters)
        codec = self._codec.session()
        texts = [codec.decode(codec.ids(text)) for text in _texts(context)]
        codec.prepare([*texts, settings.instruction, settings.question])
        target = target_tokens(codec, texts, settings)
        if settings.target_token != -1:
            settings = replace(settings, rate=min(target / max(sum(map(codec.length, texts)), 1), 1.0))
        contexts = [tagged(number, text, settings.rate) for number, text in enumerate(texts)]
        return self._report(contexts, replace(settings, target_token=target), codec, tokenizer or codec)

    def compress_json(
        self,
        json_data: Mapping[str, Any],
        json_config: Mapping[str, Mapping[str, Any]],
        tokenizer: Tokenizer | None = None,
        *,
        use_keyvalue_level_filter: bool = False,
        reorder_keyvalue: str = "original",
        **parameters: Any,
    ) -> tuple[Any, CompatResult]:
        """The package's `compress_json(json_data, json_config, ...)`: the object, and the report on its text.

        Raises `CompressionError` if the rules in `json_config` don't fit the data; see `json_pairs`.
        """
        texts, forced = tagged_pairs(json_data, json_config)
        fixed = {"add_instruction": False, "concate_question": False, "strict_preserve_uncompressed": False}
        pairs = {"use_context_level_filter": use_keyvalue_level_filter, "reorder_context": reorder_keyvalue}
        result = self.structured_compress_prompt(
            texts, tokenizer, **parameters | fixed | pairs, force_context_ids=forced
        )
        return parsed(result.compressed_prompt, json_data), result

    def recover(self, original_prompt: str, compressed_prompt: str, response: str) -> str:
        """The package's `recover`: `response` with the original's wording for what it quotes."""
        return recovered(self._codec.session(), original_prompt, compressed_prompt, response)

    def compress(self, jobs: Sequence[Job]) -> list[Compressed]:
        """The package's decisions for each job, rendered from the original text; see `jobs`.

        Raises `CompressionError` for what the package doesn't know: `min_probability`, other rankers.
        """
        return [self._compress(job) for job in jobs]

    def _compress(self, job: Job) -> Compressed:
        codec = self._codec.session()
        contexts = contexts_of(job)
        codec.prepare([context.text for context in contexts])
        settings = self._settings(parameters_of(job, self._method, contexts, codec))
        found = self._stages(settings, codec).shorten(contexts)
        return compressed(job, contexts, found, codec, job.tokenizer or codec)

    def _report(
        self, contexts: list[Context], settings: Parameters, codec: Codec, counter: Tokenizer | Codec
    ) -> CompatResult:
        original = JOINT.join([settings.instruction, *(c.text for c in contexts), settings.question]).strip()
        found = self._stages(settings, codec).shorten(contexts)
        parts = [
            settings.instruction,
            found.text if found.text.strip() else "",
            settings.question if settings.concate_question else "",
        ]
        text = JOINT.join(part for part in parts if part)
        return report(text, counter.count(original), counter.count(text))

    def _stages(self, settings: Parameters, codec: Codec) -> Stages:
        return Stages(self._causal, codec, settings, self._window, self._split)

    def _settings(self, parameters: Mapping[str, Any]) -> Parameters:
        known = {name: value for name, value in parameters.items() if name not in IGNORED}
        try:
            return Parameters(**{"rank_method": self._method, **known})
        except TypeError as error:
            raise CompressionError(
                f"not a parameter of llmlingua 0.2.2 for {self._method}: {error}"
            ) from error


def _texts(context: str | Sequence[str]) -> list[str]:
    return [context] if isinstance(context, str) and context else list(context) or [" "]
