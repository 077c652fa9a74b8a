"""What two versions of a knowledge base do differently: in words, in worked cases, and by proof in any case."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from psoas.case import Case
from psoas.consultation import Consultant, Consultation
from psoas.knowledge.digest import digest
from psoas.knowledge.model import Knowledge, Rule
from psoas.memory import State
from psoas.readings.phrase import Phrases


@dataclass(frozen=True, slots=True)
class Edit:
    """One item that is new, gone or other than before, with its words before and after."""

    shelf: str
    item: str
    kind: Literal["added", "removed", "changed"]
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a consultation comes to: the level, the leading cause and the remedies."""

    level: str
    lead: str
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """A worked case that comes out differently."""

    case: str
    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Milder:
    """A possible case that the new version triages less urgently."""

    case: dict[str, State]
    before: str
    after: str


def edits(old: Knowledge, new: Knowledge) -> Iterator[Edit]:
    """Yield what changed, item by item, in the order of the shelves."""
    for shelf, after in new.shelves.items():
        before = old.shelves[shelf]
        for name in sorted({*before, *after}):
            if name not in after:
                yield Edit(shelf, name, "removed", before=_words(old, before[name]))
            elif name not in before:
                yield Edit(shelf, name, "added", after=_words(new, after[name]))
            elif digest(before[name]) != digest(after[name]):
                yield Edit(shelf, name, "changed", *_told(old, before[name], new, after[name]))


def _words(knowledge: Knowledge, item: Any) -> str:
    if isinstance(item, Rule):
        return Phrases(knowledge).rule(item)
    return str(getattr(item, "name", "") or getattr(item, "question", "") or getattr(item, "says", "") or item.id)


def _told(old: Knowledge, before: Any, new: Knowledge, after: Any) -> tuple[str, str]:
    """Return the words of an item before and after; where they are the same, the fields that differ."""
    words = _words(old, before), _words(new, after)
    if words[0] != words[1]:
        return words
    differing = [f.name for f in dataclasses.fields(before) if f.name != "place" and _other(before, after, f.name)]
    fields = ", ".join(differing)
    return f"{words[0]} ({fields})", f"{words[1]} ({fields})"


def _other(before: Any, after: Any, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def shifts(old: Consultant, new: Consultant, cases: Iterable[tuple[Case, Case]]) -> Iterator[Shift]:
    """Yield the worked cases, each as read by the old and by the new version, that come out differently."""
    for before, after in cases:
        one, two = outcome(old.consult(before)), outcome(new.consult(after))
        if one != two:
            yield Shift(after.id, one, two)


def outcome(it: Consultation) -> Outcome:
    """Return what a consultation comes to."""
    return Outcome(it.level.id, it.causes[0].id if it.causes else "", tuple(sorted(given.id for given in it.remedies)))


def milder(old: Knowledge, new: Knowledge) -> Milder | None:
    """Return the smallest case found that `new` triages less urgently than `old`; None where there is none, by proof.

    Less urgent is a milder level, and the mildest where it could not be judged before. Raises `Undecided`.
    """
    from psoas.readings.prove.versions import both

    found = both(old, new)
    return Milder(*found) if found else None
