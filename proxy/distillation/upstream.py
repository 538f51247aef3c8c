"""One call of an upstream LLM through litellm, which is imported when the first is made.

Knows litellm's answers and exceptions; errors hold a status and never what was sent.
"""

from __future__ import annotations

import functools
import logging
import os
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from proxy.distillation.cost import Usage

_HOPELESS = frozenset((401, 402, 403, 404))
_PASSING = frozenset((408, 409, 425, 429))


class CallError(Exception):
    """A call that brought no answer; the message says why, without any text of the call."""

    def __init__(self, status: int, kind: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{kind}, status {status}")
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later."""
        return self.status in _PASSING or self.status >= 500

    @property
    def hopeless(self) -> bool:
        """Whether every other call would fail, too: a wrong key, model or address, or an empty account."""
        return self.status in _HOPELESS


@dataclass(frozen=True, slots=True)
class Reply:
    """What the LLM answered."""

    text: str
    finish_reason: str
    """OpenAI's: `stop`, `length`, `content_filter` …"""
    refused: bool
    usage: Usage | None
    """None where the upstream doesn't count."""


class Upstream:
    """A model of any provider that litellm knows, or behind any OpenAI-compatible `base_url`."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        temperature: float = 0.3,
        timeout_s: float = 120.0,
    ) -> None:
        """Without `api_key`, litellm reads the provider's usual variable; never for a `base_url`."""
        self.model = model
        self._options: dict[str, Any] = {"model": model, "temperature": temperature, "timeout": timeout_s}
        if api_key is not None:
            self._options["api_key"] = api_key
        if base_url is not None:
            # The key of one's account at OpenAI must not go to another server.
            self._options |= {
                "base_url": base_url,
                "custom_llm_provider": "openai",
                "api_key": api_key or "none",
            }

    async def close(self) -> None:
        """Close litellm's connections."""
        await _litellm().close_litellm_async_clients()

    async def ask(self, message: str) -> Reply:
        """The answer to one user message; raises `CallError`."""
        litellm = _litellm()
        messages = [{"role": "user", "content": message}]
        try:
            answer = await litellm.acompletion(
                messages=messages, max_retries=0, num_retries=0, drop_params=True, **self._options
            )
            return _reply(answer)
        except Exception as error:  # litellm passes on what its many clients raise
            status = getattr(error, "status_code", None)
            status = status if isinstance(status, int) else 500
            raise CallError(status, type(error).__name__, _retry_after_s(error)) from None


@functools.cache
def _litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it would fetch a price list
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)  # its errors may quote texts
    return litellm


def _reply(answer: Any) -> Reply:
    choice = answer.choices[0]
    return Reply(
        text=choice.message.content or "",
        finish_reason=str(choice.finish_reason),
        refused=bool(getattr(choice.message, "refusal", None)),
        usage=_usage(getattr(answer, "usage", None)),
    )


def _usage(counts: Any) -> Usage | None:
    if not getattr(counts, "prompt_tokens", 0):
        return None
    details = getattr(counts, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return Usage(counts.prompt_tokens, cached, counts.completion_tokens)


def _retry_after_s(error: Exception) -> float | None:
    """What the answer's `Retry-After` asks for: seconds or a date (RFC 9110, section 10.2.3)."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = headers.get("retry-after", "")
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - time(), 0.0)
    except ValueError:
        return None
