"""How often a compressor runs on a Ray cluster: what may be said, and what a mistake is told."""

from __future__ import annotations

import pytest

from policies.config import Compressor
from policies.loading import ConfigError, load_config

_FILE = """\
upstreams: {{fake: {{base_url: "http://localhost/v1"}}}}
compressors:
  mine:
    method: llmlingua2
    ray: {options}
routes: [{{name: default, upstream: fake}}]
"""


def _compressor(options: str) -> Compressor:
    return load_config(_FILE.format(options=options), "laconic.yaml", {}).compressors["mine"]


def test_what_is_not_said_is_one_copy_without_a_gpu() -> None:
    ray = _compressor("{}").ray
    assert (ray.num_replicas, ray.max_replicas, ray.num_gpus) == (None, None, 0)
    assert ray == Compressor().ray


def test_a_fixed_number_and_a_range() -> None:
    assert _compressor("{num_replicas: 3, num_gpus: 0.25}").ray.num_replicas == 3
    ray = _compressor("{min_replicas: 2, max_replicas: 5, num_gpus: 2, max_ongoing_requests: 200}").ray
    assert (ray.min_replicas, ray.max_replicas, ray.max_ongoing_requests) == (2, 5, 200)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "{num_replicas: 2, max_replicas: 4}",
            "num_replicas, or min_replicas and max_replicas, but not both",
        ),
        ("{min_replicas: 2}", "min_replicas with max_replicas"),
        ("{min_replicas: 4, max_replicas: 2}", "min_replicas up to max_replicas"),
        ("{num_gpus: 1.5}", "found 1.5; allowed: a fraction below 1, or a whole number"),
        ("{num_replicas: 0}", "found 0; allowed: greater than or equal to 1"),
        ("{replicas: 2}", "unknown key; allowed: max_ongoing_requests, .*; did you mean num_replicas?"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(options: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"laconic\.yaml:5: compressors\.mine\.ray.*{message}"):
        _compressor(options)
