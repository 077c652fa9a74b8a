"""Kleene's three values as two booleans that are never NULL: what surely holds, and what possibly does.

The rule language is monotone in both bounds, so one walk over a condition gives the one from the lower bounds of its
parts and the other from the upper ones; only `not` swaps them. Engines combine booleans without NULL much faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psoas.readings.screen.sql import FALSE, at_least, every, negated, some


@dataclass(frozen=True, slots=True)
class Bounds:
    """Two pieces of SQL: that something holds whatever the open answers turn out to be, and that it can."""

    surely: str
    possibly: str

    @property
    def opposite(self) -> Bounds:
        """That it does not hold."""
        return Bounds(negated(self.possibly), negated(self.surely))

    @property
    def open(self) -> str:
        """That it depends on an open answer."""
        return FALSE if self.surely == self.possibly else every([self.possibly, negated(self.surely)])


def settled(part: str) -> Bounds:
    """Return the bounds of what depends on no open answer."""
    return Bounds(part, part)


def all_hold(parts: Iterable[Bounds]) -> Bounds:
    """Return that all `parts` hold."""
    parts = list(parts)
    return Bounds(every(part.surely for part in parts), every(part.possibly for part in parts))


def any_holds(parts: Iterable[Bounds]) -> Bounds:
    """Return that any of `parts` holds."""
    parts = list(parts)
    return Bounds(some(part.surely for part in parts), some(part.possibly for part in parts))


def so_many_hold(needed: int, parts: Sequence[Bounds]) -> Bounds:
    """Return that at least `needed` of `parts` hold."""
    return Bounds(
        at_least(needed, [part.surely for part in parts]), at_least(needed, [part.possibly for part in parts])
    )
