"""What leads where: causes nothing concludes or treats, answers nothing uses, signs of danger nothing looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psoas.audit.logic import Goal, Within
from psoas.audit.material import Material, flaw
from psoas.audit.report import Flaw
from psoas.audit.uses import tests_of, uses
from psoas.knowledge.conditions import Condition, Holds, Not, Test, leaves
from psoas.knowledge.model import Finding, Rule
from psoas.knowledge.program import Clause, Program


def cause_without_rule(material: Material) -> Iterator[Flaw]:
    """A conclusion that no rule establishes, or only rules that never fire."""
    for conclusion in material.knowledge.conclusions.values():
        rules = list(material.concluding(conclusion.id))
        if not rules:
            message = f"no rule concludes {conclusion.id} ({conclusion.name})"
        elif material.logic.possible([Goal(Holds(conclusion.id))]) is False:
            message = f"no rule that can fire concludes {conclusion.id} ({conclusion.name})"
        else:
            continue
        others = tuple(rule.id for rule in rules)
        yield flaw("cause-without-rule", "error", conclusion, message, others=others)


def cause_without_remedy(material: Material) -> Iterator[Flaw]:
    """A weighed cause that no remedy is for and on which no remedy depends."""
    used = _symbols_of(material, lambda clause: clause.id.startswith("indicates "))
    for cause in material.weighed:
        if cause.id not in used:
            message = f"no remedy treats {cause.id} ({cause.name})"
            yield flaw("cause-without-remedy", "error", cause, message)


def cause_without_outcome(material: Material) -> Iterator[Flaw]:
    """A weighed cause from which no way of mechanisms leads to the outcome."""
    outcomes = {kind.id for kind in material.knowledge.manifest.kinds if kind.outcome}
    ends = [c.id for c in material.knowledge.conclusions.values() if c.kind in outcomes]
    reached, pending = set[str](), list(ends)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            mechanisms = [rule for rule in material.concluding(name) if rule.kind == "mechanism"]
            pending += [leaf.symbol for rule in mechanisms for leaf in leaves(rule.when) if isinstance(leaf, Holds)]
    for cause in material.weighed if ends else ():
        if cause.id not in reached:
            message = f"no mechanism leads from {cause.id} ({cause.name}) to {' or '.join(ends)}"
            yield flaw("cause-without-outcome", "error", cause, message)


def unused_conclusion(material: Material) -> Iterator[Flaw]:
    """A conclusion that is no cause to be named, and on which nothing depends."""
    used = _symbols_of(material, lambda clause: True)
    for dispute in material.knowledge.disagreements.values():
        for condition in (dispute.bears, *(settlement.when for settlement in dispute.settled)):
            used |= {leaf.symbol for leaf in leaves(condition) if isinstance(leaf, Holds)}
    outcomes = {kind.id for kind in material.knowledge.manifest.kinds if kind.outcome}
    for conclusion in material.knowledge.conclusions.values():
        if conclusion.kind not in material.headed | outcomes and conclusion.id not in used:
            message = f"nothing depends on {conclusion.id} ({conclusion.name}), and it is never named"
            yield flaw("unused-conclusion", "warning", conclusion, message)


def unused_finding(material: Material) -> Iterator[Flaw]:
    """A question, or a calculated number, whose answer nothing uses."""
    for name, by in uses(material.knowledge).items():
        if not by:
            item = material.knowledge.vocabulary[name]
            made = "asked" if isinstance(item, Finding) else "calculated"
            yield flaw("unused-finding", "error", item, f"{name} ({item.name}) is {made} and nothing uses it")


def unused_value(material: Material) -> Iterator[Flaw]:
    """Values of a choice that no condition names, beside those that stand for nothing out of the ordinary."""
    named = _named_words(test for test, _ in tests_of(material.knowledge))
    for finding in material.knowledge.findings.values():
        words = named.get(finding.id)
        if not words or finding.type == "yes-no":
            continue
        idle = [value for value in finding.values if value not in words and not _ordinary(finding, value)]
        if idle:
            message = f"{finding.id} ({finding.name}): nothing uses the answer {' or '.join(idle)}"
            yield flaw("unused-value", "note", finding, message, others=tuple(idle))


ALARMING = 0.75
"""A topic of which at least this part feeds screened rules is there for them."""


def lost_red_flag(material: Material) -> Iterator[Flaw]:
    """A screened level without a rule; a question among those asked for their sake that raises no alarm any more."""
    program, levels = material.logic.program, [d.id for d in material.knowledge.manifest.dispositions]
    behind = program.behind(material.screened)
    feeding = {name for clause in behind.clauses for name in _inputs(material, (t.finding for t in clause.tests()))}
    topics: dict[str, list[Finding]] = {}
    for finding in material.knowledge.findings.values():
        topics.setdefault(finding.topic, []).append(finding)
    alarms = _alarms(material, program.behind(levels))
    for topic, findings in topics.items():
        fed = sum(finding.id in feeding for finding in findings)
        if len(findings) > 2 and fed >= ALARMING * len(findings):
            for finding in findings:
                if finding.values:
                    yield from _silent(finding, alarms.get(finding.id, set()), f"{topic}: {fed} of {len(findings)}")
    for level in material.knowledge.manifest.dispositions:
        if level.screened and not material.logic.concludes(level.id):
            message = f"no triage rule gives {level.id}"
            yield Flaw(material.knowledge.manifest.place, "lost-red-flag", "error", level.id, message)


def hidden_red_flag(material: Material) -> Iterator[Flaw]:
    """A question that a screened rule needs, and that is not asked in some cases in which the rule would fire."""
    behind = material.logic.program.behind(material.screened)
    hides: dict[str, list[str]] = {}
    for clause in behind.clauses:
        if isinstance(clause.origin, Rule) and clause.origin.level in material.screened:
            findings = {t.finding for c in [clause, *_below(material, clause)] for t in c.tests()}
            for name in sorted(findings & set(material.knowledge.findings)):
                if _hides(material, clause, material.knowledge.findings[name]):
                    hides.setdefault(name, []).append(clause.id)
    for name, rules in hides.items():
        finding = material.knowledge.findings[name]
        message = (
            f"{name} ({finding.name}) may not be asked where an answer to it would make {' or '.join(rules)} fire: its "
            "applies: can be false then"
        )
        yield flaw("hidden-red-flag", "error", finding, message, others=tuple(rules))


def _hides(material: Material, clause: Clause, finding: Finding) -> bool:
    """Tell whether the rule can fire on an answer to `finding` where it does not apply, and not without it."""
    logic = material.logic
    if finding.applies is None:
        return False
    goals = [
        *logic.fires(clause),
        logic.silent(clause, hidden=True),
        Goal(finding.applies, "false"),
        Within(finding.id, logic.answers(finding.id)),
        *material.consistent,
    ]
    return logic.possible(goals, hidden=finding.id) is True


def _below(material: Material, clause: Clause) -> Iterable[Clause]:
    return material.logic.program.behind(clause.symbols()).clauses


def _silent(finding: Finding, alarming: set[str], topic: str) -> Iterator[Flaw]:
    """Yield a flaw for `finding` if none of its answers alarms, or for each that might and does not."""
    where = f"it stands in {topic} questions there feed urgent rules"
    if not alarming:
        message = f"no answer to {finding.id} ({finding.name}) makes a triage rule fire; {where}"
        yield flaw("lost-red-flag", "error", finding, message)
        return
    for value in finding.values:
        if value not in alarming and not _ordinary(finding, value) and value not in finding.lasting:
            message = f"{finding.id}: the answer {value} (“{finding.values[value]}”) makes no triage rule fire; {where}"
            yield Flaw(finding.place, "lost-red-flag", "error", f"{finding.id}.{value}", message, "", (finding.id,))


def _ordinary(finding: Finding, value: str) -> bool:
    """Tell whether `value` stands for nothing out of the ordinary; without a word for that, the first one does."""
    clear = finding.clear or next(iter(finding.alone or finding.values))
    return value in (clear, finding.open, *finding.alone) or value in ("no", "unsure", "none", "not_done")


def _alarms(material: Material, behind: Program) -> dict[str, set[str]]:
    """Return finding → the words that help some clause behind a level to fire."""
    found: dict[str, set[str]] = {}
    for clause in behind.clauses:
        for test, positive in _signed(clause.when):
            item = material.knowledge.vocabulary[test.finding]
            if isinstance(item, Finding) and test.words:
                words = test.words if positive else set(item.values) - test.words
                found.setdefault(test.finding, set()).update(words)
    return found


def _signed(condition: Condition, positive: bool = True) -> Iterator[tuple[Test, bool]]:
    """Yield each test in `condition`, and whether it counts as it stands."""
    if isinstance(condition, Test):
        yield condition, positive
    elif isinstance(condition, Not):
        yield from _signed(condition.of, not positive)
    elif not isinstance(condition, Holds):
        for part in condition.of:
            yield from _signed(part, positive)


def _named_words(tests: Iterable[Test]) -> dict[str, set[str]]:
    named: dict[str, set[str]] = {}
    for test in tests:
        named.setdefault(test.finding, set()).update(test.words or {"(answered)"})
    return named


def _inputs(material: Material, findings: Iterable[str]) -> Iterator[str]:
    for name in findings:
        item = material.knowledge.vocabulary[name]
        yield from (name,) if isinstance(item, Finding) else item.formula.inputs


def _symbols_of(material: Material, wanted: object) -> set[str]:
    assert callable(wanted)
    return {symbol for clause in material.logic.program.clauses if wanted(clause) for symbol in clause.symbols()}
