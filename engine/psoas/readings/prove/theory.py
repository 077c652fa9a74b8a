"""A knowledge base as formulas over one free case.

A condition becomes two formulas, that it is true and that it is false; where neither holds it is unknown
(docs/semantics.md, sections 2, 3 and 7, word for word: as the case stands, and ahead of it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import z3

from psoas.knowledge.conditions import All, Condition, Holds, Not, Test, leaves
from psoas.knowledge.model import Knowledge, Rule
from psoas.knowledge.program import Clause, Program, compile_program, withheld
from psoas.readings.prove.answers import Answers, Formula
from psoas.readings.prove.arithmetic import FALSE, TRUE, Arithmetic, Quotient


@dataclass(frozen=True)
class Truth:
    """When a condition is true, and when it is false."""

    true: Formula
    false: Formula

    @property
    def open(self) -> Formula:
        """When it is unknown."""
        return z3.Not(z3.Or(self.true, self.false))

    def __invert__(self) -> Truth:
        return Truth(self.false, self.true)


class Theory:
    """A knowledge base as formulas over one free case."""

    def __init__(
        self,
        knowledge: Knowledge,
        program: Program | None = None,
        answers: Answers | None = None,
        base: Theory | None = None,
    ) -> None:
        """`answers` is the free case, if it is to be another theory's too.

        `base` is a theory of the same questions: what a clause of it says is taken over where nothing below the
        clause differs.
        """
        self.knowledge = knowledge
        self.program = program or compile_program(knowledge)
        self.answers: Answers = answers or (base.answers if base else Answers(knowledge))
        self._applies: dict[str, Truth] = base._applies if base else {}
        self._quotients: dict[str, Quotient] = base._quotients if base else {}
        self._settled: dict[str, tuple[Formula, Truth]] = {}
        self._gaps: dict[str, Formula] = {}
        self._now: dict[str, Formula] = {}
        self._ahead: dict[str, Truth] = {}
        self.levels = [d.id for d in knowledge.manifest.dispositions if d.id != knowledge.manifest.otherwise.unasked]
        if base is not None:
            for clause in self._as_in(base):
                self._settled[clause.id] = base._settled[clause.id]
                if clause.id in base._gaps:
                    self._gaps[clause.id] = base._gaps[clause.id]
        count = len(self.program.clauses)
        self.fires = [FALSE] * count
        self.ahead = [Truth(FALSE, TRUE)] * count
        for number in range(count):
            if self.is_rule(number):
                self._settle(number)
        self._decide()
        for number in range(count):  # those of remedies, which may depend on the level
            if not self.is_rule(number):
                self._settle(number)

    def _as_in(self, base: Theory) -> Iterator[Clause]:
        """Yield the clauses that say the same in `base`, down to the findings; none that depends on a level."""
        before = {clause.id: clause for clause in base.program.clauses}
        differs: set[str] = {d.id for d in self.knowledge.manifest.dispositions}
        for gone in before.keys() - {clause.id for clause in self.program.clauses}:
            differs.update(before[gone].heads)
        for clause in self.program.clauses:
            other = before.get(clause.id)
            said = (clause.when, clause.unless, clause.heads)
            if other is None or said != (other.when, other.unless, other.heads):
                differs.update(clause.heads)
                differs.update(other.heads if other is not None else ())
        for clause in self.program.clauses:  # every premise stands before what it carries
            other = before.get(clause.id)
            same = other is not None and (clause.when, clause.unless) == (other.when, other.unless)
            if same and differs.isdisjoint(clause.symbols()):
                yield clause
            else:
                differs.update(clause.heads)

    # findings

    def applies(self, finding: str) -> Truth:
        """Return whether a finding applies, whatever the open answers turn out to be."""
        if finding not in self._applies:
            condition = self.knowledge.findings[finding].applies
            self._applies[finding] = Truth(TRUE, FALSE) if condition is None else self._truth(condition, ahead=True)
        return self._applies[finding]

    def lacking(self, finding: str) -> Formula:
        """Return that a finding has no value and does not apply."""
        if finding in self.knowledge.calculated:
            return FALSE
        return z3.And(z3.Not(self.answers.known[finding]), self.applies(finding).false)

    def unasked(self, finding: str) -> Formula:
        """Return that a finding was not asked, though it applies or may."""
        return z3.And(z3.Not(self.answers.asked[finding]), z3.Not(self.lacking(finding)))

    # conditions

    def truth(self, condition: Condition) -> Truth:
        """Return when `condition` is true and false, as the case stands."""
        return self._truth(condition, ahead=False)

    def _truth(self, condition: Condition, *, ahead: bool) -> Truth:
        if isinstance(condition, Test):
            return self._test(condition, ahead=ahead)
        if isinstance(condition, Holds):
            if ahead:
                return self._ahead.get(condition.symbol, Truth(FALSE, TRUE))
            holds = self._now.get(condition.symbol, FALSE)
            return Truth(holds, z3.Not(holds))
        if isinstance(condition, Not):
            return ~self._truth(condition.of, ahead=ahead)
        parts = [self._truth(part, ahead=ahead) for part in condition.of]
        needed = len(parts) if isinstance(condition, All) else condition.n
        return Truth(
            _at_least(needed, [part.true for part in parts]),
            _at_least(len(parts) - needed + 1, [part.false for part in parts]),
        )

    def _test(self, test: Test, *, ahead: bool) -> Truth:
        if test.finding not in self.knowledge.vocabulary:
            holds = self._verdict(test)
            return Truth(holds, z3.Not(holds))
        if test.finding in self.knowledge.calculated:
            return self._calculated_test(test, ahead=ahead)
        known, lacking = self.answers.known[test.finding], self.lacking(test.finding)
        partly = self.answers.partly.get(test.finding, FALSE)
        if test.operator == "answered":
            answered = z3.And(known, z3.Not(partly))
            if not ahead:
                return Truth(answered, z3.Not(answered))
            return Truth(answered, z3.Or(lacking, z3.And(self.answers.asked[test.finding], z3.Not(answered))))
        if test.finding in self.answers.words:
            chosen = z3.Or(*(self.answers.words[test.finding][word] for word in sorted(test.words)))
            return Truth(chosen, z3.Or(lacking, z3.And(known, z3.Not(chosen), z3.Not(partly))))
        holds = _compared(test, self.answers.number[test.finding], 1)
        return Truth(z3.And(known, holds), z3.Or(lacking, z3.And(known, z3.Not(holds))))

    def _calculated_test(self, test: Test, *, ahead: bool) -> Truth:
        value = self.quotient(test.finding)
        if test.operator == "answered":
            if not ahead:
                return Truth(value.defined, z3.Not(value.defined))
            asked = z3.And(*(z3.Not(self.unasked(name)) for name in self._inputs(test.finding)))
            return Truth(value.defined, z3.And(asked, z3.Not(value.defined)))
        holds = _compared(test, value.over, value.under)
        return Truth(z3.And(value.defined, holds), z3.And(value.defined, z3.Not(holds)))

    def _inputs(self, calculated: str) -> tuple[str, ...]:
        return self.knowledge.calculated[calculated].formula.inputs

    # calculated findings

    def quotient(self, name: str) -> Quotient:
        """Return a calculated finding as a quotient."""
        if name not in self._quotients:
            item = self.knowledge.calculated[name]
            value = Arithmetic(self.answers).of(item)
            known = [self.answers.known[finding] for finding in item.formula.inputs]
            self._quotients[name] = Quotient(value.over, value.under, z3.And(value.defined, *known))
        return self._quotients[name]

    @cached_property
    def consistent(self) -> list[Formula]:
        """That no answers contradict each other: a reader would have refused them."""
        return [z3.Not(self.truth(rule.when).true) for rule in self.knowledge.contradictions.values()]

    # clauses

    def is_rule(self, number: int) -> bool:
        """Tell whether a clause is a rule; those of remedies come after the level is decided."""
        return isinstance(self.program.clauses[number].origin, Rule)

    def clause(self, clause: Clause) -> tuple[Formula, Truth]:
        """Return when `clause` fires, and when it is foreseen, by what is settled of the symbols it depends on."""
        when, ahead = self._truth(clause.when, ahead=False), self._truth(clause.when, ahead=True)
        if clause.unless is None:
            return when.true, ahead
        blocked, barred = self._truth(clause.unless, ahead=False), self._truth(clause.unless, ahead=True)
        foreseen = Truth(z3.And(ahead.true, barred.false), z3.Or(ahead.false, barred.true))
        return z3.And(when.true, z3.Not(blocked.true)), foreseen

    def _settle(self, number: int) -> None:
        clause = self.program.clauses[number]
        if clause.id not in self._settled:
            self._settled[clause.id] = self.clause(clause)
        self.fires[number], self.ahead[number] = self._settled[clause.id]
        for head in clause.heads:
            self._now[head] = z3.Or(self._now.get(head, FALSE), self.fires[number])
            before = self._ahead.get(head, Truth(FALSE, TRUE))
            after = self.ahead[number]
            self._ahead[head] = Truth(z3.Or(before.true, after.true), z3.And(before.false, after.false))

    def holds(self, symbol: str) -> Formula:
        """Return that a conclusion is established, a level fired, or a remedy is indicated."""
        return self._now.get(symbol, FALSE)

    # the disposition

    def _decide(self) -> None:
        manifest = self.knowledge.manifest
        fired = {level: self._now.get(level, FALSE) for level in self.levels}
        screened = {d.id for d in manifest.dispositions if d.screened}
        open_rules = []
        gaps = []
        for number, clause in enumerate(self.program.clauses):
            if isinstance(clause.origin, Rule) and clause.origin.level in screened:
                open_ = z3.And(self.ahead[number].open, z3.Not(self.fires[number]))
                open_rules.append(open_)
                gaps.append(z3.And(open_, self._unasked_in(number)))
        self.unsettled = z3.Or(*open_rules)
        nothing = z3.Not(z3.Or(*fired.values()))
        self.level: dict[str, Formula] = {}
        above: list[Formula] = []
        for level in reversed(self.levels):
            self.level[level] = z3.And(fired[level], z3.Not(z3.Or(*above)))
            above.append(fired[level])
        missing = z3.Or(*gaps)
        also = {
            manifest.otherwise.unasked: z3.And(nothing, missing),
            manifest.otherwise.unknown: z3.And(nothing, self.unsettled, z3.Not(missing)),
            manifest.otherwise.settled: z3.And(nothing, z3.Not(self.unsettled)),
        }
        for level, given in also.items():
            self.level[level] = z3.Or(self.level.get(level, FALSE), given)
        plans = {d.id: d.plan for d in manifest.dispositions}
        self.restricted = z3.Or(
            self.unsettled, *(formula for level, formula in self.level.items() if plans[level] == "restricted")
        )
        for level in self.levels:  # for remedies the level counts, also where no rule gave it
            self._now[level] = z3.Or(fired[level], self.level[level])

    def _unasked_in(self, number: int) -> Formula:
        """Return that a clause which is open is kept so by a finding not asked."""
        clause = self.program.clauses[number]
        if clause.id not in self._gaps:
            parts = [self._unasked_leaf(c) for c in (clause.when, clause.unless) if c is not None]
            self._gaps[clause.id] = z3.Or(*parts)
        return self._gaps[clause.id]

    def _unasked_leaf(self, condition: Condition) -> Formula:
        truth = self._truth(condition, ahead=True)
        if isinstance(condition, Test):
            inner = self._unasked_input(condition.finding)
        elif isinstance(condition, Holds):
            below = self.program.by_head.get(condition.symbol, ())
            inner = z3.Or(*(z3.And(self.ahead[number].open, self._unasked_in(number)) for number in below))
        else:
            parts = condition.of if isinstance(condition.of, tuple) else (condition.of,)
            inner = z3.Or(*map(self._unasked_leaf, parts))
        return z3.And(truth.open, inner)

    def _unasked_input(self, finding: str) -> Formula:
        if finding in self.knowledge.calculated:
            return z3.Or(*map(self.unasked, self._inputs(finding)))
        item = self.knowledge.findings[finding]
        deciding = []
        for leaf in leaves(item.applies):
            if isinstance(leaf, Test):
                opened = z3.And(self.applies(finding).open, self._test(leaf, ahead=True).open)
                deciding.append(z3.And(opened, self._unasked_input(leaf.finding)))
        return z3.Or(self.unasked(finding), *deciding)

    def given(self, remedy: str) -> Formula:
        """Return that a remedy is given: indicated, not withheld, and allowed where the plan is restricted."""
        item = self.knowledge.remedies[remedy]
        safe = next(tier.restricted for tier in self.knowledge.manifest.tiers if tier.id == item.tier)
        free = TRUE if safe else z3.Not(self.restricted)
        return z3.And(self.holds(remedy), z3.Not(self.holds(withheld(remedy))), free)

    def _verdict(self, test: Test) -> Formula:
        """Return that a verdict on the case is one of those a test names: a pseudo-finding, always answered."""
        if test.finding == "disposition":
            return z3.Or(*(self.level[level] for level in sorted(test.words)))
        if test.finding == "given":
            named = [r for r in self.knowledge.remedies.values() if test.words & {r.id, r.tier, *r.traits}]
            return z3.Or(*(self.given(remedy.id) for remedy in named))
        if test.finding == "only_given":
            others = [r for r in self.knowledge.remedies.values() if not test.words & {r.id, r.tier, *r.traits}]
            return z3.Not(z3.Or(*(self.given(remedy.id) for remedy in others)))
        return self.unsettled if "yes" in test.words else z3.Not(self.unsettled)


def _at_least(needed: int, parts: list[Formula]) -> Formula:
    if needed <= 0:
        return TRUE
    if needed == len(parts):
        return z3.And(*parts)
    return z3.Or(*parts) if needed == 1 else z3.AtLeast(*parts, needed)


def _compared(test: Test, over: Any, under: Any) -> Formula:
    """Return the comparison of `over / under` with the numbers of a test; `under` is positive."""
    bounds = [number * under for number in test.numbers]
    compare: dict[str, Callable[[], Formula]] = {
        "at least": lambda: over >= bounds[0],
        "at most": lambda: over <= bounds[0],
        "more than": lambda: over > bounds[0],
        "less than": lambda: over < bounds[0],
        "between": lambda: z3.And(over >= bounds[0], over <= bounds[1]),
        "is": lambda: z3.Or(*(over == bound for bound in bounds)),
    }
    return compare[test.operator]()
