"""What a worked case expects of its consultation, held against what it gets, and the rules that made the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from psoas.audit.casework.outcome import Outcome, outcome_of
from psoas.audit.coverage import is_short
from psoas.case import Expectation
from psoas.consultation import Consultation
from psoas.knowledge.model import Knowledge, Rule


@dataclass(frozen=True, slots=True)
class Miss:
    """One expectation of a case that is not met."""

    of: Literal["nothing", "disposition", "lead", "cause", "not cause", "certainty", "include", "exclude"]
    item: str  # the level, cause or remedy it is about
    says: str  # what was expected, and what came
    why: str = ""  # what made the difference, one clause; empty where nothing is near
    items: tuple[str, ...] = ()  # ids of what made the difference, the most telling first


def missed(expect: Expectation | None, got: Outcome, knowledge: Knowledge) -> Iterator[Miss]:
    """Yield what a case expects and does not get."""
    if expect is None or expect == Expectation():
        yield Miss("nothing", "", "expects nothing: give it a disposition at least")
        return
    if expect.disposition and got.level != expect.disposition:
        yield Miss("disposition", expect.disposition, f"expects {expect.disposition} and gets {got.level}")
    yield from _missed_causes(expect, got, knowledge)
    yield from _missed_remedies(expect, got, knowledge)


def _missed_causes(expect: Expectation, got: Outcome, knowledge: Knowledge) -> Iterator[Miss]:
    lead = next(iter(got.causes), "")
    if expect.causes and lead != expect.causes[0] and expect.causes[0] in got.causes:
        yield Miss("lead", expect.causes[0], f"expects {expect.causes[0]} first and gets {lead}")
    for cause in expect.causes:
        if cause not in got.causes:
            yield Miss("cause", cause, f"expects {cause}, which is not established")
    for cause in expect.not_causes:
        if cause in got.causes:
            yield Miss("not cause", cause, f"must not come to {cause}, and does")
    for cause, wanted in expect.certainty.items():
        if cause not in got.causes:
            yield Miss("certainty", cause, f"expects {cause} to be {wanted}, and it is not established")
            continue
        word, number = knowledge.certainty_word(got.causes[cause]), f"{got.causes[cause]:.2f}"
        if wanted not in (word, number):
            yield Miss("certainty", cause, f"expects {cause} to be {wanted}, and it is {word} ({number})")


def _missed_remedies(expect: Expectation, got: Outcome, knowledge: Knowledge) -> Iterator[Miss]:
    for remedy in expect.include:
        if remedy not in got.remedies:
            there = "which is not given" if remedy in knowledge.remedies else "and there is no such remedy"
            yield Miss("include", remedy, f"expects {remedy}, {there}")
    freely = {tier.id for tier in knowledge.manifest.tiers if tier.restricted}
    # a word that is no remedy stands for all that is not given where a plan is restricted
    every = not set(expect.exclude) <= set(knowledge.remedies)
    for remedy in sorted(got.remedies):
        if remedy in expect.exclude or (every and knowledge.remedies[remedy].tier not in freely):
            yield Miss("exclude", remedy, f"must not be given {remedy}, and is")


def misses(it: Consultation) -> tuple[Miss, ...]:
    """Return what the worked case of a consultation expects and does not get, each with what made the difference."""
    return tuple(_explained(miss, it) for miss in missed(it.case.expect, outcome_of(it), it.knowledge))


def _explained(miss: Miss, it: Consultation) -> Miss:
    why, items = _WHY[miss.of](miss, it)
    return replace(miss, why=why, items=tuple(filter(None, (miss.item, *items))))


Reason = tuple[str, tuple[str, ...]]


def _of_nothing(miss: Miss, it: Consultation) -> Reason:
    return "", ()


def _of_level(miss: Miss, it: Consultation) -> Reason:
    fired = _fired(it, lambda rule: rule.level == it.level.id)
    nearly = _nearly(it, lambda rule: rule.level == miss.item)
    if fired or nearly:
        clauses = [f"{listed(fired)} {'fires' if len(fired) == 1 else 'fire'}"] if fired else []
        return "; ".join([*clauses, *([_one_short(nearly)] if nearly else [])]), fired + nearly
    if it.triage.unsettled:
        return f"{listed(it.triage.unsettled)} could still fire", it.triage.unsettled
    none = tuple(rule.id for rule in it.knowledge.rules.values() if rule.level == miss.item)
    return (f"none of {listed(none)} fires" if none else "a milder level has no rules of its own"), none


def _of_lead(miss: Miss, it: Consultation) -> Reason:
    lead = it.causes[0].id
    nearly = _nearly(it, lambda rule: miss.item in rule.then and rule.kind != "against")
    rests = f"{lead} rests on {listed(_for(it, lead))}"
    return f"{rests}; for {miss.item}, {_one_short(nearly)}" if nearly else rests, (*nearly, lead, *_for(it, lead))


def _of_cause(miss: Miss, it: Consultation) -> Reason:
    nearly = _nearly(it, lambda rule: miss.item in rule.then and rule.kind != "against")
    return (_one_short(nearly) if nearly else "none of its rules fires"), nearly


def _of_unwanted_cause(miss: Miss, it: Consultation) -> Reason:
    rules = _for(it, miss.item)
    return f"it rests on {listed(rules)}", rules


def _of_certainty(miss: Miss, it: Consultation) -> Reason:
    if not any(cause.id == miss.item for cause in it.causes):
        return _of_cause(miss, it)
    rules = (*_for(it, miss.item), *_fired(it, lambda rule: rule.kind == "against" and miss.item in rule.then))
    return f"it rests on {listed(rules)}", rules


def _of_included(miss: Miss, it: Consultation) -> Reason:
    held = next((item for item in it.withheld if item.id == miss.item), None)
    if held is not None:
        return f"{listed(held.because)} {'keeps' if len(held.because) == 1 else 'keep'} it back", held.because
    if miss.item not in it.knowledge.remedies:
        return "", ()
    treats = it.knowledge.remedies[miss.item].treats
    met = not treats or any(cause in it.reasoning.established for cause in treats)
    return ("what it asks besides does not hold" if met else f"there is no cause it is for: {listed(treats)}"), treats


def _of_excluded(miss: Miss, it: Consultation) -> Reason:
    given = next(given for given in it.remedies if given.id == miss.item)
    return (f"it is for {listed(given.treats)}" if given.treats else ""), given.treats


_WHY: dict[str, Callable[[Miss, Consultation], Reason]] = {
    "nothing": _of_nothing,
    "disposition": _of_level,
    "lead": _of_lead,
    "cause": _of_cause,
    "not cause": _of_unwanted_cause,
    "certainty": _of_certainty,
    "include": _of_included,
    "exclude": _of_excluded,
}


def _for(it: Consultation, cause: str) -> tuple[str, ...]:
    return tuple(rule.id for rule in it.reasoning.rules_for(cause, "sign", "mechanism"))


def _fired(it: Consultation, wanted: Callable[[Rule], bool]) -> tuple[str, ...]:
    return tuple(rule.id for rule in it.knowledge.rules.values() if wanted(rule) and rule.id in it.reasoning.firings)


def _nearly(it: Consultation, wanted: Callable[[Rule], bool]) -> tuple[str, ...]:
    """Return the rules that one answer keeps from firing here, of those that are wanted."""
    return tuple(
        rule.id
        for rule in it.knowledge.rules.values()
        if wanted(rule) and rule.id not in it.reasoning.firings and is_short(it.reasoning.why_not(rule.id))
    )


def _one_short(rules: tuple[str, ...]) -> str:
    return f"{listed(rules)} {'is' if len(rules) == 1 else 'are'} one answer short"


def listed(names: Iterable[str], most: int = 5) -> str:
    """Return the names with commas, the first few of many."""
    names = tuple(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
