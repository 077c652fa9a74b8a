"""Numbers as people type them: `25 km`, `2 hours`, `1:30`, `15 mi`, `98.6 F` → a number in the unit of a finding."""

from __future__ import annotations

import re

from psoas.knowledge.reader import to_number

LENGTH = {"mm": 0.000001, "cm": 0.00001, "in": 0.0000254, "inch": 0.0000254, "m": 0.001, "km": 1, "mi": 1.609344}
TIME = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hr": 3600, "d": 86400, "wk": 604800, "mo": 2629800, "yr": 31557600}
"""Unit → its size; a month is a twelfth of a year of 365.25 days."""

WORDS = {
    "second": "s",
    "seconds": "s",
    "secs": "s",
    "minute": "min",
    "minutes": "min",
    "mins": "min",
    "hour": "h",
    "hours": "h",
    "hrs": "h",
    "day": "d",
    "days": "d",
    "week": "wk",
    "weeks": "wk",
    "w": "wk",
    "month": "mo",
    "months": "mo",
    "year": "yr",
    "years": "yr",
    "y": "yr",
    "kilometre": "km",
    "kilometres": "km",
    "kilometer": "km",
    "kilometers": "km",
    "k": "km",
    "mile": "mi",
    "miles": "mi",
    "centimetres": "cm",
    "centimeters": "cm",
    "inches": "in",
    '"': "in",
    "metres": "m",
    "meters": "m",
}
"""Other spellings of a unit."""

_QUANTITY = re.compile(r"([+-]?[0-9]*[.,]?[0-9]+)\s*(.*)", re.DOTALL)
_CLOCK = re.compile(r"([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9]))?\s*(.*)", re.DOTALL)


class NoQuantity(ValueError):
    """A text is no number of the wanted unit; the message says what is."""


def quantity(text: str, unit: str) -> float:
    """Return the number `text` writes, in `unit` (a finding's, such as `hours a day`; "" for a bare number).

    A decimal comma is read as a point; `1:30` is a time: minutes and seconds where the unit is seconds, else hours
    and minutes. Raises `NoQuantity` for anything else.
    """
    base = unit.partition(" ")[0]
    text = text.strip().lower()
    clock = _CLOCK.fullmatch(text)
    if clock:
        return _from_clock(clock, base)
    found = _QUANTITY.fullmatch(text)
    number = to_number(found[1].replace(",", ".").removeprefix("+")) if found else None
    if found is None or number is None:
        raise NoQuantity(f"it takes a number{f' of {unit}' if unit else ''}")
    return _converted(number, found[2].strip(), base, unit)


def _converted(number: float, written: str, base: str, unit: str) -> float:
    if not written or written == unit.lower() or written.rstrip("s") == base.lower().rstrip("s"):
        return number
    word = written.split(maxsplit=1)[0].rstrip(".")
    word = WORDS.get(word, word)
    if base == "°C":
        if word.strip("°") in ("f", "fahrenheit"):
            return round((number - 32) / 1.8, 1)
        if word.strip("°") in ("c", "celsius"):
            return number
    own = WORDS.get(base, base)
    for units in (LENGTH, TIME):
        if word in units and own in units:
            return round(number * units[word] / units[own], 2)
    if word == "%" and base == "percent":
        return number
    # the words behind a number that name no other unit say what is counted: 3 times, 12 steps, 7 of 10
    if not any(word in units for units in (LENGTH, TIME)) and (set(written.split()) & _said(unit)):
        return number
    if re.fullmatch(r"(/|of|out of)\s*[0-9]+", written) and "out of" in unit:
        return number
    raise NoQuantity(f"it is measured in {unit}" if unit else "it takes a bare number")


def _said(unit: str) -> set[str]:
    words = set(unit.lower().split()) - {"a", "of", "out"}
    return words | {word.rstrip("s") for word in words} | {"times", "x", "reps"}


def _from_clock(clock: re.Match[str], base: str) -> float:
    first, second, third, written = int(clock[1]), int(clock[2]), clock[3], clock[4].strip()
    own = WORDS.get(base, base)
    if own not in TIME or (written and WORDS.get(written, written) not in (own, "h", "min")):
        raise NoQuantity(f"{clock[1]}:{clock[2]} is a time, and it is not measured in time")
    if third is not None:
        seconds = first * 3600 + second * 60 + int(third)
    else:
        seconds = first * 60 + second if own == "s" else first * 3600 + second * 60
    return round(seconds / TIME[own], 2)
