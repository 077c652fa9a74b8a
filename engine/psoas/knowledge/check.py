"""What must hold before a knowledge base may be used: every name exists, every item is sound, nothing circles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from psoas.faults import Fault, Hint, Unusable, quoted, suggest
from psoas.knowledge.conditions import Condition, Holds, leaves
from psoas.knowledge.formulas import misfit
from psoas.knowledge.model import Dose, Finding, Knowledge, Remedy, Rule
from psoas.knowledge.names import unknown_names
from psoas.knowledge.program import compile_program
from psoas.knowledge.reader import Mention, Places
from psoas.knowledge.scales import scales
from psoas.knowledge.signatures import signature_faults

EXPERT_DEFAULT = "expert default"
"""The source of what no source gives."""


def check(knowledge: Knowledge, mentions: Iterable[Mention], places: Places | None = None) -> None:
    """Raise `Unusable` with every fault of `knowledge`; `mentions` are the names its files use.

    A fault stands where `places` find the key it is about; without them, where its item begins.
    """
    places = places or Places()
    faults = [
        *unknown_names(knowledge, known_names(knowledge), mentions),
        *_ambiguous_names(knowledge, places),
        *_reserved_names(knowledge, places),
        *(fault for finding in knowledge.findings.values() for fault in _finding(finding, places)),
        *_calculated(knowledge, places),
        *_applicability(knowledge, places),
        *scales(knowledge, places),
        *(fault for rule in knowledge.rules.values() for fault in _rule(rule, knowledge, places)),
        *(fault for remedy in knowledge.remedies.values() for fault in _remedy(remedy, knowledge, places)),
        *_contexts(knowledge, places),
        *signature_faults(knowledge, places),
    ]
    if faults:
        raise Unusable(faults)
    compile_program(knowledge)  # raises on circles


def known_names(knowledge: Knowledge) -> dict[str, set[str]]:
    """Return kind of name → the names of that kind."""
    manifest = knowledge.manifest
    kinds = {kind.id for kind in manifest.kinds}
    levels = {d.id for d in manifest.dispositions}
    traits = {trait for remedy in knowledge.remedies.values() for trait in remedy.traits}
    return {
        "kind": kinds,
        "level": levels,
        "strength": set(manifest.strengths),
        "evidence": set(manifest.evidence),
        "tier": {tier.id for tier in manifest.tiers},
        "occasion": {occasion.id for occasion in manifest.occasions},
        "conclusion": set(knowledge.conclusions),
        "finding": set(knowledge.findings),
        "test": {*knowledge.findings, *knowledge.calculated},
        "input": {f.id for f in knowledge.findings.values() if "number" in f.type},
        "source": {*knowledge.sources, EXPERT_DEFAULT},
        "remedy": set(knowledge.remedies),
        "trait": traits,
        "remedy or trait": {*knowledge.remedies, *traits},
        "symbol": {*knowledge.conclusions, *levels, *knowledge.remedies, *(f"any {kind}" for kind in kinds)},
    }


def _ambiguous_names(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    """A bare word in a condition must name one thing: a conclusion, a remedy or a level."""
    levels = {d.id for d in knowledge.manifest.dispositions}
    for remedy in knowledge.remedies.values():
        if remedy.id in knowledge.conclusions or remedy.id in levels:
            place = places.of(remedy, "id")
            yield Fault(place, f"the remedy {remedy.id} has the name of a conclusion or a level", OTHER)
    for conclusion in knowledge.conclusions.values():
        if conclusion.id in levels:
            yield Fault(places.of(conclusion, "id"), f"the conclusion {conclusion.id} has the name of a level", OTHER)
    for calculated in knowledge.calculated.values():
        if calculated.id in knowledge.findings:
            yield Fault(places.of(calculated, "id"), f"{calculated.id} is also a finding that is asked", OTHER)


LANGUAGE = {"all", "any", "not", "always", "answered", "at least"}
"""Words of the rule language, which nothing in it may be named."""

OTHER = "choose another id"


def _reserved_names(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    for shelf in (knowledge.findings, knowledge.calculated, knowledge.conclusions, knowledge.remedies):
        for item in shelf.values():
            if item.id in LANGUAGE:
                yield Fault(places.of(item, "id"), f"{quoted(item.id)} is a word of the rule language", OTHER)
    for withholding in knowledge.withholdings.values():
        if withholding.id in knowledge.rules:
            first = places.of(knowledge.rules[withholding.id], "id")
            place = places.of(withholding, "id")
            yield Fault(place, f"the id {quoted(withholding.id)} stands twice", f"first at {first}")


def _calculated(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    lists = {finding.id for finding in knowledge.findings.values() if finding.type == "list of numbers"}
    for item in knowledge.calculated.values():
        wrong = misfit(item.formula, lists)
        if wrong:
            yield Fault(places.of(item, "is"), f"{item.id}: the formula does not fit: {wrong}")
        if "{}" not in item.says:
            place = places.of(item, "says")
            yield Fault(place, f"{item.id} needs a text says: with {{}} where the number goes", _says(item.name))


def _finding(finding: Finding, places: Places) -> Iterator[Fault]:
    numeric = "number" in finding.type
    if numeric and finding.range is None:
        yield Fault(finding.place, f"{finding.id} needs a range", "such as range: 0 to 10")
    if numeric and "{}" not in finding.says:
        place = places.of(finding, "says")
        yield Fault(place, f"{finding.id} needs a text says: with {{}} where the number goes", _says(finding.name))
    if finding.type == "list of numbers" and finding.length is None:
        yield Fault(finding.place, f"{finding.id} needs a length", "such as length: 2 to 8")
    if finding.length and not (finding.length.low.is_integer() and finding.length.high.is_integer()):
        yield Fault(places.of(finding, "length"), f"{finding.id}: a length is counted in whole numbers")
    if numeric and finding.values:
        yield Fault(places.of(finding, "values"), f"{finding.id} is a number and has a range, not values")
    for key in ("range", "length"):
        if not numeric and getattr(finding, key):
            yield Fault(places.of(finding, key), f"{finding.id} is a choice and has values, not a {key}")
    if not numeric and not finding.values:
        yield Fault(finding.place, f"{finding.id} needs values, each with the statement it makes")
    yield from _values(finding, places)


def _says(name: str) -> str:
    return f'such as says: "{name}: {{}}"'


def _values(finding: Finding, places: Places) -> Iterator[Fault]:
    if finding.type == "yes-no" and finding.values and set(finding.values) != {"yes", "no"}:
        place = places.of(finding, "values")
        yield Fault(place, f"{finding.id} needs a statement for yes and one for no, and no others")
    for value in finding.values:
        if not re.fullmatch(r"[a-z0-9_]+", value):
            place = places.of(finding, "values", value)
            yield Fault(place, f"{quoted(value)} could never be answered", "a value is small letters, digits and _")
    named = {"alone": finding.alone, "clear": (finding.clear,), "open": (finding.open,), "lasting": finding.lasting}
    for key, values in named.items():
        for value in values:
            if value and value not in finding.values:
                place = places.of(finding, key, value)
                yield Fault(place, f"{quoted(value)} is no value of {finding.id}", suggest(value, finding.values))
    if "unknown" in finding.values:
        place = places.of(finding, "values", "unknown")
        yield Fault(place, "'unknown' is an answer to every question and must not be listed")


def _applicability(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    needs: dict[str, list[str]] = {}
    for finding in knowledge.findings.values():
        for leaf in leaves(finding.applies):
            if isinstance(leaf, Holds):
                place = places.of(finding, "applies", word=leaf.symbol)
                yield Fault(place, f"applies: may test findings only, not {leaf.symbol}")
            else:
                needs.setdefault(finding.id, []).append(leaf.finding)
                if leaf.finding in knowledge.calculated:
                    place = places.of(finding, "applies", word=leaf.finding)
                    yield Fault(place, f"applies: may not test {leaf.finding}, which is calculated")
    for start, first in needs.items():
        reached, pending = set(), list(first)
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending += needs.get(name, [])
        if start in reached:
            place = places.of(knowledge.findings[start], "applies")
            yield Fault(place, f"whether {start} applies depends on {start} itself")


def _rule(rule: Rule, knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    otherwise, strengths = knowledge.manifest.otherwise, knowledge.manifest.strengths
    if not rule.then and not rule.level:
        yield Fault(rule.place, f"{rule.id} has neither then: nor level:")
    yield from _premises(rule, knowledge, places)
    if rule.level in (otherwise.unasked, otherwise.settled):
        message = f"{rule.id}: {rule.level} is what no rule decides: it is given where none fires"
        yield Fault(places.of(rule, "level"), message)
    if rule.then and not rule.level and not rule.strength:
        yield Fault(rule.place, f"{rule.id} needs a strength", f"one of {', '.join(strengths)}")
    if rule.kind == "against" and (rule.level or not rule.then):
        message = f"{rule.id}: evidence against must name the conclusion it counts against"
        yield Fault(places.of(rule, "kind"), message)


def _premises(rule: Rule, knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    """Yield a fault for each level and each remedy that `rule` depends on."""
    levels = {d.id for d in knowledge.manifest.dispositions}
    conditions: list[tuple[str, Condition]] = [("if", rule.when), *(("unless", part) for part in rule.unless or ())]
    for key, condition in conditions:
        for leaf in leaves(condition):
            if not isinstance(leaf, Holds) or leaf.symbol in knowledge.conclusions:
                continue
            if leaf.symbol in levels or leaf.symbol in knowledge.remedies:
                what = "a level" if leaf.symbol in levels else "a remedy"
                place = places.of(rule, key, word=leaf.symbol)
                yield Fault(place, f"{rule.id} may not depend on {leaf.symbol}, {what}: rules come before them")


def _remedy(remedy: Remedy, knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    if not remedy.treats and remedy.when is None:
        yield Fault(remedy.place, f"{remedy.id} has neither for: nor if:", "write if: always for what is for everybody")
    for number, dose in enumerate(remedy.dose):
        for name in re.findall(r"\{(\w+)\}", dose.amount):
            wrong = _filling(name, dose, knowledge)
            if wrong:
                yield Fault(places.of(remedy, "dose", number, "amount"), *wrong)


def _filling(name: str, dose: Dose, knowledge: Knowledge) -> tuple[str, Hint] | None:
    """Return why `{name}` in `dose` cannot be filled in, with a hint; None where it can."""
    vocabulary = knowledge.vocabulary
    if name not in vocabulary:
        return f"there is no finding {quoted(name)}", suggest(name, vocabulary)
    if vocabulary[name].type != "number":
        return f"{{{name}}} is no number, and only numbers are filled in", ""
    return None if dose.otherwise else (f"{{{name}}} may be unknown", "say under or: what to write then")


def _contexts(knowledge: Knowledge, places: Places) -> Iterator[Fault]:
    for item in knowledge.contradictions.values():
        for leaf in leaves(item.when):
            if isinstance(leaf, Holds):
                place = places.of(item, "if", word=leaf.symbol)
                yield Fault(place, f"a contradiction may test findings only, not {leaf.symbol}")
    for disagreement in knowledge.disagreements.values():
        if len(disagreement.sides) < 2:
            yield Fault(places.of(disagreement, "sides"), f"{disagreement.id} needs two sides at least")
        last = len(disagreement.settled) - 1
        for number, settlement in enumerate(disagreement.settled):
            if (settlement.when is None) != (number == last):
                place = places.of(disagreement, "settled", number)
                yield Fault(place, f"{disagreement.id}: the last settlement, and only it, has no if:")
