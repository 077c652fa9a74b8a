"""Signatures of experts: what can be signed, how each item stands by them, and what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import Literal, TypeAlias

from psoas.faults import Fault, quoted, suggest
from psoas.knowledge.digest import digest
from psoas.knowledge.model import (
    Calculated,
    Conclusion,
    Contradiction,
    Disagreement,
    Finding,
    Knowledge,
    Remedy,
    Review,
    Rule,
    Withholding,
)
from psoas.knowledge.reader import Places

Item: TypeAlias = Rule | Withholding | Remedy | Conclusion | Disagreement | Contradiction | Finding | Calculated

State = Literal["signed", "disputed", "commented", "stale", "unsigned"]


def kind_of(item: Item) -> str:
    """Return the noun for `item`: rule, remedy, finding …"""
    return type(item).__name__.lower()


def signable(knowledge: Knowledge) -> dict[str, Item]:
    """Return everything that can be signed, by the name a signature gives it: rules and remedies first.

    The name is the id; where two kinds of item share an id, the later kind stands before it: `finding:ID`.
    """
    found: dict[str, Item] = {}
    for item in _shelved(knowledge):
        found[f"{kind_of(item)}:{item.id}" if item.id in found else item.id] = item
    return found


def _shelved(knowledge: Knowledge) -> Iterator[Item]:
    yield from knowledge.rules.values()
    yield from knowledge.withholdings.values()
    yield from knowledge.remedies.values()
    yield from knowledge.disagreements.values()
    yield from knowledge.conclusions.values()
    yield from knowledge.contradictions.values()
    yield from knowledge.findings.values()
    yield from knowledge.calculated.values()


@dataclass(frozen=True)
class Signing:
    """One item and every review of it: of what it says now, and of what it said before."""

    name: str
    item: Item
    reviews: tuple[Review, ...]

    @cached_property
    def digest(self) -> str:
        """The digest of what the item says now."""
        return digest(self.item)

    @property
    def current(self) -> tuple[Review, ...]:
        """The reviews of what it says now."""
        return tuple(review for review in self.reviews if review.digest == self.digest)

    @property
    def outdated(self) -> tuple[Review, ...]:
        """The reviews of what it said before, by those who have not reviewed it since."""
        since = {who(review.by) for review in self.current}
        return tuple(r for r in self.reviews if r.digest != self.digest and who(r.by) not in since)

    @property
    def state(self) -> State:
        """How it stands: one who disagrees outweighs all who agree, and a stale verdict counts for nothing."""
        verdicts = {review.verdict for review in self.current}
        if "disagree" in verdicts:
            return "disputed"
        if "agree" in verdicts:
            return "signed"
        if any(review.verdict != "comment" for review in self.outdated):
            return "stale"
        return "commented" if verdicts else "unsigned"


def who(name: str) -> str:
    """Return a name as it is compared: the same person, however it is spaced or capitalised."""
    return " ".join(name.split()).casefold()


def signings(knowledge: Knowledge) -> dict[str, Signing]:
    """Return name → item with its reviews, for everything that can be signed."""
    reviews: dict[str, list[Review]] = {}
    for review in knowledge.reviews:
        reviews.setdefault(review.of, []).append(review)
    return {name: Signing(name, item, tuple(reviews.get(name, ()))) for name, item in signable(knowledge).items()}


def signature_faults(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    """Yield a fault for each review of nothing, without a true digest or day, or against another of its author's."""
    known = signable(knowledge) if knowledge.reviews else {}
    for review in knowledge.reviews:
        again = f"sign again: psoas audit review {review.of}"
        if review.of not in known:
            gone = "if what was signed is gone, take its signature out"
            place = places.of(review, "of")
            yield Fault(place, f"there is nothing called {quoted(review.of)} to sign", suggest(review.of, known, gone))
        if not re.fullmatch("[0-9a-f]{64}", review.digest):
            place = places.of(review, "digest")
            message = f"{review.of}: {quoted(review.digest)} is no digest: 64 of the digits 0 to 9 and a to f"
            yield Fault(place, message, f"take this signature out and {again}")
        if day(review.on) is None:
            yield Fault(
                places.of(review, "on"), f"{review.of}: {quoted(review.on)} is no day", "write it as 2024-05-31"
            )
    yield from _contrary(knowledge, places)


def _contrary(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    """Yield a fault where one person both agrees and disagrees with the same text."""
    verdicts = sorted(
        (review for review in knowledge.reviews if review.verdict != "comment"),
        key=lambda review: (review.of, review.digest, who(review.by), review.place),
    )
    for _, group in groupby(verdicts, key=lambda review: (review.of, review.digest, who(review.by))):
        first, *others = group
        for other in others:
            if other.verdict != first.verdict:
                message = f"{other.of}: {other.by} both agrees and disagrees with the same text"
                hint = f"the other verdict stands at {places.of(first, 'verdict')}; take out the one that does not hold"
                yield Fault(places.of(other, "verdict"), message, hint)


def day(text: str) -> date | None:
    """Return the day `text` writes as 2024-05-31; None where it writes none."""
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None
