"""What the sources say: nothing without one, nothing in them forgotten, no dose that they do not give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from psoas.audit.material import Material, flaw
from psoas.audit.report import Flaw
from psoas.audit.wording import in_figures, shortened
from psoas.knowledge.check import EXPERT_DEFAULT
from psoas.knowledge.citations import citations, unaccounted
from psoas.knowledge.model import Dose, Knowledge, Remedy, Source


def claim_unaccounted(material: Material) -> Iterator[Flaw]:
    """A claim of an article that nothing is built on and nothing leaves out."""
    for name in unaccounted(material.knowledge):
        source = material.knowledge.sources[name]
        message = f"nothing cites {name} (“{shortened(source.says)}”), and nothing says why it is left out"
        yield flaw("claim-unaccounted", "error", source, message)


def claim_in_two_minds(material: Material) -> Iterator[Flaw]:
    """A claim that is both cited and listed as left out."""
    cited = citations(material.knowledge)
    for omission in material.knowledge.omissions:
        for name in omission.omits:
            if cited.get(name):
                who = cited[name][0].id
                message = f"{name} is listed as left out, and {who} cites it"
                yield Flaw(omission.place, "claim-in-two-minds", "error", name, message, others=(who,))


def unused_source(material: Material) -> Iterator[Flaw]:
    """A piece of literature that nothing cites."""
    know = material.knowledge
    cited, whole = citations(know), {source.of for source in know.sources.values()}
    omitted = {name for omission in know.omissions for name in omission.omits}
    for source in know.sources.values():
        if not source.of and source.id not in whole | omitted and not cited[source.id]:
            yield flaw("unused-source", "error", source, f"nothing cites {source.id} (“{shortened(source.says)}”)")


def no_source(material: Material) -> Iterator[Flaw]:
    """A rule, a remedy, a withholding or a dose without a source."""
    know = material.knowledge
    items: list[Any] = [*know.rules.values(), *know.remedies.values(), *know.withholdings.values()]
    for item in items:
        if not item.sources:
            yield flaw("no-source", "error", item, f"{item.id} names no source")
    for remedy in know.remedies.values():
        for dose in remedy.dose:
            if not dose.source:
                message = f"{remedy.id}: the dose “{shortened(dose.amount)}” names no source"
                yield flaw("no-source", "error", remedy, message)


def dose_not_in_source(material: Material) -> Iterator[Flaw]:
    """A dose ascribed to a source that gives none, or gives other numbers."""
    for remedy in material.knowledge.remedies.values():
        for dose in remedy.dose:
            if dose.source != EXPERT_DEFAULT and dose.source in material.knowledge.sources:
                wrong = _wrong(dose, material.knowledge.sources[dose.source], material.knowledge)
                if wrong:
                    message = f"{remedy.id}: the dose “{shortened(dose.amount)}” is ascribed to {dose.source}, {wrong}"
                    yield flaw("dose-not-in-source", "error", remedy, message, others=(dose.source,))


def dose_in_other_hands(material: Material) -> Iterator[Flaw]:
    """A dose that a claim gives and a remedy citing the claim does not use."""
    for remedy in material.knowledge.remedies.values():
        given = {dose.source for dose in remedy.dose}
        for name in remedy.sources:
            source = material.knowledge.sources.get(name)
            if source and source.dose and name not in given and _stated(remedy, source):
                message = (
                    f"{remedy.id} gives the dose of {name} (“{shortened(source.dose)}”) without naming it as the source"
                )
                yield flaw("dose-in-other-hands", "note", remedy, message, others=(name,))


def _stated(remedy: Remedy, source: Source) -> bool:
    return any(_numbers(dose.amount) and _numbers(dose.amount) == _numbers(source.dose) for dose in remedy.dose)


def _wrong(dose: Dose, source: Source, knowledge: Knowledge) -> str:
    """Return what is wrong with ascribing `dose` to `source`; empty if nothing is."""
    claims = [source, *(other for other in knowledge.sources.values() if other.of == source.id)]
    texts = [claim.dose or ("" if claim.of else claim.says) for claim in claims]
    if not any(texts):
        return "which gives no dose"
    amount = re.sub(r"\{\w+\}", "", dose.amount)
    given = set[float]().union(*map(_numbers, texts))
    extra = [f"{value:g}" for value in sorted(_numbers(amount) - given)]
    extra = extra or sorted(_measures(amount) - set[str]().union(*map(_measures, texts)))
    if not extra and given and not _numbers(dose.amount) and source.dose and "{" not in dose.amount:
        extra = [f"“{shortened(dose.amount)}”"]
    gives = shortened(" / ".join(filter(None, texts)), 80)
    return f"which does not give {', '.join(extra)} (it gives: {gives})" if extra else ""


def _measures(text: str) -> set[str]:
    """Return the numbers of `text` that stand before a unit of time or beside another: 30 seconds, 3 of 10."""
    found = re.findall(r"(\d+) sets? of (\d+)|(\d+)[- ](second|minute|hour|day|week|month|year)", in_figures(text))
    return {f"{sets} sets of {times}" if sets else f"{count} {unit}s" for sets, times, count, unit in found}


def _numbers(text: str) -> set[float]:
    return {float(found) for found in re.findall(r"\d+(?:\.\d+)?", in_figures(text))}
