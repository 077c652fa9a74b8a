"""Small things about texts: numbers written as words, long texts cut short, and texts laid out in lines."""

from __future__ import annotations

import re
import textwrap

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
NUMERALS = {word: number for number, word in enumerate(_SMALL.split())}
TENS = {
    word: 10 * number
    for number, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_UNITS = "|".join(word for word, number in NUMERALS.items() if 0 < number < 10)
_WORD = re.compile(rf"\b(?:({'|'.join(TENS)})(?:[- ]({_UNITS}))?|({'|'.join(NUMERALS)}))\b")


def in_figures(text: str) -> str:
    """Return `text` in small letters, with the numbers below a hundred that are written as words in figures."""
    return _WORD.sub(_figure, text.lower())


def _figure(found: re.Match[str]) -> str:
    tens, units, other = found.groups()
    return str(NUMERALS[other] if other else TENS[tens] + NUMERALS.get(units or "", 0))


def shortened(text: str, limit: int = 60) -> str:
    """Return `text`, cut between two words to about `limit` characters."""
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def filled(text: str, first: str = "", other: str | None = None, width: int = 80) -> list[str]:
    """Return `text` in lines of at most `width`; the first begins with `first`, the others with `other`."""
    other = first if other is None else other
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=other, break_long_words=False, break_on_hyphens=False
    )
