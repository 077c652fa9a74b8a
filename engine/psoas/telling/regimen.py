"""What to do and what is held back, as a person is told it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from psoas.consultation import Consultation, Withheld
from psoas.knowledge.check import EXPERT_DEFAULT
from psoas.plan import Given
from psoas.readings.phrase import listed, lowered
from psoas.telling.document import Block, Entries, Entry, Paragraph, Subheading

FEW_TREATED = 2
FEW_HELD = 8
"""How many causes a remedy is told for, and remedies held back for one reason."""


def plan(it: Consultation) -> Iterator[Block]:
    """Yield the plan by occasion: what to start with, step by step, then the names of the rest."""
    occasions = {occasion.id: occasion.name for occasion in it.knowledge.manifest.occasions}
    usual = _usual_stop(it)
    stops = {usual: ""}  # what was said of stopping → how to refer to it
    if usual:
        yield Paragraph(f"In everything that follows, {usual}, unless an item says otherwise.")
    for occasion, group in groupby(it.remedies, key=lambda given: given.occasion):
        remedies = list(group)
        yield Subheading(occasions[occasion])
        yield Entries(tuple(_remedy(it, given, stops) for given in remedies if given.start == "now"))
        later = [_named(it, given) for given in remedies if given.start == "later"]
        if later:
            yield Paragraph(f"Later, or instead: {'; '.join(later)}.")
    if any(given.start == "later" for given in it.remedies):
        yield Paragraph("How to do what comes later: psoas explain CASE ID; the ID stands in brackets.")


def _is_for_safety(it: Consultation, given: Given) -> bool:
    return any(tier.restricted for tier in it.knowledge.manifest.tiers if tier.id == given.tier)


def _usual_stop(it: Consultation) -> str:
    """Return the rule for stopping that at least half of the plan shares, to be said once."""
    stops = [it.knowledge.remedies[given.id].stop for given in it.remedies if given.start == "now"]
    count = Counter(stop for stop in stops if stop)
    usual = max(count, key=lambda stop: (count[stop], stop), default="")
    return usual if count[usual] > 1 and 2 * count[usual] >= count.total() else ""


def _remedy(it: Consultation, given: Given, stops: dict[str, str]) -> Entry:
    """Return the entry of a remedy; `stops` holds what was said of stopping, and how to refer to it."""
    item = it.knowledge.remedies[given.id]
    label, dose = dose_line(it, given)
    stop = stops.get(item.stop, item.stop)
    if item.stop:
        stops.setdefault(item.stop, f"stop as in: {item.name}")
    notes = (("sources", ", ".join(given.sources)),) if given.sources else ()
    purpose = "" if _is_for_safety(it, given) else _purpose(it, given).removeprefix("for ")
    lines = [("for", purpose), (label, dose), ("stop", re.sub("^stop (?=if|as )", "", stop))]
    return Entry(item.name, "", tuple((a, b) for a, b in lines if b), item.steps, notes)


def _purpose(it: Consultation, given: Given) -> str:
    causes = [lowered(it.knowledge.conclusions[cause].name) for cause in given.treats[:FEW_TREATED]]
    return f"for {listed(causes)}" if causes else it.knowledge.remedies[given.id].purpose


def _named(it: Consultation, given: Given) -> str:
    return f"{it.knowledge.remedies[given.id].name} ({given.id}), {_purpose(it, given)}"


def dose_line(it: Consultation, given: Given) -> tuple[str, str]:
    """Return the label and the text of a dose: when, of what is for safety; else how much, by whom if not by us."""
    if _is_for_safety(it, given):
        return "when", "; ".join(amount for amount, _ in given.dose)
    marked = [amount + (f" ({source})" if source != EXPERT_DEFAULT else "") for amount, source in given.dose]
    return "how much", "; ".join(marked)


def cites_sources(it: Consultation) -> bool:
    """Tell whether the plan marks an amount with its source."""
    given = (given for given in it.remedies if given.start == "now" and not _is_for_safety(it, given))
    return any(source != EXPERT_DEFAULT for remedy in given for _, source in remedy.dose)


def held_back(it: Consultation) -> Iterator[Block]:
    """Yield what would be indicated and is not given, by reason; one sentence where nearly everything waits."""
    if it.restricted:
        if it.withheld:
            yield Paragraph(_waiting(it))
        return
    count = Counter(reason for item in it.withheld for reason in _reasons(it, item))
    groups: dict[str, list[Withheld]] = {}
    for item in it.withheld:
        reasons = _reasons(it, item)
        groups.setdefault(max(reasons, key=lambda reason: (count[reason], reason)), []).append(item)
    entries = tuple(_group(it, reason, items) for reason, items in sorted(groups.items()))
    if entries:
        yield Entries(entries)


def _waiting(it: Consultation) -> str:
    """Say once that everything else waits, and for what."""
    many = len(it.withheld)
    what = "the assessment" if it.triage.fired and it.level.plan == "restricted" else "the open safety questions"
    if many == 1:
        return f"One other thing that might help is held back: it waits for {what}."
    return f"{many} other things that might help are held back: they wait for {what}."


def _reasons(it: Consultation, item: Withheld) -> list[str]:
    return list(dict.fromkeys(it.knowledge.withholdings[rule].because for rule in item.because))


def _group(it: Consultation, reason: str, items: list[Withheld]) -> Entry:
    names = [it.knowledge.remedies[item.id].name for item in items]
    more = [f"{len(names) - FEW_HELD} more"] if len(names) > FEW_HELD else []
    others = any(len(_reasons(it, item)) > 1 for item in items)
    return Entry(
        "; ".join([*names[:FEW_HELD], *more]),
        lines=(("because", reason + (", and for other reasons" if others else "")),),
        notes=(("ids", ", ".join(item.id for item in items)),),
    )
