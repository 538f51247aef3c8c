"""Plans as jobs, and what the results of jobs say about each text."""

from __future__ import annotations

from typing import Any

from compressors import Compressed
from policies.groups import Text, settings
from policies.plan import plan_text
from policies.policy import Policy
from policies.tokens import tokenizer
from proxy.pipeline.jobs import Commission, commissions, remainders

COUNTER = tokenizer("o200k_base")
SENTENCE = "The town has an old harbour and a bridge that nobody crosses after dark any more. "


def jobs(*results: str, **fields: Any) -> list[Commission]:
    """The jobs that the results of tools make which arrived together."""
    base = {"targets": [{"role": "tool"}], "ranges": [{"rate": 0.4}], "min_saved_tokens": 5}
    policy = Policy.model_validate(base | {"documents": {"split": "auto"}} | fields)
    request = [Text("user", "who crosses the bridge?", 0), *(Text("tool", text, 1) for text in results)]
    around = settings(request, {1}, policy.documents)
    texts = {str(number).encode(): text for number, text in enumerate(request) if text.group}
    plans = {key: plan_text(text, policy, COUNTER, setting=around[text]) for key, text in texts.items()}
    return list(commissions(texts, plans, policy, COUNTER))


RESULTS = [f"{name} {SENTENCE * 6}" for name in ("First", "Second", "Third")]


def test_results_that_arrive_together_make_one_prompt() -> None:
    [made] = jobs(*RESULTS)
    assert [made.job.text[slice(*span)] for span in made.job.contexts] == RESULTS
    assert made.job.question == "who crosses the bridge?"
    assert made.job.rate == 0.4
    assert not made.job.strategy.document_filter
    assert made.job.strategy.order == "original"


def test_one_result_is_a_prompt_without_documents() -> None:
    [made] = jobs(RESULTS[0])
    assert made.job.text == RESULTS[0]
    assert made.job.contexts == ()


def test_each_text_gets_its_own_part_of_a_result() -> None:
    [made] = jobs(*RESULTS)
    (_, first), second, third = made.job.contexts
    kept = ((2, 7), (first - 3, second[0] + 6), third)  # the second span reaches across the separator
    result = Compressed(
        spans=kept, text="", original_tokens=0, compressed_tokens=0, dropped=((third[0], third[0] + 4),)
    )
    left = [remainder for _, remainder in remainders(made, result)]
    assert left[0].spans == ((2, 7), (len(RESULTS[0]) - 3, len(RESULTS[0])))
    assert left[1].spans == ((0, 6),)
    assert left[2].spans == ((0, len(RESULTS[2])),)
    assert [remainder.dropped for remainder in left] == [(), (), ((0, 4),)]


def test_each_result_is_shortened_as_far_as_its_range_says() -> None:
    ranges = [{"min_tokens": 20, "max_tokens": 300, "rate": 0.9}, {"min_tokens": 301, "rate": 0.2}]
    short, long = RESULTS[0], f"Other {SENTENCE * 40}"
    found = {made.job.text: made.job.rate for made in jobs(short, long, ranges=ranges)}
    assert found == {short: 0.9, long: 0.2}


def test_targets_add_up() -> None:
    [made] = jobs(*RESULTS, ranges=[{"target_tokens": 40}])
    assert made.job.target_tokens == 120
