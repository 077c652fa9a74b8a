"""Does this hold for every possible case? The clauses as formulas of z3, with a case that shows it where it does not.

A case is free in every finding: a value within its range, unknown, or not asked. A condition becomes two formulas,
that it is true and that it is false; where neither holds it is unknown (docs/semantics.md, sections 2, 3 and 7, word
for word: as the case stands, and ahead of it). Calculated findings are exact: a test of a quotient is multiplied out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import z3

from psoas.knowledge.conditions import OPEN, All, Condition, Holds, Not, Test, leaves
from psoas.knowledge.model import Calculated, Finding, Knowledge, Remedy, Rule
from psoas.knowledge.program import Program, compile_program, withheld
from psoas.memory import Standing, State

Formula = Any
"""A z3 expression of the sort Bool."""

TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)


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


@dataclass(frozen=True)
class _Quotient:
    """A calculated number as a quotient of linear terms, and when it has a value; the divisor is then positive."""

    over: Any
    under: Any
    defined: Formula


class Answers:
    """The variables of one finding each, and what is allowed of them."""

    def __init__(self, knowledge: Knowledge, suffix: str = "") -> None:
        self.knowledge = knowledge
        self.suffix = suffix
        self.asked: dict[str, Formula] = {}
        self.known: dict[str, Formula] = {}
        self.words: dict[str, dict[str, Formula]] = {}
        self.partly: dict[str, Formula] = {}  # of a set: whether the rest of it is open
        self.number: dict[str, Any] = {}
        self.series: dict[str, list[Any]] = {}  # right-aligned: the last number stands last
        self.length: dict[str, Any] = {}
        self.allowed: list[Formula] = []
        for finding in knowledge.findings.values():
            self._declare(finding)

    def _declare(self, finding: Finding) -> None:
        name = f"{finding.id}{self.suffix}"
        asked, known = z3.Bool(f"{name} asked"), z3.Bool(f"{name} known")
        self.asked[finding.id], self.known[finding.id] = asked, known
        self.allowed.append(z3.Implies(known, asked))
        if finding.range is not None:
            self._declare_numbers(finding, name, known)
            return
        words = {value: z3.Bool(f"{name} {value}") for value in finding.values}
        self.words[finding.id] = words
        if finding.type != "any of":
            self.allowed += [known == z3.Or(*words.values()), z3.AtMost(*words.values(), 1)]
            return
        partly = self.partly[finding.id] = z3.Bool(f"{name} partly")
        self.allowed.append(known == z3.Or(*words.values(), partly))
        for value in finding.alone:
            others = [word for other, word in words.items() if other != value]
            self.allowed.append(z3.Implies(words[value], z3.Not(z3.Or(*others, self.partly[finding.id]))))

    def _declare_numbers(self, finding: Finding, name: str, known: Formula) -> None:
        assert finding.range is not None
        low, high = finding.range.low, finding.range.high
        if finding.length is None:
            number = self.number[finding.id] = z3.Real(name)
            self.allowed += [number >= low, number <= high]
            return
        longest = int(finding.length.high)
        series = self.series[finding.id] = [z3.Real(f"{name} {place}") for place in range(longest)]
        length = self.length[finding.id] = z3.Int(f"{name} length")
        self.allowed += [length >= int(finding.length.low), length <= longest]
        self.allowed += [z3.And(number >= low, number <= high) for number in series]


class Theory:
    """A knowledge base as formulas over one free case."""

    def __init__(self, knowledge: Knowledge, program: Program | None = None, answers: Answers | None = None) -> None:
        self.knowledge = knowledge
        self.program = program or compile_program(knowledge)
        self.answers = answers or Answers(knowledge)
        self._applies: dict[str, Truth] = {}
        self._quotients: dict[str, _Quotient] = {}
        self._gaps: dict[int, Formula] = {}
        self._now: dict[str, Formula] = {}
        self._ahead: dict[str, Truth] = {}
        self.levels = [d.id for d in knowledge.manifest.dispositions if d.id != knowledge.manifest.otherwise.unasked]
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

    def quotient(self, name: str) -> _Quotient:
        """Return a calculated finding as a quotient."""
        if name not in self._quotients:
            item = self.knowledge.calculated[name]
            value = _Arithmetic(self.answers).of(item)
            known = [self.answers.known[finding] for finding in item.formula.inputs]
            self._quotients[name] = _Quotient(value.over, value.under, z3.And(value.defined, *known))
        return self._quotients[name]

    @cached_property
    def consistent(self) -> list[Formula]:
        """That no answers contradict each other: a reader would have refused them."""
        return [z3.Not(self.truth(rule.when).true) for rule in self.knowledge.contradictions.values()]

    # clauses

    def is_rule(self, number: int) -> bool:
        """Tell whether a clause is a rule; those of remedies come after the level is decided."""
        return isinstance(self.program.clauses[number].origin, Rule)

    def _settle(self, number: int) -> None:
        clause = self.program.clauses[number]
        when, ahead = self._truth(clause.when, ahead=False), self._truth(clause.when, ahead=True)
        if clause.unless is None:
            self.fires[number], self.ahead[number] = when.true, ahead
        else:
            blocked, barred = self._truth(clause.unless, ahead=False), self._truth(clause.unless, ahead=True)
            self.fires[number] = z3.And(when.true, z3.Not(blocked.true))
            self.ahead[number] = Truth(z3.And(ahead.true, barred.false), z3.Or(ahead.false, barred.true))
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
        if number not in self._gaps:
            clause = self.program.clauses[number]
            parts = [self._unasked_leaf(c) for c in (clause.when, clause.unless) if c is not None]
            self._gaps[number] = z3.Or(*parts)
        return self._gaps[number]

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
        return self.unsettled if "yes" in test.words else z3.Not(self.unsettled)

    # asking

    def counterexample(self, premise: Condition, conclusion: Condition) -> dict[str, State] | None:
        """Return a case in which `premise` is true and `conclusion` is not; None where there is none."""
        return self.case(self.truth(premise).true, z3.Not(self.truth(conclusion).true))

    def fall(self, finding: str) -> dict[str, State] | None:
        """Return a case whose level falls where the answer to `finding` gets worse and every other answer stays.

        A number gets worse by rising; a choice by going from its clear answer to any other.
        """
        worse, pairs = self._worse(finding)
        rank = {level: number for number, level in enumerate(self.levels)}
        falls = [
            z3.And(self.level[level], z3.substitute(self.level[milder], *pairs))
            for level in self.levels
            for milder in self.levels
            if rank[milder] < rank[level]
        ]
        return self.case(worse, z3.Or(*falls))

    def _worse(self, finding: str) -> tuple[Formula, list[tuple[Any, Any]]]:
        """Return that the answer to `finding` gets worse, and which variables then have which others in their place."""
        item, answers = self.knowledge.findings[finding], self.answers
        if finding in answers.number:
            assert item.range is not None
            number, after = answers.number[finding], z3.Real(f"{finding} after")
            return z3.And(answers.known[finding], after > number, after <= item.range.high), [(number, after)]
        words = answers.words[finding]
        later = {word: z3.Bool(f"{finding} {word} after") for word in words}
        others = [variable for word, variable in later.items() if word != item.clear]
        worse = [words[item.clear], z3.Not(later[item.clear]), z3.Or(*others)]
        if item.type != "any of":
            worse.append(z3.AtMost(*later.values(), 1))
        return z3.And(*worse), [(words[word], later[word]) for word in words]

    def dead_rules(self) -> list[str]:
        """Return the ids of the rules and withholdings that no case can make fire."""
        solver = z3.Solver()
        solver.add(*self.answers.allowed, *self.consistent)
        dead = []
        for number, clause in enumerate(self.program.clauses):
            if not isinstance(clause.origin, Remedy):
                solver.push()
                solver.add(self.fires[number])
                if solver.check() == z3.unsat:
                    dead.append(clause.id)
                solver.pop()
        return sorted(dead)

    def case(self, *formulas: Formula, timeout: float = 60) -> dict[str, State] | None:
        """Return a case, as small as it is found, in which all `formulas` hold; None where there is none.

        Raises `Undecided` where z3 cannot tell within `timeout` seconds.
        """
        solver = z3.Solver()
        solver.set("timeout", int(timeout * 1000))
        solver.add(*self.answers.allowed, *self.consistent, *formulas)
        result = solver.check()
        if result == z3.unsat:
            return None
        if result != z3.sat:
            raise Undecided(solver.reason_unknown())
        return self._smallest(solver)

    def _smallest(self, solver: Any) -> dict[str, State]:
        """Return the case of a satisfiable `solver` with as many findings not asked as can be left out one by one."""
        model = solver.model()
        for name in sorted(self.answers.asked):
            if z3.is_true(model.eval(self.answers.asked[name], model_completion=True)):
                solver.push()
                solver.add(z3.Not(self.answers.asked[name]))
                if solver.check() == z3.sat:
                    model = solver.model()
                else:
                    solver.pop()
            else:
                solver.add(z3.Not(self.answers.asked[name]))
        solver.check()
        return self.read(solver.model())

    def read(self, model: Any) -> dict[str, State]:
        """Return the answers of a model."""
        case: dict[str, State] = {}
        for name in self.answers.asked:
            if not _holds(model, self.answers.asked[name]):
                continue
            case[name] = self._answer(model, name) if _holds(model, self.answers.known[name]) else Standing.UNKNOWN
        return case

    def _answer(self, model: Any, name: str) -> State:
        if name in self.answers.number:
            return _float(model, self.answers.number[name])
        if name in self.answers.series:
            length = int(_float(model, self.answers.length[name]))
            return tuple(_float(model, number) for number in self.answers.series[name][-length:])
        chosen = [word for word, variable in self.answers.words[name].items() if _holds(model, variable)]
        if name not in self.answers.partly:
            return chosen[0]
        rest = [OPEN] if _holds(model, self.answers.partly[name]) else []
        return frozenset([*chosen, *rest])


class Undecided(Exception):
    """The solver could not tell; the message says why."""


def _holds(model: Any, formula: Formula) -> bool:
    return bool(z3.is_true(model.eval(formula, model_completion=True)))


def _float(model: Any, term: Any) -> float:
    value = model.eval(term, model_completion=True)
    return float(value.as_long() if z3.is_int_value(value) else value.as_fraction())


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


class _Arithmetic:
    """A formula of a calculated finding as a quotient of linear terms."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def of(self, item: Calculated) -> _Quotient:
        value = self._number(item.formula.tree)
        if isinstance(value, list):
            raise Undecided(f"{item.id} is a list")
        return value

    def _number(self, node: ast.expr) -> _Quotient:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, int | float)
            return _Quotient(z3.RealVal(node.value), 1, TRUE)
        if isinstance(node, ast.Name):
            return _Quotient(self.answers.number[node.id], 1, TRUE)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)  # noqa: PT018
        return self._call(node.func.id, node.args)

    def _operation(self, node: ast.BinOp) -> _Quotient:
        left, right = self._number(node.left), self._number(node.right)
        defined = z3.And(left.defined, right.defined)
        if isinstance(node.op, ast.Mult):
            return _Quotient(left.over * right.over, left.under * right.under, defined)
        if isinstance(node.op, ast.Div):
            return _Quotient(left.over * right.under, left.under * right.over, z3.And(defined, right.over > 0))
        sign = 1 if isinstance(node.op, ast.Add) else -1
        over = left.over * right.under + sign * right.over * left.under
        return _Quotient(over, left.under * right.under, defined)

    def _call(self, name: str, arguments: list[ast.expr]) -> _Quotient:
        if name == "rise":
            new, old = self._number(arguments[0]), self._number(arguments[1])
            over = 100 * (new.over * old.under - old.over * new.under)
            return _Quotient(over, old.over * new.under, z3.And(new.defined, old.defined, old.over > 0))
        if name == "smallest":
            one, two = self._number(arguments[0]), self._number(arguments[1])
            less = one.over * two.under <= two.over * one.under
            return _Quotient(
                z3.If(less, one.over, two.over), z3.If(less, one.under, two.under), z3.And(one.defined, two.defined)
            )
        return self._of_list(name, arguments[0])

    def _of_list(self, name: str, node: ast.expr) -> _Quotient:
        """Return `first`, `last`, `mean` or `largest` of a list, case by case of its length."""
        over: Any = z3.RealVal(0)
        defined = FALSE
        for condition, numbers in self._lists(node):
            if not numbers:
                continue
            over = z3.If(condition, _folded(name, numbers), over)
            defined = z3.Or(condition, defined)
        return _Quotient(over, 1, defined)

    def _lists(self, node: ast.expr) -> Iterator[tuple[Formula, list[Any]]]:
        """Yield each shape a list may have: when it has it, and its numbers."""
        if isinstance(node, ast.Name):
            series, length = self.answers.series[node.id], self.answers.length[node.id]
            for count in range(1, len(series) + 1):
                yield length == count, series[-count:]
            return
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)  # noqa: PT018
        count = ast.literal_eval(node.args[1])
        for condition, numbers in self._lists(node.args[0]):
            kept = numbers[:-1] if node.func.id == "before_last" else numbers
            yield condition, kept[max(0, len(kept) - count) :]


def _folded(name: str, numbers: list[Any]) -> Any:
    if name == "first":
        return numbers[0]
    if name == "last":
        return numbers[-1]
    if name == "mean":
        return z3.Sum(*numbers) / len(numbers)
    largest = numbers[0]
    for number in numbers[1:]:
        largest = z3.If(number > largest, number, largest)
    return largest


def both(old: Knowledge, new: Knowledge) -> tuple[dict[str, State], str, str] | None:
    """Return a case that `new` triages less urgently than `old`, and both levels; None where there is none.

    Less urgent is a milder level, and the mildest where `old` could not judge. A case answers the findings of both.
    """
    findings = {**old.findings, **new.findings}
    for name in old.findings.keys() & new.findings.keys():
        values = {**old.findings[name].values, **new.findings[name].values}
        findings[name] = replace(new.findings[name], values=values)
    answers = Answers(replace(new, findings=findings))
    before, after = Theory(old, answers=answers), Theory(new, answers=answers)
    rank = {level: number for number, level in enumerate(after.levels)}
    unjudged, mildest = new.manifest.otherwise.unasked, new.manifest.otherwise.settled
    pairs = [(one, two) for one in before.levels for two in after.levels if rank[two] < rank.get(one, -1)]
    pairs.append((unjudged, mildest))
    for one, two in sorted(pairs, key=lambda pair: -rank.get(pair[0], -1)):
        case = after.case(*before.consistent, before.level[one], after.level[two])
        if case is not None:
            return case, one, two
    return None


def verdict_words(knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """Return the verdicts that may be tested beside the findings, each with its words."""
    remedies = knowledge.remedies.values()
    named = [name for remedy in remedies for name in (remedy.id, remedy.tier, *remedy.traits)]
    return {
        "disposition": tuple(level.id for level in knowledge.manifest.dispositions),
        "given": tuple(dict.fromkeys(named)),
        "unsettled": ("yes", "no"),
    }
