"""Remedies → a plan a person can follow: in order, a few things an occasion, the doses filled in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from psoas.knowledge.conditions import ALWAYS
from psoas.knowledge.model import Dose, Knowledge, Remedy
from psoas.memory import WorkingMemory
from psoas.readings.phrase import number


@dataclass(frozen=True, slots=True)
class Given:
    """A remedy that is given."""

    id: str
    treats: tuple[str, ...]  # the causes of this case it is for
    tier: str
    occasion: str
    dose: tuple[tuple[str, str], ...]  # (amount, source)
    start: str  # `now`, or `later` where its occasion is full
    sources: tuple[str, ...]


def planned(
    knowledge: Knowledge, remedies: list[Remedy], rank: Mapping[str, int], memory: WorkingMemory
) -> tuple[Given, ...]:
    """Return `remedies` in the order of the plan, each marked whether to start with it now.

    `rank` holds the causes of the case by id, 1 the first.

    Within an occasion they go by tier of safety, what is for everybody last, rank of the cause, then evidence. Up to
    the occasion's cap those come first whose cause the occasion does least for so far, so that each cause gets
    something before one gets two.
    """
    manifest = knowledge.manifest
    tiers = [tier.id for tier in manifest.tiers]
    planned: list[Given] = []

    def order(remedy: Remedy) -> tuple[bool, bool, float, int, int, int, str]:
        tier = manifest.tiers[tiers.index(remedy.tier)]
        grade = manifest.evidence.index(remedy.evidence) if remedy.evidence else len(manifest.evidence)
        best = min((rank[cause] for cause in remedy.treats if cause in rank), default=len(rank))
        always = remedy.when == ALWAYS
        return not tier.restricted, always, remedy.stage, best, grade, tiers.index(remedy.tier), remedy.id

    for occasion in manifest.occasions:
        waiting = sorted((r for r in remedies if r.occasion == occasion.id), key=order)
        served: Counter[str] = Counter()
        for place in range(len(waiting)):
            full = place >= occasion.cap
            chosen = (
                waiting[0] if full else min(waiting, key=lambda r: (order(r)[:2], _served(r, rank, served), order(r)))
            )
            waiting.remove(chosen)
            treated = tuple(cause for cause in sorted(rank, key=rank.__getitem__) if cause in chosen.treats)
            served.update(treated[:1])
            planned.append(
                Given(
                    chosen.id,
                    treated,
                    chosen.tier,
                    chosen.occasion,
                    tuple((amount(dose, memory), dose.source) for dose in chosen.dose),
                    "later" if full else "now",
                    chosen.sources,
                )
            )
    return tuple(planned)


def _served(remedy: Remedy, rank: Mapping[str, int], served: Counter[str]) -> int:
    causes = sorted((cause for cause in remedy.treats if cause in rank), key=rank.__getitem__)
    return served[causes[0]] if causes else 0


def amount(dose: Dose, memory: WorkingMemory) -> str:
    """Return the text of a dose with the case's own numbers, or its fallback where one of them is unknown."""
    names = re.findall(r"\{(\w+)\}", dose.amount)
    values = {name: memory[name] for name in names}
    if any(not isinstance(value, float) for value in values.values()):
        return dose.otherwise
    return re.sub(r"\{(\w+)\}", lambda found: _rounded(values[found[1]]), dose.amount)


def _rounded(value: object) -> str:
    assert isinstance(value, float)
    return number(float(round(value)))
