"""Small things about texts: numbers written as words, long texts cut short, and texts laid out in lines."""

from __future__ import annotations

import re
import textwrap

NUMERALS = {
    word: number
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
NUMERALS |= {
    word: 10 * number
    for number, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_WORD = re.compile(rf"\b({'|'.join(NUMERALS)})\b")


def in_figures(text: str) -> str:
    """Return `text` in small letters, with numbers up to twelve and the round ones up to ninety in figures."""
    return _WORD.sub(lambda found: str(NUMERALS[found[0]]), text.lower())


def shortened(text: str, limit: int = 60) -> str:
    """Return `text`, cut between two words to about `limit` characters."""
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def filled(text: str, first: str = "", other: str | None = None, width: int = 80) -> list[str]:
    """Return `text` in lines of at most `width`; the first begins with `first`, the others with `other`."""
    other = first if other is None else other
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=other, break_long_words=False, break_on_hyphens=False
    )
