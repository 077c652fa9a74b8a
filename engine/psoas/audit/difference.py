"""What two versions of a knowledge base do differently: in worked cases, and by proof in any case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from psoas.case import Case, read_case
from psoas.consultation import Consultant, Consultation
from psoas.faults import Unusable
from psoas.knowledge.files import found
from psoas.knowledge.model import Knowledge
from psoas.memory import State


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a consultation comes to: the level, the leading cause, all causes and the remedies."""

    level: str
    lead: str
    causes: tuple[str, ...]
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """A worked case that comes out differently."""

    case: str
    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Moved:
    """A possible case that gets another level: the old one, and the new one."""

    case: dict[str, State]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Proved:
    """What two versions do apart in some possible case. Where nothing is, that is proved for every possible case."""

    less: Moved | None = None
    more: Moved | None = None
    other: Moved | None = None  # where neither of the two: a case that gets another level all the same
    come: tuple[str, ...] = ()  # conclusions that some case now comes to
    gone: tuple[str, ...] = ()  # conclusions that some case no longer comes to
    given: tuple[str, ...] = ()  # remedies that some case is now given
    taken: tuple[str, ...] = ()  # remedies that some case is no longer given
    example: dict[str, State] | None = None  # a case that is given the first of `given`

    @property
    def same(self) -> bool:
        """Whether every possible case gets the same level, the same conclusions and the same remedies."""
        return self.levels and not (self.come or self.gone or self.given or self.taken)

    @property
    def levels(self) -> bool:
        """Whether every possible case gets the same level."""
        return not (self.less or self.more or self.other)


def shared_cases(
    old: Knowledge, new: Knowledge, homes: Iterable[Path]
) -> tuple[list[tuple[Case, Case]], tuple[str, ...]]:
    """Return the worked cases of both versions, each as read by either, and the names of those that one cannot read.

    Where both folders in `homes` have a case of one name, that of the later counts.
    """
    files = {name.name: home / "cases" / name for home in homes for name in _listed(home / "cases")}
    pairs, unread = [], []
    for name, path in sorted(files.items()):
        try:
            pairs.append((read_case(old, path), read_case(new, path)))
        except Unusable:
            unread.append(Path(name).stem)
    return pairs, tuple(unread)


def _listed(folder: Path) -> list[Path]:
    return found(folder, ()) if folder.is_dir() else []


def shifts(old: Consultant, new: Consultant, cases: Iterable[tuple[Case, Case]]) -> Iterator[Shift]:
    """Yield the worked cases, each as read by the old and by the new version, that come out differently."""
    for before, after in cases:
        one, two = outcome(old.consult(before)), outcome(new.consult(after))
        if one != two:
            yield Shift(after.id, one, two)


def outcome(it: Consultation) -> Outcome:
    """Return what a consultation comes to."""
    causes = tuple(cause.id for cause in it.causes)
    return Outcome(it.level.id, causes[0] if causes else "", causes, tuple(sorted(given.id for given in it.remedies)))


def prove(old: Knowledge, new: Knowledge) -> Proved:
    """Return what is proved of the two versions over every possible case.

    Raises `Undecided`, and ImportError where z3 is missing. Less urgent is a milder level, and the mildest where it
    could not be judged before.
    """
    from psoas.readings.prove.versions import Versions

    versions = Versions(old, new)
    less, more = versions.less_urgent(), versions.more_urgent()
    other = None if less or more else versions.otherwise_judged()
    reached, given = list(versions.established()), list(versions.given())
    newly = tuple(name for name, now in given if now)
    return Proved(
        Moved(*less) if less else None,
        Moved(*more) if more else None,
        Moved(*other) if other else None,
        tuple(name for name, now in reached if now),
        tuple(name for name, now in reached if not now),
        newly,
        tuple(name for name, now in given if not now),
        versions.newly_given(newly[0]) if newly else None,
    )
