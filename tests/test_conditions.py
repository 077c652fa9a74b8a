"""The rule language: three-valued logic, tests of answers, and how both are written."""

from __future__ import annotations

from itertools import product
from math import inf

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from psoas.knowledge.conditions import (
    ALWAYS,
    All,
    AtLeast,
    Holds,
    Not,
    all_of,
    any_of,
    evaluate,
    leaves,
    negated,
)
from psoas.knowledge.conditions import Test as Asks  # pytest would take the name for a class of tests

VALUES = (True, None, False)
A, B, C = (Asks(name, "answered") for name in "abc")


def value(condition, **known):
    """Return the value of `condition`, where each letter has the value given."""
    return evaluate(condition, lambda test: known[test.finding], lambda symbol: known[symbol])


# Kleene's tables, written out: rows a = True, None, False; columns b the same

AND = {True: (True, None, False), None: (None, None, False), False: (False, False, False)}
OR = {True: (True, True, True), None: (True, None, None), False: (True, None, False)}
NOT = {True: False, None: None, False: True}


@pytest.mark.parametrize(("a", "b"), list(product(VALUES, VALUES)))
def test_all_follows_the_table_of_kleenes_and(a, b):
    assert value(All((A, B)), a=a, b=b) is AND[a][VALUES.index(b)]


@pytest.mark.parametrize(("a", "b"), list(product(VALUES, VALUES)))
def test_any_follows_the_table_of_kleenes_or(a, b):
    assert value(any_of((A, B)), a=a, b=b) is OR[a][VALUES.index(b)]


@pytest.mark.parametrize("a", VALUES)
def test_not_follows_the_table_of_kleenes_not(a):
    assert value(Not(A), a=a) is NOT[a]


@pytest.mark.parametrize(
    ("n", "values", "expected"),
    [
        (2, (True, True, False), True),
        (2, (True, True, None), True),
        (2, (True, None, False), None),  # the open one decides
        (2, (True, False, False), False),
        (2, (None, None, False), None),
        (2, (None, False, False), False),  # one open answer cannot make two
        (2, (False, False, None), False),
        (3, (True, True, None), None),
        (3, (True, True, False), False),
        (1, (False, False, False), False),
        (1, (None, False, True), True),
    ],
)
def test_at_least_n_is_settled_as_soon_as_the_open_answers_no_longer_matter(n, values, expected):
    assert value(AtLeast(n, (A, B, C)), **dict(zip("abc", values, strict=True))) is expected


def test_all_of_nothing_always_holds():
    assert value(ALWAYS) is True
    assert value(negated(Not(ALWAYS))) is True


def test_one_of_nothing_never_holds():
    assert value(any_of(())) is False


def test_a_single_part_stands_for_itself():
    assert any_of([A]) is A
    assert all_of([A]) is A


def test_a_conclusion_is_looked_up_by_its_name():
    assert value(All((Holds("a"), B)), a=None, b=True) is None


# What holds of every condition


def conditions():
    """Conditions on the findings a, b and c."""
    several = st.lists(st.deferred(conditions), min_size=1, max_size=4).map(tuple)
    return st.one_of(
        st.sampled_from([A, B, C]),
        several.map(All),
        several.flatmap(lambda parts: st.integers(1, len(parts)).map(lambda n: AtLeast(n, parts))),
        st.deferred(conditions).map(Not),
    )


states = st.fixed_dictionaries({name: st.sampled_from(VALUES) for name in "abc"})
answers = st.fixed_dictionaries({name: st.booleans() for name in "abc"})


@given(conditions(), states)
def test_the_negation_is_true_where_the_condition_is_false(condition, state):
    assert value(negated(condition), **state) is NOT[value(condition, **state)]


@given(conditions(), states)
def test_a_negation_says_not_only_of_tests(condition, state):
    def tidy(part, top=True):
        if isinstance(part, Not):
            return isinstance(part.of, Asks)
        return isinstance(part, Asks | Holds) or all(tidy(inner) for inner in part.of)

    if not any(isinstance(part, Not) for part in parts_of(condition)):
        assert tidy(negated(condition))


def parts_of(condition):
    """Yield `condition` and everything inside it."""
    yield condition
    if isinstance(condition, Not):
        yield from parts_of(condition.of)
    elif isinstance(condition, All | AtLeast):
        for part in condition.of:
            yield from parts_of(part)


@given(conditions(), states, answers)
def test_what_is_settled_stays_so_whatever_the_open_answers_turn_out_to_be(condition, state, later):
    now = value(condition, **state)
    completed = {name: later[name] if known is None else known for name, known in state.items()}
    if now is not None:
        assert value(condition, **completed) is now


@given(conditions(), answers)
def test_nothing_is_open_once_everything_is_answered(condition, state):
    assert value(condition, **state) is not None


@given(st.lists(st.sampled_from(VALUES), min_size=1, max_size=6))
def test_at_least_one_is_any_and_at_least_all_is_all(values):
    parts = tuple(Asks(str(number), "answered") for number in range(len(values)))
    known = {str(number): state for number, state in enumerate(values)}
    assert value(AtLeast(len(parts), parts), **known) is value(All(parts), **known)
    assert value(AtLeast(1, parts), **known) is value(any_of(parts), **known)


@given(conditions())
def test_leaves_are_the_tests_in_the_order_written(condition):
    asked = [part for part in parts_of(condition) if isinstance(part, Asks)]
    assert list(leaves(condition)) == asked


def test_nothing_has_no_leaves():
    assert list(leaves(None)) == []


# Tests of one answer


@pytest.mark.parametrize(
    ("operator", "numbers", "below", "at", "above"),
    [
        ("at least", (5,), False, True, True),
        ("at most", (5,), True, True, False),
        ("more than", (5,), False, False, True),
        ("less than", (5,), True, False, False),
        ("is", (5,), False, True, False),
        ("between", (5, 5), False, True, False),
        ("between", (4, 5), False, True, False),
        ("between", (5, 6), False, True, True),
    ],
)
def test_a_number_is_compared_with_its_bound(operator, numbers, below, at, above):
    test = Asks("x", operator, numbers=numbers)
    assert [test.of(number) for number in (3.9, 5.0, 5.1)] == [below, at, above]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_comparisons_come_in_opposite_pairs(number, bound):
    says = {
        name: Asks("x", name, numbers=(bound,)).of(number) for name in ("at least", "less than", "at most", "more than")
    }
    assert says["at least"] is not says["less than"]
    assert says["at most"] is not says["more than"]


def test_a_number_may_be_beyond_all_bounds():
    assert Asks("x", "at least", numbers=(5,)).of(inf) is True


def test_a_word_is_one_of_those_named():
    test = Asks("x", "is", frozenset({"left", "both"}))
    assert [test.of(word) for word in ("left", "both", "right")] == [True, True, False]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"wet"}, True),
        ({"wet", "unknown"}, True),  # the rest of the list cannot undo it
        ({"dry"}, False),
        ({"dry", "unknown"}, None),  # wet may be among the rest
        ({"unknown"}, None),
        (set(), False),
    ],
)
def test_a_set_includes_a_word_or_may_yet(chosen, expected):
    assert Asks("x", "includes", frozenset({"wet", "hot"})).of(frozenset(chosen)) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("no", True), (0.0, True), ((1.0, 2.0), True), ({"wet"}, True), ({"wet", "unknown"}, False)],
)
def test_answered_is_every_answer_that_leaves_nothing_open(answer, expected):
    assert Asks("x", "answered").of(frozenset(answer) if isinstance(answer, set) else answer) is expected


# As they are written


@pytest.fixture(scope="module")
def read():
    """Return the reading of a condition in YAML on the findings of kb_bicycle."""
    from pathlib import Path

    from psoas.knowledge import shape
    from psoas.knowledge.load import load

    vocabulary = load(Path(__file__).parent / "kb_bicycle").vocabulary

    def reading(text):
        reader = shape.Reader("here", vocabulary)
        condition = shape.read_condition(reader, yaml.compose(text, Loader=yaml.BaseLoader))
        assert not reader.faults
        return condition

    return reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{lever_to_bar: yes}", Asks("lever_to_bar", "is", frozenset({"yes"}))),
        ("{disc_state: oily}", Asks("disc_state", "is", frozenset({"oily"}))),
        ("{disc_state: [oily, shiny]}", Asks("disc_state", "is", frozenset({"oily", "shiny"}))),
        ("{squeal_when: includes wet}", Asks("squeal_when", "includes", frozenset({"wet"}))),
        ("{squeal_when: includes wet or dry}", Asks("squeal_when", "includes", frozenset({"wet", "dry"}))),
        ("{squeal_when: 'includes [wet, dry]'}", Asks("squeal_when", "includes", frozenset({"wet", "dry"}))),
        ("{squeal_when: {includes: [wet, dry]}}", Asks("squeal_when", "includes", frozenset({"wet", "dry"}))),
        ("{pad_mm: at least 1.5}", Asks("pad_mm", "at least", numbers=(1.5,))),
        ("{pad_mm: between 1 and 2}", Asks("pad_mm", "between", numbers=(1, 2))),
        ("{pad_mm: 2}", Asks("pad_mm", "is", numbers=(2,))),
        ("{pad_mm: 02}", Asks("pad_mm", "is", numbers=(2,))),
        ("{km_on_pads: more than 1e3}", Asks("km_on_pads", "more than", numbers=(1000,))),
        ("{distance_rise_pct: less than -10}", Asks("distance_rise_pct", "less than", numbers=(-10,))),
        ("{weekly_km: answered}", Asks("weekly_km", "answered")),
        ("{distance_rise_pct: answered}", Asks("distance_rise_pct", "answered")),
        ("worn_pads", Holds("worn_pads")),
        ("any culprit", Holds("any culprit")),
        ("always", ALWAYS),
    ],
)
def test_a_condition_is_read_as_it_is_written(read, text, expected):
    assert read(text) == expected


def test_a_mapping_means_all_of_its_entries(read):
    assert read("{lever_to_bar: yes, pad_mm: 2}") == read("{all: [{lever_to_bar: yes}, {pad_mm: 2}]}")
    mixed = read("{lever_to_bar: yes, any: [worn_pads, oily_disc]}")
    assert mixed == All((read("{lever_to_bar: yes}"), any_of((Holds("worn_pads"), Holds("oily_disc")))))


def test_at_least_n_of_is_read_with_its_number(read):
    assert read("{at least: {n: 2, of: [worn_pads, oily_disc, glazed_pads]}}") == AtLeast(
        2, (Holds("worn_pads"), Holds("oily_disc"), Holds("glazed_pads"))
    )


def test_not_may_stand_before_a_whole_condition_on_findings(read):
    assert read("{not: {any: [{lever_to_bar: yes}, {pad_mm: 2}]}}") == Not(
        any_of((read("{lever_to_bar: yes}"), read("{pad_mm: 2}")))
    )


def test_the_words_of_yaml_are_words_here(read):
    for word in ("yes", "no"):
        assert read(f"{{lever_to_bar: {word}}}") == read(f"{{lever_to_bar: '{word}'}}")
