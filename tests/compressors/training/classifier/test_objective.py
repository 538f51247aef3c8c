"""The loss of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch.nn.functional import cross_entropy

from compressors.training.classifier.examples import Example
from compressors.training.classifier.objective import Batch, Objective, log_odds
from compressors.training.classifier.start import Start

CPU = torch.device("cpu")


def _loss(start: Start, objective: Objective, examples: Sequence[Example], pad_id: int = 0) -> torch.Tensor:
    batch = Batch.of([(0, example) for example in examples], pad_id, CPU)
    loss: torch.Tensor = objective(log_odds(start.model.eval(), batch), batch)
    return loss


def test_it_is_the_cross_entropy_of_the_words(start: Start, some: Sequence[Example]) -> None:
    example = next(example for example in some if len(example.ids) == len(example.labels) + 2)  # no pieces
    logits = start.model.eval()(input_ids=torch.from_numpy(example.ids)[None]).logits[0, 1:-1]
    expected = cross_entropy(logits, torch.from_numpy(example.labels).long(), reduction="sum")
    assert _loss(start, Objective(None, 0.0), [example]).item() == pytest.approx(expected.item(), rel=1e-5)


def test_neighbours_and_padding_change_nothing(start: Start, some: Sequence[Example]) -> None:
    objective = Objective([0.3], 0.1)
    together = _loss(start, objective, some[:12])
    alone = [_loss(start, objective, [example]).item() for example in some[:12]]
    assert len({len(example.ids) for example in some[:12]}) > 3
    assert together.item() == pytest.approx(sum(alone), rel=1e-5)


def test_what_stands_in_padding_changes_nothing(start: Start, some: Sequence[Example]) -> None:
    objective = Objective(None, 0.0)
    losses = [_loss(start, objective, some[:12], pad_id).item() for pad_id in (0, 7)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_an_offset_begins_at_the_log_odds_of_its_source_and_is_learned(some: Sequence[Example]) -> None:
    objective = Objective([0.2, 0.5], 0.0)
    assert objective.offsets is not None
    assert objective.offsets.tolist() == pytest.approx([-1.386294, 0.0], abs=1e-5)
    batch = Batch.of([(1, some[0])], 0, CPU)
    objective(torch.zeros(batch.ids.shape), batch).backward()
    assert objective.offsets.grad is not None
    words, kept = len(some[0].labels), some[0].labels.sum()
    assert objective.offsets.grad.tolist() == pytest.approx([0.0, 0.5 * words - kept])


def test_smoothing_moves_labels_towards_a_half(some: Sequence[Example]) -> None:
    batch = Batch.of([(0, some[0])], 0, CPU)
    odds = torch.full(batch.ids.shape, 9.0)
    sure, smooth, even = (float(Objective(None, smoothing)(odds, batch)) for smoothing in (0.0, 0.2, 1.0))
    assert smooth == pytest.approx(0.8 * sure + 0.2 * even, rel=1e-5)


def test_teachers_count_their_share_and_know_no_offsets(some: Sequence[Example]) -> None:
    batch = Batch.of([(0, some[0])], 0, CPU)
    odds, known = torch.full(batch.ids.shape, 0.4), torch.full(batch.ids.shape, -1.2)
    labelled = Objective([0.3], 0.0)(odds, batch).item()
    keeps, goes = known[0, 0].sigmoid(), 1.0 - known[0, 0].sigmoid()
    each = -keeps * odds[0, 0].sigmoid().log() - goes * (-odds[0, 0]).sigmoid().log()
    taught = float(each) * len(some[0].labels)
    for share in (0.0, 0.25, 1.0):
        loss = Objective([0.3], 0.0, share)(odds, batch, known).item()
        assert loss == pytest.approx((1 - share) * labelled + share * taught, rel=1e-5)
