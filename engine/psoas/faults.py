"""What is wrong with an input, and where: one fault a place, all of them reported at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

SHOWN = 50
"""How many faults a message shows; of the others it says only how many there are."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a text a person wrote. Lines and columns count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        file = visible(self.file)
        return f"{file}:{self.line}:{self.column}" if self.line else file


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a `word` may have been meant for, worked out only when it is shown: of many faults, few ever are."""

    word: str
    known: Collection[str]
    otherwise: str = ""

    def __bool__(self) -> bool:
        return bool(str(self))

    def __str__(self) -> str:
        close = nearest(self.word, self.known)
        if close:
            return f"did you mean {close[0]}?"
        if 0 < len(self.known) <= 12:
            return f"allowed: {', '.join(sorted(self.known))}"
        return self.otherwise


Hint: TypeAlias = str | Suggestion


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong: where, what, and (as `hint`) what would be right."""

    place: Place
    message: str
    hint: Hint = field(default="", compare=False)

    def __str__(self) -> str:
        hint = str(self.hint)
        return f"{self.place}: {self.message}" + (f"\n    {hint}" if hint else "")


class Unusable(Exception):
    """An input cannot be used. `faults` holds every reason found, in the order of their places."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__(self.faults)

    def __str__(self) -> str:
        more = len(self.faults) - SHOWN
        return "\n".join(map(str, self.faults[:SHOWN])) + (f"\n… and {more} more" if more > 0 else "")


def nearest(word: str, known: Iterable[str], limit: int = 1, *, cutoff: float = 0.6) -> tuple[str, ...]:
    """Return up to `limit` of the `known` names closest to `word`, best first; none if none is as close as `cutoff`."""
    from difflib import get_close_matches  # costs start-up time, and only an error needs it

    plain = {name.lower(): name for name in sorted(known, reverse=True)}
    return tuple(plain[match] for match in get_close_matches(word[:80].lower(), plain, n=limit, cutoff=cutoff))


def suggest(word: str, known: Collection[str], otherwise: str = "") -> Suggestion:
    """Return a hint for a name that is not `known`: the nearest one, else the list if it is short, else `otherwise`."""
    return Suggestion(word, known, otherwise)


def quoted(text: str, limit: int = 60) -> str:
    """Return `text` fit for one line of a message: escaped, in quotes, cut to `limit` characters."""
    return f"'{visible(cut(text, limit))}'"


def cut(text: str, limit: int = 60) -> str:
    """Return `text`, cut to `limit` characters."""
    return text if len(text) <= limit else text[:limit] + "…"


def visible(text: str) -> str:
    """Return `text` with every character that a terminal might obey, or could not show, written as its number."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def a(noun: str) -> str:
    """Return `noun` with its article."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
