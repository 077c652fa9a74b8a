"""Who has signed what: every item counted by the state of its signatures, by topic; and what is to be done about it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any

from psoas.audit.report import Flaw, Severity
from psoas.knowledge.load import SHELVES
from psoas.knowledge.model import Knowledge, Remedy, Review, Rule, Withholding
from psoas.knowledge.signatures import Item, Signing, State, day, kind_of, signings

STATES: tuple[State, ...] = ("signed", "stale", "disputed", "commented", "unsigned")

MEANS = {"agree": "agreed", "disagree": "disagreed", "comment": "commented"}


@dataclass(frozen=True, slots=True)
class Count:
    """How many items stand in each state. Those overdue are signed, too long ago."""

    signed: int = 0
    stale: int = 0
    disputed: int = 0
    commented: int = 0
    unsigned: int = 0
    overdue: int = 0

    @property
    def total(self) -> int:
        """All items."""
        return self.signed + self.stale + self.disputed + self.commented + self.unsigned


@dataclass(frozen=True)
class Status:
    """How a whole knowledge base stands by its signatures, on one day."""

    today: date
    months: float  # after so many a signature is due again
    topics: dict[str, tuple[Signing, ...]]
    deciding: tuple[Signing, ...]  # rules and remedies: what a consultation counts
    overdue: frozenset[str]

    def count(self, items: tuple[Signing, ...]) -> Count:
        """Return how many of `items` stand in each state."""
        states = [signing.state for signing in items]
        late = sum(signing.name in self.overdue for signing in items)
        return Count(**{state: states.count(state) for state in STATES}, overdue=late)

    @property
    def all(self) -> tuple[Signing, ...]:
        """Every item, topic by topic."""
        return tuple(signing for items in self.topics.values() for signing in items)


def status(knowledge: Knowledge, today: date) -> Status:
    """Return how `knowledge` stands by its signatures on the day `today`."""
    months = knowledge.manifest.review_months
    topics: dict[str, list[Signing]] = {}
    for signing in signings(knowledge).values():
        topics.setdefault(topic_of(signing.item), []).append(signing)
    every = [signing for items in topics.values() for signing in items]
    return Status(
        today,
        months,
        {topic: tuple(topics[topic]) for topic in sorted(topics)},
        tuple(signing for signing in every if isinstance(signing.item, Rule | Withholding | Remedy)),
        frozenset(signing.name for signing in every if is_overdue(signing, today, months)),
    )


def topic_of(item: Item) -> str:
    """Return the topic of `item`: its file, and the folder this stands in, without the ending."""
    path = PurePath(item.place.file)
    return f"{path.parent.name}/{path.stem}" if path.parent.name in SHELVES else path.stem


def is_overdue(signing: Signing, today: date, months: float) -> bool:
    """Tell whether the newest agreement with what `signing` says now is older than so many months."""
    days = [day(review.on) for review in signing.current if review.verdict == "agree"]
    newest = max((signed for signed in days if signed), default=None)
    return signing.state == "signed" and newest is not None and _later(newest, int(months)) < today


def _later(start: date, months: int) -> date:
    """Return the day so many months after `start`, or the last of that month where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


# what is to be done


def signature_flaws(found: Status) -> Iterator[Flaw]:
    """Yield what is wrong with the signatures: stale, disputed, overdue, or of a day that has not come."""
    for signing in found.all:
        for review in signing.outdated if signing.state == "stale" else ():
            if review.verdict != "comment":
                yield _stale(signing, review)
        for review in signing.current:
            if review.verdict == "disagree":
                message = f"{signing.name}: {said(review)}" + (f": {review.comment}" if review.comment else "")
                yield _flaw(
                    "disputed-signature", signing, message, "mend what is wrong, or settle it with them", review
                )
            ahead = day(review.on)
            if ahead and ahead > found.today:
                message = f"{signing.name}: {said(review)}, a day that has not come yet"
                yield _flaw("signature-ahead-of-its-day", signing, message, f"correct on: at {review.place}", review)
        if signing.name in found.overdue:
            newest = max((r for r in signing.current if r.verdict == "agree"), key=lambda review: review.on)
            message = f"{signing.name}: {said(newest)}, more than {found.months:g} months ago"
            yield _flaw("overdue-signature", signing, message, again(signing), newest)


def _stale(signing: Signing, review: Review) -> Flaw:
    message = (
        f"{signing.name}: the signature is stale: {said(review)} to a text with the digest {review.digest[:12]}…, "
        f"and the {kind_of(signing.item)} has changed since (now {signing.digest[:12]}…)"
    )
    return _flaw("stale-signature", signing, message, again(signing), review)


def _flaw(check: str, signing: Signing, message: str, mend: str, review: Review) -> Flaw:
    # a signature under another text, or one that says no, is wrong; one of another day is to be looked at
    severity: Severity = "error" if check in ("stale-signature", "disputed-signature") else "warning"
    return Flaw(signing.item.place, check, severity, signing.item.id, f"{message} ({review.place})", mend)


def said(review: Review) -> str:
    """Return who gave which verdict when: `A. Mechanic (bicycle mechanic) agreed on 2024-05-01`."""
    return f"{review.by} ({review.qualification}) {MEANS[review.verdict]} on {review.on}"


def again(signing: Signing) -> str:
    """Return what to do about a signature that holds no longer."""
    return f"review it again: psoas audit review {signing.name}"


def status_record(found: Status) -> dict[str, Any]:
    """Return the status as the JSON object `psoas.review-status/1`."""

    def counted(items: tuple[Signing, ...]) -> dict[str, int]:
        count = found.count(items)
        return {**{state: getattr(count, state) for state in STATES}, "overdue": count.overdue, "total": count.total}

    return {
        "format": "psoas.review-status/1",
        "on": found.today.isoformat(),
        "review_months": found.months,
        "all": counted(found.all),
        "rules_and_remedies": counted(found.deciding),
        "topics": {topic: counted(items) for topic, items in found.topics.items()},
        "items": [
            {
                "id": signing.name,
                "kind": kind_of(signing.item),
                "topic": topic,
                "place": {"file": signing.item.place.file, "line": signing.item.place.line},
                "state": signing.state,
                "overdue": signing.name in found.overdue,
                "digest": signing.digest,
            }
            for topic, items in found.topics.items()
            for signing in items
        ],
        "flaws": [
            {
                "check": flaw.check,
                "severity": flaw.severity,
                "item": flaw.item,
                "place": {"file": flaw.place.file, "line": flaw.place.line},
                "message": flaw.message,
                "mend": flaw.mend,
            }
            for flaw in signature_flaws(found)
        ],
    }
