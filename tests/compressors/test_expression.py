"""A budget expression has the value that Python gives it, and nothing else is ever carried out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressors import CompressionError
from compressors.expression import budget

NUMBERS = st.sampled_from(["0", "1", "7", "100", "1.5", ".25", "2."])
OPERATORS = st.sampled_from(["+", "-", "*", "/", " + ", "* ", " -", "/-", "+-", "--"])
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda parts: st.one_of(
        st.tuples(parts, OPERATORS, parts).map("".join), parts.map("({})".format), parts.map("-{}".format)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+100", 600),
        ("*1.3", 650),
        ("-50", 450),
        ("*2+100", 1100),
        ("*1.1 + 50", 600),
        ("/ 4 * 2", 250),
        ("+10*2", 520),
        ("-600", -100),
        ("*-(1 - 3)", 1000),
        ("800", 800),
        (" (3 + 5) * 100 ", 800),
    ],
)
def test_a_leading_operator_applies_to_the_target(text: str, value: float) -> None:
    assert budget(text, target=500) == pytest.approx(value, rel=1e-12)


@given(operator=st.sampled_from("+-*/"), expression=EXPRESSIONS, target=st.integers(-5, 3000))
def test_the_value_is_that_of_python(operator: str, expression: str, target: int) -> None:
    text = operator + expression
    try:
        expected = eval("target" + text, {"target": target})
    except ZeroDivisionError:
        with pytest.raises(CompressionError, match="division by zero at character"):
            budget(text, target)
    else:
        assert budget(text, target) == expected


@given(text=st.text(st.sampled_from([*"0123456789.+-*/() x_e"]), max_size=12))
def test_every_text_has_a_value_or_a_clear_error(text: str) -> None:
    try:
        value = budget(text, 500)
    except CompressionError:
        return
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("+10x", "unexpected 'x' at character 4"),
        ("**2", "unexpected '\\*' at character 2"),
        ("//2", "unexpected '/' at character 2"),
        ("+ __import__('os')", "unexpected '_' at character 3"),
        ("+1e5", "unexpected 'e' at character 3"),
        ("+1,000", "unexpected ',' at character 3"),
        ("+(1", "unexpected end"),
        ("+1)", r"unexpected '\)' at character 3"),
        ("+", "unexpected end"),
        ("", "unexpected end"),
        ("+()", r"unexpected '\)' at character 3"),
        ("+٣", "unexpected '٣' at character 2"),
        ("/0", "division by zero at character 1"),
        ("+1/(2-2)", "division by zero at character 3"),
        ("*" + "9" * 400, "too large"),
        ("+" + "(" * 5000 + "1" + ")" * 5000, "more than 20 parentheses"),
    ],
)
def test_anything_else_is_refused_by_character_and_place(text: str, complaint: str) -> None:
    with pytest.raises(CompressionError, match=complaint):
        budget(text, 500)


def test_signs_nest_without_a_bound() -> None:
    assert budget("+" + "-" * 10_000 + "1", 5) == 6
