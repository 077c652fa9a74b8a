"""What must hold before a knowledge base may be used: every name exists, every scale is sound, nothing circles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from psoas.faults import Fault, Unusable, quoted, suggest
from psoas.knowledge.conditions import Condition, Holds, Test, leaves
from psoas.knowledge.model import Finding, Knowledge, Remedy
from psoas.knowledge.program import compile_program
from psoas.knowledge.reader import Mention, to_number

EXPERT_DEFAULT = "expert default"
"""The source of what no source gives."""


def check(knowledge: Knowledge, mentions: Iterable[Mention]) -> None:
    """Raise `Unusable` with every fault of `knowledge`; `mentions` are the names its files use."""
    faults = [
        *_unknown_names(knowledge, mentions),
        *_ambiguous_names(knowledge),
        *(fault for finding in knowledge.findings.values() for fault in _finding(finding)),
        *_applicability(knowledge),
        *_manifest(knowledge),
        *_rules(knowledge),
        *(fault for remedy in knowledge.remedies.values() for fault in _placeholders(remedy, knowledge)),
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


def _finding(finding: Finding) -> Iterator[Fault]:
    if "number" in finding.type:
        if finding.range is None:
            yield Fault(finding.place, f"{finding.id} needs a range")
        if "{}" not in finding.says:
            yield Fault(finding.place, f"{finding.id} needs a text says: with {{}} where the number goes")
        if finding.type == "list of numbers" and finding.length is None:
            yield Fault(finding.place, f"{finding.id} needs a length, such as 2 to 8")
    elif not finding.values:
        yield Fault(finding.place, f"{finding.id} needs values, each with the statement it makes")
    elif finding.type == "yes-no" and set(finding.values) != {"yes", "no"}:
        yield Fault(finding.place, f"{finding.id} needs a statement for yes and one for no, and no others")
    for value in finding.alone:
        if value not in finding.values:
            yield Fault(finding.place, f"{quoted(value)} is no value of {finding.id}", suggest(value, finding.values))
    if "unknown" in finding.values:
        yield Fault(finding.place, "'unknown' is an answer to every question and must not be listed")


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
    levels = {d.id for d in manifest.dispositions}
    for name in (manifest.otherwise.settled, manifest.otherwise.unknown, manifest.otherwise.unasked):
        if name not in levels:
            yield Fault(place, f"otherwise: there is no disposition {quoted(name)}", suggest(name, levels))
    if sum(kind.outcome for kind in manifest.kinds) != 1:
        yield Fault(place, "kinds: exactly one must be the outcome, where chains end")
    topics = {finding.topic for finding in knowledge.findings.values()}
    for topic in topics ^ set(manifest.topics):
        yield Fault(place, f"topics: {quoted(topic)} stands here or in findings/, not in both")


def _rules(knowledge: Knowledge) -> Iterator[Fault]:
    otherwise = knowledge.manifest.otherwise
    for rule in knowledge.rules.values():
        if not rule.then and not rule.level:
            yield Fault(rule.place, f"{rule.id} has neither then: nor level:")
        if rule.level in (otherwise.unasked, otherwise.settled):
            yield Fault(rule.place, f"{rule.id}: {rule.level} is what no rule decides: it is given where none fires")
        if rule.then and not rule.level and not rule.strength:
            yield Fault(rule.place, f"{rule.id} needs a strength", f"one of {', '.join(knowledge.manifest.strengths)}")
        if rule.kind == "against" and (rule.level or not rule.then):
            yield Fault(rule.place, f"{rule.id}: evidence against must name the conclusion it counts against")


def _placeholders(remedy: Remedy, knowledge: Knowledge) -> Iterator[Fault]:
    for dose in remedy.dose:
        for name in re.findall(r"\{(\w+)\}", dose.amount):
            if name not in knowledge.vocabulary:
                yield Fault(remedy.place, f"there is no finding {quoted(name)}", suggest(name, knowledge.vocabulary))
            elif not dose.otherwise:
                yield Fault(remedy.place, f"{{{name}}} may be unknown", "say under or: what to write then")


def _contexts(knowledge: Knowledge) -> Iterator[Fault]:
    for item in knowledge.contradictions.values():
        for leaf in leaves(item.when):
            if isinstance(leaf, Holds):
                yield Fault(item.place, f"a contradiction may test findings only, not {leaf.symbol}")
    for disagreement in knowledge.disagreements.values():
        *contexts, last = disagreement.settled
        if last.when is not None or any(settlement.when is None for settlement in contexts):
            yield Fault(disagreement.place, f"{disagreement.id}: the last settlement, and only it, has no if:")


def depends_on(condition: Condition | None) -> Mapping[str, None]:
    """Return the findings `condition` tests, in order."""
    return {leaf.finding: None for leaf in leaves(condition) if isinstance(leaf, Test)}
