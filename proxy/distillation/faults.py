"""Why an answer is no shortened text. Knows texts and replies; how well they align is measured elsewhere."""

from __future__ import annotations

import re

from proxy.distillation.upstream import Reply

_REFUSAL = re.compile(
    r"\W*(?:(?:i['’]m|i am) (?:sorry|unable|not able)|sorry,? (?:but )?i|i can(?:['’]t|not)|as an ai\b)",
    re.IGNORECASE,
)


def fault(text: str, reply: Reply) -> str | None:
    """What is wrong with a reply to `text`: `refused`, `empty`, `cut off`, `longer than the text`; else None."""
    found = reply.text.strip()
    refusal = _REFUSAL.match(found)
    if reply.refused or reply.finish_reason == "content_filter":
        return "refused"
    if not found:
        return "empty"
    if refusal is not None and refusal[0].casefold() not in text.casefold():
        return "refused"
    if reply.finish_reason == "length":
        return "cut off"
    return "longer than the text" if len(found) > len(text) else None
