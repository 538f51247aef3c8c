"""The tool definitions of a request, as one text: the JSON that they stand in.

Agents send them with every step. What they describe is prose, much of which the names beside it say again; names,
types and enumerations are what the upstream holds answers to.
"""

from __future__ import annotations

from policies.json_rules import json_sections
from policies.rules import JsonRule, Range
from policies.segments import Section

TOOLS = "tools"
"""The role by which target rules speak of them."""


def descriptions(text: str, reach: Range | None) -> tuple[Section, ...]:
    """Split tool definitions so that only descriptions may be shortened, by the rate of `reach`; none without one."""
    if reach is None or reach.rate is None or reach.rate == 1:
        return (Section((0, len(text)), None, compress=False),)
    return json_sections(text, [JsonRule(key=("description",), rate=reach.rate)])
