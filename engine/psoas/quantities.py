"""Numbers as people type them: `25 km`, `2 hours`, `1:30`, `15 mi`, `98.6 F` → a number in the unit of a finding."""

from __future__ import annotations

import math
import re

LENGTH = {"mm": 0.000001, "cm": 0.00001, "in": 0.0000254, "m": 0.001, "km": 1, "mi": 1.609344}
TIME = {"s": 1, "min": 60, "h": 3600, "d": 86400, "wk": 604800, "mo": 2629800, "yr": 31557600}
"""Unit → its size; a month is a twelfth of a year of 365.25 days."""
CLOCK = ("s", "min", "h")
"""The units of what a clock shows: only these are written with a colon, and only among these `m` is a minute."""

SPELLINGS = {
    "s": "sec secs second seconds",
    "min": "mins minute minutes",
    "h": "hr hrs hour hours",
    "d": "day days night nights",
    "wk": "w week weeks wks",
    "mo": "mos month months",
    "yr": "y yrs year years",
    "mm": "millimetre millimetres millimeter millimeters",
    "cm": "cms centimetre centimetres centimeter centimeters",
    "in": 'inch inches "',
    "m": "metre metres meter meters",
    "km": "k kms kilometre kilometres kilometer kilometers",
    "mi": "mile miles",
    "°C": "c °c celsius",
    "°F": "f °f fahrenheit",
    "percent": "% pct",
    "degrees": "° deg degree",
    "steps": "step spm",
    "points": "pt pts point",
    "repetitions": "rep reps repetition times x",
}
"""A unit → how else it is written."""
WORDS = {word: unit for unit, words in SPELLINGS.items() for word in words.split()}

SPOKEN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
"""Numbers as words, from nothing on."""
LEAST_METRES = 400
"""Behind a smaller number of a finding in km, `m` is more likely meant for miles."""

_WORD = re.compile(rf"({'|'.join(SPOKEN)}|an?(?= [a-z])|half an?(?= [a-z]))\b")
_ABOUT = re.compile(r"(about|around|approximately|approx\.?|roughly|ca\.?|~)\s*")
_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)"
_QUANTITY = re.compile(rf"({_NUMBER})\s*(.*)", re.DOTALL)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(?![0-9])")
_CLOCK = re.compile(r"([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9]))?\s*(.*)", re.DOTALL)
_TIMES = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*([a-z]+)\.?(?:\s*,?\s*(?:and\s)?\s*)?")
_RATE = re.compile(r"\s*(?:\b(?:an?|per|each|every)\s+|/\s*)(\w+)$")


class NoQuantity(ValueError):
    """A text is no number of the wanted unit; the message says what is."""


def quantity(text: str, unit: str) -> float:
    """Return the number `text` writes, in `unit` (a finding's, such as `hours a day`; "" for a bare number).

    A decimal comma is read as a point; `1:30` is a time: minutes and seconds where the unit is seconds, else hours
    and minutes. Every word must fit: nothing behind the number is passed over. Raises `NoQuantity` for anything else.
    """
    written = " ".join(text.lower().split())
    written = written[about.end() :] if (about := _ABOUT.match(written)) else written
    number = _read(_without_rate(_in_digits(written), unit), unit)
    if not math.isfinite(number):
        raise NoQuantity("it is too large")
    return number


def foreign_unit(text: str, unit: str) -> str | None:
    """Return the unit of length or time behind the number `text` if it is another than `unit`; None where none stands.

    "" stands for everything that can be meant in one way only: the same unit, a sum, a time of the clock, a count.
    `text` is one that `quantity` reads.
    """
    written = " ".join(text.lower().split())
    written = written[about.end() :] if (about := _ABOUT.match(written)) else written
    found = _QUANTITY.fullmatch(_without_rate(_in_digits(written), unit))
    if found is None or _CLOCK.match(written):
        return ""
    base, word = _canonical(unit.partition(" ")[0]), _canonical(found[2])
    if not word and base in LENGTH | TIME:
        return None
    return found[2] if word in LENGTH | TIME and word != base else ""


def _in_digits(text: str) -> str:
    """Return `text` with the number word that it begins with in digits: `two weeks`, `an hour`, `half an hour`."""
    word = _WORD.match(text)
    if word is None:
        return text
    digits = str(SPOKEN.index(word[0])) if word[0] in SPOKEN else "0.5" if word[0].startswith("half") else "1"
    return digits + text[word.end() :]


def _read(text: str, unit: str) -> float:
    base = _canonical(unit.partition(" ")[0])
    clock = _CLOCK.fullmatch(text)
    if clock:
        return _from_clock(clock, base)
    if grouped := _THOUSANDS.match(text):
        whole, point = grouped[0].replace(",", ""), grouped[0].replace(",", ".", 1)
        raise NoQuantity(f"write it without the comma, {whole} or {point}")
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise NoQuantity(_wanted(unit))
    number = float(found[1].replace(",", ".")) + 0.0  # there is no -0
    total = re.fullmatch(r"(?:/|of|out of)\s*([0-9]+)", found[2])
    if total and unit == f"out of {total[1]}":
        return number
    converted = _converted(number, found[2], base)
    if converted is None and base in TIME:
        converted = _sum(text, base)
    if converted is None:
        raise NoQuantity(_wanted(unit))
    return converted


def _wanted(unit: str) -> str:
    return f"it takes one number{f' {unit}' if unit.startswith('out of') else f', in {unit}' if unit else ''}"


def _canonical(word: str) -> str:
    word = word.rstrip(".") or word
    return WORDS.get(word, word)


def _without_rate(text: str, unit: str) -> str:
    """Return `text` without the `a week` that the unit has too; without `ago` and `old`, which change no length."""
    rate = _RATE.search(f" {unit}")
    said = _RATE.search(text)
    if rate and said and _canonical(said[1]) == _canonical(rate[1]):
        return text[: said.start()]
    return re.sub(r"\s(ago|old)$", "", text) if _canonical(unit) in TIME else text


def _converted(number: float, written: str, base: str) -> float | None:
    """Return `number` of the unit `written` in the unit `base`; None where the one is not measured in the other."""
    word = _canonical(written)
    if not word or word == base or word.rstrip("s") == base.rstrip("s"):
        return number
    if base == "°C":
        scale = _canonical(re.sub(r"^(°|degrees?|deg)\s*", "", written) or "c")
        return {"°C": number, "°F": round((number - 32) / 1.8, 1)}.get(scale)
    if word == "m" and base in CLOCK:
        word = "min"
    if word == "m" and base == "km" and 0 < number < LEAST_METRES:
        raise NoQuantity("m could be metres or miles; write km or mi")
    for units in (LENGTH, TIME):
        if word in units and base in units:
            return _of_base(number * units[word] / units[base], word, base)
    counted = base not in LENGTH and base not in TIME and base not in ("percent", "degrees", "points", "out")
    return number if counted and word == "repetitions" else None  # 3 times, of runs a week


def _sum(text: str, base: str) -> float | None:
    """Return the sum of times such as `1 h 30 min` or `1h30`; None where the text is anything else."""
    if re.fullmatch(r".*[0-9]\s?(h|hrs?|hours?)\s?[0-5]?[0-9]", text):
        text += " min"
    seconds, largest, place, words = 0.0, math.inf, 0, list[str]()
    while part := _TIMES.match(text, place):
        word = _canonical(part[2])
        word = "min" if word == "m" and base in CLOCK else word
        size = TIME.get(word, math.inf)
        if size >= largest:  # the larger unit comes first, and each but once
            return None
        seconds, largest, place = seconds + float(part[1].replace(",", ".")) * size, size, part.end()
        words.append(word)
    return _of_base(seconds / TIME[base], words[0], base) if place == len(text) and place else None


def _of_base(number: float, word: str, base: str) -> float:
    """Return a number converted from the unit `word`: of months and years, which vary, whole days."""
    return float(round(number)) if base == "d" and word in ("mo", "yr") else _rounded(number)


def _rounded(number: float) -> float:
    """Return `number` with two decimals, or as many as leave it above nothing."""
    return round(number, 2) or float(f"{number:.1g}")


def _from_clock(clock: re.Match[str], base: str) -> float:
    first, second, third, written = int(clock[1]), int(clock[2]), clock[3], _canonical(clock[4])
    if base not in CLOCK or (written and written not in CLOCK):
        raise NoQuantity(f"{clock[1]}:{clock[2]} is a time of the clock, and it is not measured so")
    if third is not None:
        seconds = first * 3600 + second * 60 + int(third)
    else:
        short = written in ("s", "min") or (not written and base == "s")
        seconds = first * 60 + second if short else first * 3600 + second * 60
    return _rounded(seconds / TIME[base])
