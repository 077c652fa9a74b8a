"""Remedies: those for nothing, those never given, those that oppose each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from psoas.audit.logic import Goal
from psoas.audit.material import Material, flaw
from psoas.audit.report import Flaw
from psoas.knowledge.conditions import Holds
from psoas.knowledge.model import Remedy
from psoas.knowledge.program import withheld
from psoas.readings.phrase import listed

ANTONYMS = [
    {"high", "low"},
    {"raise", "low"},
    {"more", "less"},
    {"longer", "shorter"},
    {"increase", "reduce"},
    {"quicker", "slower"},
    {"faster", "slower"},
    {"forward", "backward"},
    {"up", "down"},
    {"start", "stop"},
    {"tighten", "loosen"},
    {"open", "close"},
]
"""Words of which one in the name of a remedy undoes the other in the name of another."""

STOPPING = {"stop", "avoid", "no", "without"}
"""Words before the name of what a remedy forbids."""


def remedy_for_nothing(material: Material) -> Iterator[Flaw]:
    """A remedy that no case can call for, or that is for a conclusion which nothing establishes."""
    logic = material.logic
    for remedy in material.knowledge.remedies.values():
        if logic.possible([Goal(Holds(remedy.id))]) is False:
            yield flaw("remedy-for-nothing", "error", remedy, f"no case can call for {remedy.id} ({remedy.name})")
            continue
        for name in remedy.treats:
            if logic.possible([Goal(Holds(name))]) is False:
                message = f"{remedy.id} ({remedy.name}) is for {name}, which no rule can establish"
                yield flaw("remedy-for-nothing", "warning", remedy, message, others=(name,))


def remedy_never_given(material: Material) -> Iterator[Flaw]:
    """A remedy that is withheld in every case that calls for it, or for one of its conclusions."""
    logic = material.logic
    tiers = {tier.id for tier in material.knowledge.manifest.tiers if tier.restricted}
    restricting = [
        clause
        for level in material.knowledge.manifest.dispositions
        if level.plan == "restricted"
        for clause in logic.concludes(level.id)
    ]
    for remedy in material.knowledge.remedies.values():
        given = [Goal(Holds(remedy.id)), Goal(Holds(withheld(remedy.id)), "not true")]
        wanted = logic.possible(given[:1]) is not False
        if wanted and logic.possible(given) is False:
            others = tuple(clause.id for clause in logic.concludes(withheld(remedy.id)))
            message = f"{remedy.id} ({remedy.name}) is held back in every case that calls for it, by {listed(others)}"
            yield flaw("remedy-never-given", "error", remedy, message, others=others)
            continue
        free = [*given, *(logic.silent(clause) for clause in restricting)]
        if wanted and remedy.tier not in tiers and logic.possible(free) is False:
            message = (
                f"{remedy.id} ({remedy.name}) is called for only where the plan is restricted, which leaves it out"
            )
            yield flaw("remedy-never-given", "error", remedy, message)
            continue
        for name in remedy.treats:
            goals = [*given, Goal(Holds(name))]
            if logic.possible([Goal(Holds(name))]) and logic.possible(goals) is False:
                message = f"{remedy.id} ({remedy.name}) is for {name}, and never given where that is established"
                yield flaw("remedy-never-given", "note", remedy, message, others=(name,))


def opposing_remedies(material: Material) -> Iterator[Flaw]:
    """Two remedies whose names say opposite things and that one case can be given together."""
    logic = material.logic
    for one, other in combinations(material.knowledge.remedies.values(), 2):
        how = _opposed(one, other) or _opposed(other, one)
        if not how:
            continue
        goals = [Goal(Holds(remedy.id)) for remedy in (one, other)]
        goals += [Goal(Holds(withheld(remedy.id)), "not true") for remedy in (one, other)]
        if logic.possible(goals) is not False:
            message = f"{one.id} and {other.id} ({other.place}) can be given together, and are opposed: {how}"
            yield flaw("opposing-remedies", "error", one, message, others=(other.id,))


def _opposed(one: Remedy, other: Remedy) -> str:
    """Return how the names of two remedies are opposed; empty where they are not."""
    for first, second in ((_names(one), _names(other)), (_named(one), _named(other))):
        here, there = first - second, second - first
        if len(here) == len(there) == 1 and first & second:
            pair = {_stem(word) for word in here | there}
            if pair in ANTONYMS:
                return " against ".join(sorted(here | there))
    first, second = _names(one), _names(other)
    if (first - second) & STOPPING:
        for trait in other.traits:
            if set(trait.split("_")) and set(trait.split("_")) == first - STOPPING:
                return f"{one.id} forbids what is a trait of {other.id}, {trait}"
    return ""


def _names(remedy: Remedy) -> set[str]:
    return set(re.split(r"[_-]", remedy.id))


def _named(remedy: Remedy) -> set[str]:
    return set(re.findall(r"\w+", remedy.name.lower()))


def _stem(word: str) -> str:
    return {"higher": "high", "lower": "low", "raised": "raise", "lowered": "low"}.get(word, word)
