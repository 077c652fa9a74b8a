"""Small things about texts: numbers written as words, and long texts cut short."""

from __future__ import annotations

import re

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
