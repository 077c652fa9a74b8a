"""Numbers as people type them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psoas.quantities import LENGTH, SPELLINGS, TIME, NoQuantity, quantity

READ = [
    # the unit itself, left out, or in other words
    *[("25", "km", 25), ("25 km", "km", 25), ("25km", "km", 25), ("25 K", "km", 25), ("25 kilometres", "km", 25)],
    *[("8 hours", "hours a day", 8), ("8 h a day", "hours a day", 8), ("8 hours/day", "hours a day", 8)],
    *[("7 h per night", "hours a night", 7), ("42 km a week", "km a week", 42), ("42km / wk", "km a week", 42)],
    *[("3 times a week", "runs a week", 3), ("3x", "runs a week", 3), ("3 runs", "runs a week", 3)],
    *[("180 spm", "steps a minute", 180), ("180 steps per minute", "steps a minute", 180)],
    *[("70°", "degrees", 70), ("70 deg", "degrees", 70), ("30 %", "percent", 30), ("5 points", "points", 5)],
    *[("12 reps", "repetitions", 12), ("38 years old", "years", 38), ("3", "", 3)],
    *[("7/10", "out of 10", 7), ("7 out of 10", "out of 10", 7), ("7 of 10", "out of 10", 7)],
    # other units
    *[("15 mi", "km", 24.14), ("15 miles a week", "km a week", 24.14), ("1500 m", "km", 1.5), ("4 in", "cm", 10.16)],
    *[("3 weeks", "days", 21), ("3 weeks ago", "days", 21), ("6 wk", "days", 42), ("2 years", "months", 24)],
    *[("45 min", "hours a day", 0.75), ("2 min", "seconds", 120), ("1.5 hours", "minutes", 90)],
    *[("98.6 F", "°C", 37), ("98.6°F", "°C", 37), ("100.4 fahrenheit", "°C", 38), ("38 degrees", "°C", 38)],
    *[("38,5 °C", "°C", 38.5), ("38.5 deg C", "°C", 38.5)],
    # times of the clock, and sums
    *[("1:30", "hours a day", 1.5), ("1:30", "seconds", 90), ("0:45", "minutes", 45), ("1:30:00", "hours", 1.5)],
    *[("2:30 min", "seconds", 150), ("1:30 h", "minutes", 90), ("1:30 h a day", "hours a day", 1.5)],
    *[("1 h 30 min", "hours a day", 1.5), ("1h30", "hours a day", 1.5), ("1h 30m", "minutes", 90)],
    *[("8 hours 30", "hours a day", 8.5), ("2 weeks and 3 days", "days", 17), ("2 weeks, 3 days", "days", 17)],
    # the number
    *[("2,5", "km", 2.5), (".5", "km", 0.5), ("5.", "km", 5), ("+5", "km", 5), ("-5", "km", -5), ("-0", "km", 0)],
    *[("about 3 weeks", "days", 21), ("~5 km", "km", 5), ("  7 \t km ", "km", 7), ("7\u00a0km", "km", 7)],
    *[
        ("six", "days", 6),
        ("two weeks", "days", 14),
        ("A week", "days", 7),
        ("half an hour", "minutes", 30),
        ("an hour", "minutes", 60),
    ],
    *[("three times a week", "runs a week", 3), ("about six weeks", "days", 42), ("zero", "km", 0)],
    *[("3 months", "days", 91), ("a year", "days", 365), ("2 months 1 week", "days", 68)],  # no 91.31 days
    *[("20 mm", "km", 2e-05)],  # never rounded to nothing
]


@pytest.mark.parametrize(("text", "unit", "number"), READ)
def test_what_is_read(text: str, unit: str, number: float) -> None:
    assert quantity(text, unit) == pytest.approx(number)
    assert math.copysign(1, quantity(text, unit)) == math.copysign(1, number)


REFUSED = [
    # Each was once read as the number it begins with, and the rest passed over.
    *[("1 h 30 x", "hours a day"), ("25 km 5 mi", "km"), ("5 to 6 km", "km"), ("3 times a month", "runs a week")],
    *[
        ("2 hours a week", "hours a day"),
        ("7/20", "out of 10"),
        ("7 out of 20", "out of 10"),
        ("15 mi/month", "km a week"),
    ],
    *[("1,500 m", "km"), ("1,000", "seconds")],  # a thousand and a half, or one and a half?
    *[("5-6", "km"), ("5 6", "km"), ("25 kg", "km"), ("3 h", "km"), ("3 km", "days"), ("3 sessions", "runs a week")],
    *[("24m", "months"), ("5 m", "days"), ("5 F", "km"), ("5 reps", "seconds"), ("30 s x", "seconds")],
    *[("1:30", "km"), ("1:30", "days"), ("1:75", "hours"), ("1:30 km", "hours"), ("1 day 1 day", "days")],
    *[
        ("3 days 2 weeks", "days"),
        ("", "km"),
        ("km", "km"),
        ("fifty", "km"),
        ("a", "km"),
        ("half", "hours"),
        ("a few days", "days"),
        ("six or seven", "days"),
        ("sixteen", "days"),
        ("one and a half", "hours"),
    ],
    *[("20 m", "km"), ("26.2m", "km")],  # metres, or miles?
    *[("nan", "km"), ("inf", "km"), ("1e3", "km")],
    *[
        ("0x10", "km"),
        ("1_000", "km"),
        ("9" * 400, "km"),
        ("१०", "km"),
        ("\x1b[A5", "km"),
        ("5\x00", "km"),
        ("½", "km"),
    ],
]


@pytest.mark.parametrize(("text", "unit"), REFUSED)
def test_what_is_refused(text: str, unit: str) -> None:
    with pytest.raises(NoQuantity):
        quantity(text, unit)


def test_the_message_says_what_is_wanted() -> None:
    for text, unit, said in [
        ("5-6", "km", "it takes one number, in km"),
        ("7/20", "out of 10", "it takes one number out of 10"),
        ("x", "", "it takes one number"),
        ("1,500", "km", "write it without the comma, 1500 or 1.500"),
        ("20 m", "km", "m could be metres or miles; write km or mi"),
        ("1:30", "km", "1:30 is a time of the clock, and it is not measured so"),
    ]:
        with pytest.raises(NoQuantity, match=f"^{said}$"):
            quantity(text, unit)


@pytest.mark.parametrize("units", [LENGTH, TIME], ids=["length", "time"])
@given(data=st.data())
def test_there_and_back_is_the_same(units: dict[str, float], data: st.DataObject) -> None:
    """A number of one unit, read in a smaller one and that again in the first, is the number."""
    large, small = sorted(data.draw(st.permutations(sorted(units)))[:2], key=units.__getitem__, reverse=True)
    number = data.draw(st.integers(1, 900))
    there = quantity(f"{number} {large}", small)
    assert units[large] * number == pytest.approx(units[small] * there, rel=0.02)  # of months, whole days
    if "e" not in (written := f"{there:.15g}"):
        assert quantity(f"{written} {small}", large) == pytest.approx(number, rel=0.02)


@given(unit=st.sampled_from(sorted(SPELLINGS)), number=st.integers(0, 999), data=st.data())
def test_every_spelling_of_a_unit_is_that_unit(unit: str, number: int, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(SPELLINGS[unit].split()))
    if unit != "°F":
        assert quantity(f"{number} {word}", unit) == quantity(f"{number}{word.upper()}", unit) == number


@given(hours=st.integers(0, 99), minutes=st.integers(0, 59))
def test_the_clock_and_the_sum_agree(hours: int, minutes: int) -> None:
    assert quantity(f"{hours}:{minutes:02}", "minutes") == quantity(f"{hours} h {minutes} min", "minutes")
    assert quantity(f"{hours}:{minutes:02}", "seconds") == hours * 60 + minutes


UNITS = ["km", "km a week", "hours a day", "days", "seconds", "out of 10", "°C", "runs a week", "percent", "", "kg"]
TYPED = st.text() | st.text("0123456789 .,:;/-+?~°\"'hkmisdweyrofa\u00a0\x1b", max_size=20)


@given(text=TYPED, unit=st.sampled_from(UNITS))
def test_any_text_is_a_finite_number_or_refused(text: str, unit: str) -> None:
    try:
        number = quantity(text, unit)
    except NoQuantity:
        return
    assert math.isfinite(number)
