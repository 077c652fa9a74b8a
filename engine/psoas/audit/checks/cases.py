"""The worked cases: each says what it expects, and a knowledge base that gives something else has lost something."""

from __future__ import annotations

from collections.abc import Iterator

from psoas.audit.coverage import is_short
from psoas.audit.material import Material
from psoas.audit.report import Flaw
from psoas.case import Case
from psoas.consultation import Consultation
from psoas.faults import Place


def case_disagrees(material: Material) -> Iterator[Flaw]:
    """A worked case that does not come out as it expects, or that cannot be read any more."""
    for worked in material.cases:
        place = Place(worked.file)
        if worked.case is None:
            fault = worked.faults[0]
            message = f"{worked.name} cannot be read: {fault.message}"
            yield Flaw(fault.place, "case-disagrees", "error", worked.name, message, str(fault.hint))
        elif worked.case.expect is not None and worked.case.expect.disposition:
            for message, others in _misses(material.consultant.consult(worked.case), worked.case):
                yield Flaw(place, "case-disagrees", "error", worked.name, message, others=others)


def _misses(it: Consultation, case: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    expect = case.expect
    assert expect is not None
    causes = [cause.id for cause in it.causes]
    given = {remedy.id for remedy in it.remedies}
    if it.level.id != expect.disposition:
        short = _short(it, lambda name: it.knowledge.rules[name].level == expect.disposition)
        message = f"{case.id} expects {expect.disposition} and gets {it.level.id}"
        yield f"{message} ({', '.join(it.triage.fired) or 'no triage rule fires'})" + _nearly(short), short
    if expect.causes and causes[:1] != list(expect.causes[:1]):
        lead = expect.causes[0]
        yield f"{case.id} expects {lead} first and gets {', '.join(causes[:1]) or 'no cause'}", (lead,)
    for cause in expect.causes:
        if cause not in causes:
            short = _short(it, lambda name, cause=cause: cause in it.knowledge.rules[name].then)
            yield f"{case.id} expects {cause}, which is not established" + _nearly(short), (cause, *short)
    for remedy in expect.include:
        if remedy not in given:
            yield f"{case.id} expects {remedy}, which is not given", (remedy,)
    freely = {tier.id for tier in it.knowledge.manifest.tiers if tier.restricted}
    # a word that is no remedy stands for all that is not given where a plan is restricted
    every = not set(expect.exclude) <= set(it.knowledge.remedies)
    barred = {remedy.id for remedy in it.remedies if every and remedy.tier not in freely}
    for remedy in sorted({*expect.exclude, *barred}):
        if remedy in given:
            yield f"{case.id} must not be given {remedy}, and is", (remedy,)


def _short(it: Consultation, wanted: object) -> tuple[str, ...]:
    """Return the rules that one answer keeps from firing here, of those that are wanted."""
    assert callable(wanted)
    fired = it.reasoning.firings
    return tuple(
        name
        for name in it.knowledge.rules
        if name not in fired and wanted(name) and is_short(it.reasoning.why_not(name))
    )


def _nearly(rules: tuple[str, ...]) -> str:
    return f"; one answer short: {', '.join(rules[:5])}" if rules else ""
