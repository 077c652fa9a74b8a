"""Calculated findings: what a formula may say, what it comes to, and when it has no value."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from psoas.knowledge.formulas import FUNCTIONS, Undefined, parse_formula

WEEKS = (10.0, 20.0, 30.0, 60.0)


def value(text, **answers):
    """Return the value of the formula `text`."""
    return parse_formula(text).value(answers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first(w)", 10),
        ("last(w)", 60),
        ("mean(w)", 30),
        ("largest(w)", 60),
        ("smallest(3, 2)", 2),
        ("mean(latest(w, 2))", 45),
        ("mean(latest(w, 9))", 30),  # all there are
        ("mean(before_last(w, 1))", 30),
        ("mean(before_last(w, 3))", 20),
        ("mean(before_last(w, 9))", 20),
        ("largest(before_last(w, 2))", 30),
        ("rise(last(w), mean(before_last(w, 3)))", 200),
        ("rise(30, 60)", -50),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 - 2 - 1", 4),
        ("8 / 4 / 2", 1),
        ("0.5", 0.5),
    ],
)
def test_a_formula_comes_to(text, expected):
    assert value(text, w=WEEKS) == pytest.approx(expected)


def test_a_formula_names_the_findings_it_needs_once_each_in_order():
    assert parse_formula("b / a + b - first(w)").inputs == ("b", "a", "w")


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("rise(5, base)", {"base": 0.0}),
        ("x / y", {"x": 1.0, "y": 0.0}),
        ("mean(before_last(w, 3))", {"w": (10.0,)}),  # nothing stands before the last
        ("first(w)", {"w": ()}),
        ("last(before_last(w, 1))", {"w": (10.0,)}),
    ],
)
def test_a_formula_has_no_value_where_a_base_or_a_number_is_missing(text, answers):
    with pytest.raises(Undefined):
        value(text, **answers)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        pytest.param("largest(before_last(w, 1))", {"w": (10.0,)}, id="the largest of none"),
        pytest.param("last(x)", {"x": 1.0}, id="the last of a number"),
        pytest.param("mean(x)", {"x": 1.0}, id="the mean of a number"),
        pytest.param("largest(x)", {"x": 1.0}, id="the largest of a number"),
        pytest.param("rise(w, 2)", {"w": WEEKS}, id="the rise of a list"),
        pytest.param("smallest(w, 2)", {"w": WEEKS}, id="the smaller of a list and a number"),
    ],
)
def test_a_formula_has_no_value_where_its_parts_do_not_fit(text, answers):
    with pytest.raises(Undefined):
        value(text, **answers)


def test_the_latest_none_are_no_formula():
    with pytest.raises(ValueError, match="whole number from 1"):
        parse_formula("mean(latest(w, 0))")


@pytest.mark.parametrize("text", ["w", "w + 1", "latest(w, 2)"])
def test_a_list_is_no_number(text):
    with pytest.raises(Undefined):
        value(text, w=WEEKS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "load_kg *",
        "2 ** 8",
        "7 // 2",
        "7 % 2",
        "-x",
        "x > 2",
        "x and y",
        "x if y else z",
        "[1, 2]",
        "w[0]",
        "'2'",
        "b'2'",
        "True",
        "None",
        "2j",
        "...",
        "x.real",
        "lambda: 1",
        "(x := 2)",
        "f'{x}'",
        "rise(*w)",
        "rise(new=1, old=2)",
        "rise(1)",
        "rise(1, 2, 3)",
        "mean()",
        "eval(x)",
        "__import__('os')",
        "(mean)(w)(w)",
        "x; y",
        "x\ny",
        "x\0y",
        "(" * 500 + "x" + ")" * 500,
    ],
)
def test_anything_but_plain_arithmetic_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_formula(text)


def test_a_refused_formula_names_the_functions_there_are():
    with pytest.raises(ValueError, match=r"no function root; there are first, last,"):
        parse_formula("root(x)")


# What holds of every formula

numbers = st.floats(-1e6, 1e6, allow_nan=False)
series = st.lists(numbers, min_size=1, max_size=8).map(tuple)


@given(numbers, numbers, numbers)
def test_arithmetic_is_that_of_python(a, b, c):
    assert value("a + b * c - a", a=a, b=b, c=c) == a + b * c - a


@given(numbers, numbers)
def test_a_rise_takes_the_old_value_to_the_new(new, old):
    assume(abs(old) > 1e-3)
    assert old * (1 + value("rise(new, old)", new=new, old=old) / 100) == pytest.approx(new, rel=1e-6, abs=1e-3)


@given(series, st.integers(1, 9))
def test_the_latest_are_the_end_of_the_series(weeks, n):
    assert value(f"mean(latest(w, {n}))", w=weeks) == pytest.approx(sum(weeks[-n:]) / len(weeks[-n:]))


@given(series, st.integers(1, 9))
def test_those_before_the_last_leave_the_last_out(weeks, n):
    assume(len(weeks) > 1)
    before = weeks[:-1][-n:]
    assert value(f"mean(before_last(w, {n}))", w=weeks) == pytest.approx(sum(before) / len(before))


@given(series)
def test_the_mean_lies_between_the_smallest_and_the_largest(weeks):
    mean = value("mean(w)", w=weeks)
    assert min(weeks) - 1e-6 <= mean <= value("largest(w)", w=weeks) + 1e-6


def call(name, *arguments):
    """Formulas that call `name` with the formulas of each of `arguments`."""
    return st.tuples(*arguments).map(lambda parts: f"{name}({', '.join(parts)})")


counts = st.integers(1, 4).map(str)
lists = st.one_of(st.just("w"), call("latest", st.just("w"), counts), call("before_last", st.just("w"), counts))
simple = st.one_of(
    st.sampled_from(["a", "b", "0", "2.5", "1e9", "largest(w)"]),
    call("mean", lists),
    call("first", lists),
    call("last", lists),
)


def nested(inner):
    """Formulas of numbers that `inner` gives."""
    calculation = st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({' '.join(parts)})")
    return st.one_of(call("smallest", inner, inner), call("rise", inner, inner), calculation)


@given(st.recursive(simple, nested, max_leaves=8), numbers, numbers, series)
def test_a_formula_whose_parts_fit_has_a_finite_value_or_none(text, a, b, w):
    formula = parse_formula(text)
    assert set(formula.inputs) <= set("abw")
    try:
        result = formula.value({"a": a, "b": b, "w": w})
    except Undefined:
        return
    assert isinstance(result, float)
    assert not math.isnan(result)


@given(st.text("abw019.+-*/(), ", max_size=30))
def test_any_text_is_a_formula_or_refused(text):
    try:
        formula = parse_formula(text)
    except ValueError:
        return
    assert all(name.isidentifier() for name in formula.inputs)


def test_every_function_is_shown_in_the_table_above():
    assert set(FUNCTIONS) == {"first", "last", "latest", "before_last", "mean", "largest", "smallest", "rise"}


def test_a_mean_is_the_same_in_every_python() -> None:
    """Seen to fail on Python 3.12 with sum(), which keeps what was rounded off there."""
    assert value("mean(w)", w=(0.1,) * 10) == 0.09999999999999999
