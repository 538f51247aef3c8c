"""What a policy plans for the texts of a request, as a table."""

from __future__ import annotations

from rich.table import Table

from policies.groups import Text, arrival_groups, settings
from policies.plan import TextPlan, plan_text
from policies.routes import Choice
from policies.tokens import encoding_name, tokenizer
from proxy.cli.worth import Worth
from proxy.dialects import chat


def plans(body: chat.ChatBody, choice: Choice, worth: Worth) -> Table:
    """What happens to each text of a request under the choice's policy; the texts themselves are not shown."""
    policy = choice.policy
    assert policy is not None
    encoding = encoding_name(body.model)
    counter = tokenizer(encoding)
    groups = arrival_groups(body.roles)
    if policy.looks_at_tools:
        body = body.with_tools()
    table = Table(
        "message", "role", "group", "tokens", "what happens", "protected", "expected tokens",
        "pays within", title=f"policy {choice.policy_name}, counted with {encoding}", show_footer=True,
    )  # fmt: skip
    texts = [
        Text(slot.role, slot.text, groups[slot.message], number < body.marked)
        for number, slot in enumerate(body.slots)
    ]
    around = settings(texts, set(groups), policy.documents)
    made = []
    for slot, text in zip(body.slots, texts, strict=True):
        plan = plan_text(
            text, policy, counter, rate=choice.rate, tags=choice.route.tags, setting=around.get(text)
        )
        made.append(plan)
        table.add_row(
            "–" if slot is body.tools else str(slot.message), slot.role, str(groups[slot.message]),
            str(plan.original_tokens), _action(plan), _protected(plan, slot.text), str(plan.expected_tokens),
            worth.limit(plan, slot.text),
        )  # fmt: skip
    table.columns[3].footer = str(sum(plan.original_tokens for plan in made))
    table.columns[6].footer = str(sum(plan.expected_tokens for plan in made))
    for column in (0, 2, 3, 6, 7):
        table.columns[column].justify = "right"
    return table


def _action(plan: TextPlan) -> str:
    if plan.skip is not None and plan.expected_tokens < plan.original_tokens:
        return f"words left alone: {plan.skip}"
    if plan.skip is not None:
        return f"left alone: {plan.skip}"
    measures = dict.fromkeys(piece.measure for piece in plan.pieces)
    words = []
    for measure in measures:
        if measure.rate is not None:
            words.append(f"rate {measure.rate:g}")
        elif measure.target_tokens is not None:
            words.append(f"at most {measure.target_tokens} tokens")
        else:
            words.append(f"words of probability {measure.min_probability:g} or more")
    return "shortened: " + ", ".join(words) + _context(plan)


def _context(plan: TextPlan) -> str:
    """What is known beside the text's own words; the question itself is not shown."""
    documents = sum(len(piece.documents) for piece in plan.pieces)
    words = f"; {documents} documents" if documents else ""
    if any(piece.bundle is not None for piece in plan.pieces):
        words += "; one of several results"
    return words + ("; for a question" if any(piece.question for piece in plan.pieces) else "")


def _protected(plan: TextPlan, text: str) -> str:
    blocks = [span for piece in plan.pieces for span in piece.blocks]
    inline = [span for piece in plan.pieces for span in piece.inline]
    if not blocks and not inline:
        return "–"
    share = sum(end - start for start, end in (*blocks, *inline)) / len(text)
    return f"{len(blocks)} blocks, {len(inline)} spans ({share:.0%})"
