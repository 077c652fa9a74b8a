"""What must hold before a knowledge base may be used: every name exists, every scale is sound, nothing circles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from psoas.faults import Fault, Unusable, quoted, suggest
from psoas.knowledge.conditions import Holds, leaves
from psoas.knowledge.formulas import misfit
from psoas.knowledge.model import Disposition, Finding, Kind, Knowledge, Named, Remedy
from psoas.knowledge.program import compile_program
from psoas.knowledge.reader import Mention, to_number

EXPERT_DEFAULT = "expert default"
"""The source of what no source gives."""


def check(knowledge: Knowledge, mentions: Iterable[Mention]) -> None:
    """Raise `Unusable` with every fault of `knowledge`; `mentions` are the names its files use."""
    faults = [
        *_unknown_names(knowledge, mentions),
        *_ambiguous_names(knowledge),
        *_reserved_names(knowledge),
        *(fault for finding in knowledge.findings.values() for fault in _finding(finding)),
        *_calculated(knowledge),
        *_applicability(knowledge),
        *_manifest(knowledge),
        *_rules(knowledge),
        *(fault for remedy in knowledge.remedies.values() for fault in _remedy(remedy, knowledge)),
        *_contexts(knowledge),
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
        "input": {f.id for f in knowledge.findings.values() if "number" in f.type},
        "source": {*knowledge.sources, EXPERT_DEFAULT},
        "remedy or trait": {*knowledge.remedies, *traits},
        "symbol": {*knowledge.conclusions, *levels, *knowledge.remedies, *(f"any {kind}" for kind in kinds)},
    }


def _unknown_names(knowledge: Knowledge, mentions: Iterable[Mention]) -> Iterator[Fault]:
    known = known_names(knowledge)
    for mention in mentions:
        kind, name = mention.kind, mention.name
        if name not in known[kind]:
            hint = suggest(name, known[kind])
            if kind == "symbol" and name in knowledge.vocabulary:
                hint = f"it is a finding: write {{{name}: …}} to test it"
            what = "numeric finding" if kind == "input" else "conclusion" if kind == "symbol" else kind
            yield Fault(mention.place, f"there is no {what} {quoted(name)}", hint)


def _ambiguous_names(knowledge: Knowledge) -> Iterator[Fault]:
    """A bare word in a condition must name one thing: a conclusion, a remedy or a level."""
    levels = {d.id for d in knowledge.manifest.dispositions}
    for remedy in knowledge.remedies.values():
        if remedy.id in knowledge.conclusions or remedy.id in levels:
            yield Fault(remedy.place, f"the remedy {remedy.id} has the name of a conclusion or a level")
    for conclusion in knowledge.conclusions.values():
        if conclusion.id in levels:
            yield Fault(conclusion.place, f"the conclusion {conclusion.id} has the name of a level")
    for calculated in knowledge.calculated.values():
        if calculated.id in knowledge.findings:
            yield Fault(calculated.place, f"{calculated.id} is also a finding that is asked")


LANGUAGE = {"all", "any", "not", "always", "answered", "at least"}
"""Words of the rule language, which nothing in it may be named."""


def _reserved_names(knowledge: Knowledge) -> Iterator[Fault]:
    for shelf in (knowledge.findings, knowledge.calculated, knowledge.conclusions, knowledge.remedies):
        for item in shelf.values():
            if item.id in LANGUAGE:
                yield Fault(item.place, f"{quoted(item.id)} is a word of the rule language", "choose another id")
    for withholding in knowledge.withholdings.values():
        if withholding.id in knowledge.rules:
            first = knowledge.rules[withholding.id].place
            yield Fault(withholding.place, f"the id {quoted(withholding.id)} stands twice", f"first at {first}")


def _calculated(knowledge: Knowledge) -> Iterator[Fault]:
    lists = {finding.id for finding in knowledge.findings.values() if finding.type == "list of numbers"}
    for item in knowledge.calculated.values():
        wrong = misfit(item.formula, lists)
        if wrong:
            yield Fault(item.place, f"{item.id}: the formula does not fit: {wrong}")
        if "{}" not in item.says:
            yield Fault(item.place, f"{item.id} needs a text says: with {{}} where the number goes")


def _finding(finding: Finding) -> Iterator[Fault]:
    place = finding.place
    numeric = "number" in finding.type
    if numeric and finding.range is None:
        yield Fault(place, f"{finding.id} needs a range")
    if numeric and "{}" not in finding.says:
        yield Fault(place, f"{finding.id} needs a text says: with {{}} where the number goes")
    if finding.type == "list of numbers" and finding.length is None:
        yield Fault(place, f"{finding.id} needs a length, such as 2 to 8")
    if finding.length and not (finding.length.low.is_integer() and finding.length.high.is_integer()):
        yield Fault(place, f"{finding.id}: a length is counted in whole numbers")
    if numeric and finding.values:
        yield Fault(place, f"{finding.id} is a number and has a range, not values")
    if not numeric and (finding.range or finding.length):
        yield Fault(place, f"{finding.id} is a choice and has values, not a range or a length")
    if not numeric and not finding.values:
        yield Fault(place, f"{finding.id} needs values, each with the statement it makes")
    yield from _values(finding)


def _values(finding: Finding) -> Iterator[Fault]:
    place = finding.place
    if finding.type == "yes-no" and finding.values and set(finding.values) != {"yes", "no"}:
        yield Fault(place, f"{finding.id} needs a statement for yes and one for no, and no others")
    for value in finding.values:
        if not re.fullmatch(r"[a-z0-9_]+", value):
            yield Fault(place, f"{quoted(value)} could never be answered", "a value is small letters, digits and _")
    for value in finding.alone:
        if value not in finding.values:
            yield Fault(place, f"{quoted(value)} is no value of {finding.id}", suggest(value, finding.values))
    if "unknown" in finding.values:
        yield Fault(place, "'unknown' is an answer to every question and must not be listed")


def _applicability(knowledge: Knowledge) -> Iterator[Fault]:
    needs: dict[str, list[str]] = {}
    for finding in knowledge.findings.values():
        for leaf in leaves(finding.applies):
            if isinstance(leaf, Holds):
                yield Fault(finding.place, f"applies: may test findings only, not {leaf.symbol}")
            else:
                needs.setdefault(finding.id, []).append(leaf.finding)
                if leaf.finding in knowledge.calculated:
                    yield Fault(finding.place, f"applies: may not test {leaf.finding}, which is calculated")
    for start, first in needs.items():
        reached, pending = set(), list(first)
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending += needs.get(name, [])
        if start in reached:
            yield Fault(knowledge.findings[start].place, f"whether {start} applies depends on {start} itself")


def _manifest(knowledge: Knowledge) -> Iterator[Fault]:
    manifest = knowledge.manifest
    place = manifest.place
    for scale, values in (("strengths", manifest.strengths), ("certainty", manifest.certainty)):
        for name, text in values.items():
            number = to_number(text)
            if number is None or not 0 <= number <= 1:
                yield Fault(place, f"{scale}: {name} must be a number from 0 to 1")
            elif scale == "strengths" and number == 0:
                yield Fault(place, f"strengths: {name} must be more than 0")
    least = [to_number(text) or 0 for text in manifest.certainty.values()]
    if least != sorted(least, reverse=True) or not least or least[-1] != 0:
        yield Fault(place, "certainty: the words go from the strongest to the weakest, which stands for 0")
    scales: dict[str, tuple[Disposition | Kind | Named, ...]] = {
        "dispositions": manifest.dispositions,
        "kinds": manifest.kinds,
        "tiers": manifest.tiers,
        "occasions": manifest.occasions,
    }
    for scale, members in scales.items():
        ids = [member.id for member in members]
        for name in sorted({name for name in ids if ids.count(name) > 1}):
            yield Fault(place, f"{scale}: the id {quoted(name)} stands twice")
    yield from _otherwise(knowledge)
    if sum(kind.outcome for kind in manifest.kinds) != 1:
        yield Fault(place, "kinds: exactly one must be the outcome, where chains end")
    topics = {finding.topic for finding in knowledge.findings.values()}
    for topic in sorted(topics ^ set(manifest.topics)):
        yield Fault(place, f"topics: {quoted(topic)} stands here or in findings/, not in both")


def _otherwise(knowledge: Knowledge) -> Iterator[Fault]:
    place, otherwise = knowledge.manifest.place, knowledge.manifest.otherwise
    levels = [d.id for d in knowledge.manifest.dispositions]
    for name in (otherwise.settled, otherwise.unknown, otherwise.unasked):
        if name not in levels:
            yield Fault(place, f"otherwise: there is no disposition {quoted(name)}", suggest(name, levels))
    if otherwise.unasked in (otherwise.settled, otherwise.unknown):
        yield Fault(place, "otherwise: what was not asked needs a disposition of its own")
    if otherwise.unasked in levels and levels[-1] != otherwise.unasked:
        yield Fault(place, f"dispositions: {otherwise.unasked}, which is no level of urgency, must come last")


def _rules(knowledge: Knowledge) -> Iterator[Fault]:
    otherwise = knowledge.manifest.otherwise
    levels = {d.id for d in knowledge.manifest.dispositions}
    for rule in knowledge.rules.values():
        if not rule.then and not rule.level:
            yield Fault(rule.place, f"{rule.id} has neither then: nor level:")
        for leaf in (*leaves(rule.when), *(leaf for blocker in rule.unless or () for leaf in leaves(blocker))):
            if isinstance(leaf, Holds) and (leaf.symbol in levels or leaf.symbol in knowledge.remedies):
                what = "a level" if leaf.symbol in levels else "a remedy"
                yield Fault(rule.place, f"{rule.id} may not depend on {leaf.symbol}, {what}: rules come before them")
        if rule.level in (otherwise.unasked, otherwise.settled):
            yield Fault(rule.place, f"{rule.id}: {rule.level} is what no rule decides: it is given where none fires")
        if rule.then and not rule.level and not rule.strength:
            yield Fault(rule.place, f"{rule.id} needs a strength", f"one of {', '.join(knowledge.manifest.strengths)}")
        if rule.kind == "against" and (rule.level or not rule.then):
            yield Fault(rule.place, f"{rule.id}: evidence against must name the conclusion it counts against")


def _remedy(remedy: Remedy, knowledge: Knowledge) -> Iterator[Fault]:
    if not remedy.treats and remedy.when is None:
        yield Fault(remedy.place, f"{remedy.id} has neither for: nor if:", "write if: always for what is for everybody")
    for dose in remedy.dose:
        for name in re.findall(r"\{(\w+)\}", dose.amount):
            if name not in knowledge.vocabulary:
                yield Fault(remedy.place, f"there is no finding {quoted(name)}", suggest(name, knowledge.vocabulary))
            elif knowledge.vocabulary[name].type != "number":
                yield Fault(remedy.place, f"{{{name}}} is no number, and only numbers are filled in")
            elif not dose.otherwise:
                yield Fault(remedy.place, f"{{{name}}} may be unknown", "say under or: what to write then")


def _contexts(knowledge: Knowledge) -> Iterator[Fault]:
    for item in knowledge.contradictions.values():
        for leaf in leaves(item.when):
            if isinstance(leaf, Holds):
                yield Fault(item.place, f"a contradiction may test findings only, not {leaf.symbol}")
    for disagreement in knowledge.disagreements.values():
        if len(disagreement.sides) < 2:
            yield Fault(disagreement.place, f"{disagreement.id} needs two sides at least")
        *contexts, last = disagreement.settled
        if last.when is not None or any(settlement.when is None for settlement in contexts):
            yield Fault(disagreement.place, f"{disagreement.id}: the last settlement, and only it, has no if:")
