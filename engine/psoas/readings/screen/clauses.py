"""Every clause of a program in SQL: what is established, and ahead of it for triage (semantics, sections 3, 4, 7-9)."""

from __future__ import annotations

from psoas.knowledge.conditions import Condition, Holds, Not, Test
from psoas.knowledge.model import Knowledge, Rule
from psoas.knowledge.program import Clause, Program, compile_program, withheld
from psoas.readings.screen.bounds import Bounds, all_hold, any_holds, settled
from psoas.readings.screen.sql import FALSE, TRUE, every, negated, some, text
from psoas.readings.screen.states import States, combined
from psoas.triage import Screen


class Clauses:
    """The columns of rules, conclusions, levels, remedies and withholdings."""

    def __init__(self, knowledge: Knowledge, states: States) -> None:
        self.knowledge = knowledge
        self.states = states
        self.columns = states.columns
        self.program: Program = compile_program(knowledge)
        self.screen = Screen(knowledge, self.program)
        self._by_id = {clause.id: clause for clause in self.program.clauses}
        self._foreseen: dict[str, Bounds] = {}

    # as the case stands

    def fires(self, clause: Clause) -> str:
        """Return that a clause fires."""
        return self.columns.add(f"rule {clause.id}", lambda: self._fires(clause))

    def _fires(self, clause: Clause) -> str:
        unless = [] if clause.unless is None else [negated(self.condition(clause.unless).surely)]
        return every([self.condition(clause.when).surely, *unless])

    def holds(self, symbol: str) -> str:
        """Return that a symbol is established; for remedies the level of the case is, whatever gave it."""
        numbers = self.program.by_head.get(symbol, ())
        if not numbers:
            return FALSE
        return self.columns.add(f"is {symbol}", lambda: some(self.fires(self.program.clauses[n]) for n in numbers))

    def condition(self, condition: Condition, *, ahead: bool = False) -> Bounds:
        """Return a condition, as the row stands or ahead of it."""
        if isinstance(condition, Test):
            return self.states.test(condition, ahead=ahead)
        if isinstance(condition, Holds):
            return self.may_hold(condition.symbol) if ahead else settled(self._premise(condition.symbol))
        if isinstance(condition, Not):
            return self.condition(condition.of, ahead=ahead).opposite
        return combined(condition, [self.condition(part, ahead=ahead) for part in condition.of])

    def _premise(self, symbol: str) -> str:
        """Return that a symbol holds, as a condition sees it: only remedies look at levels, when the case has one."""
        if symbol in self.screen.rank:
            return some([self.holds(symbol), f"({self.level} = {text(symbol)})"])
        return self.holds(symbol)

    # ahead

    def foreseen(self, clause: Clause) -> Bounds:
        """Return whether a rule holds in every completion of the row, and whether in any.

        Most that hold surely are those that fire: then there is one column for both.
        """
        if clause.id not in self._foreseen:
            self._foreseen[clause.id] = self._foresee(clause)
        return self._foreseen[clause.id]

    def _foresee(self, clause: Clause) -> Bounds:
        parts = [self.condition(clause.when, ahead=True)]
        parts += [] if clause.unless is None else [self.condition(clause.unless, ahead=True).opposite]
        ahead, name = all_hold(parts), f"rule {clause.id}"
        fires = ahead.surely == self._fires(clause)
        return Bounds(
            self.fires(clause) if fires else self.columns.add(f"{name} surely", ahead.surely),
            self.columns.add(f"{name} possibly", ahead.possibly),
        )

    def may_hold(self, symbol: str) -> Bounds:
        """Return whether a symbol is established in every completion, and whether in any."""
        clauses = [self.program.clauses[n] for n in self.program.by_head.get(symbol, ())]
        ahead = any_holds(map(self.foreseen, clauses))
        if not clauses:
            return ahead
        holds = ahead.surely == some(map(self.fires, clauses))
        return Bounds(
            self.holds(symbol) if holds else self.columns.add(f"surely {symbol}", ahead.surely),
            self.columns.add(f"possibly {symbol}", ahead.possibly),
        )

    # the disposition

    @property
    def triage(self) -> list[Clause]:
        """The triage rules, most urgent first."""
        return [clause for _, clause, _ in self.screen.rules]

    def _screened(self) -> list[Clause]:
        screened = {level.id for level in self.screen.levels if level.screened}
        return [clause for _, clause, level in self.screen.rules if level in screened]

    @property
    def unsettled(self) -> str:
        """That a rule of a screened level is open, and has not fired."""
        return self.columns.add("unsettled", lambda: some(map(self._open, self._screened())))

    def _open(self, clause: Clause) -> str:
        ahead = self.foreseen(clause)
        return every([ahead.open, negated(self.fires(clause))])

    @property
    def level(self) -> str:
        """The disposition."""
        return self.columns.add("level", self._level)

    def _level(self) -> str:
        otherwise = self.screen.otherwise
        fired = [f"WHEN {self.holds(d.id)} THEN {text(d.id)}" for d in reversed(self.screen.levels)]
        missing = some(every([self._open(clause), self._unasked_in(clause)]) for clause in self._screened())
        return (
            f"CASE {' '.join(fired)} WHEN NOT {self.unsettled} THEN {text(otherwise.settled)} "
            f"WHEN {missing} THEN {text(otherwise.unasked)} ELSE {text(otherwise.unknown)} END"
        )

    def _unasked_in(self, clause: Clause) -> str:
        """Return that a rule is kept open by a finding not asked."""
        parts = [condition for condition in (clause.when, clause.unless) if condition is not None]
        return self.columns.add(
            f"rule {clause.id} waits for a question",
            lambda: every([self.foreseen(clause).open, some(map(self._unasked_part, parts))]),
        )

    def _unasked_part(self, condition: Condition) -> str:
        if isinstance(condition, Test):
            waits = self._unasked_input(condition.finding)
        elif isinstance(condition, Holds):
            below = [self.program.clauses[n] for n in self.program.by_head.get(condition.symbol, ())]
            waits = some(self._unasked_in(clause) for clause in below)
        else:
            parts = condition.of if isinstance(condition.of, tuple) else (condition.of,)
            waits = some(map(self._unasked_part, parts))
        return every([waits, self.condition(condition, ahead=True).open])

    def _unasked_input(self, finding: str) -> str:
        if finding in self.knowledge.calculated:
            return some(self.states.unasked(name) for name in self.states.inputs(finding))
        deciding = [
            every([self.states.test(test, ahead=True).open, self._unasked_input(test.finding)])
            for test in self.states.deciding(finding)
        ]
        applying = [every([self.states.applies(finding).open, some(deciding)])] if deciding else []
        return some([self.states.unasked(finding), *applying])

    # remedies

    @property
    def restricted(self) -> str:
        """That only remedies of the restricted tiers are given."""
        levels = [d.id for d in self.knowledge.manifest.dispositions if d.plan == "restricted"]
        return self.columns.add(
            "restricted", lambda: some([self.unsettled, *(f"({self.level} = {text(level)})" for level in levels)])
        )

    def given(self, remedy: str) -> str:
        """Return that a remedy is given: indicated, not withheld, and allowed where the plan is restricted."""
        tiers = {tier.id: tier.restricted for tier in self.knowledge.manifest.tiers}
        safe = tiers[self.knowledge.remedies[remedy].tier]

        def free() -> str:
            return TRUE if safe else negated(self.restricted)

        return self.columns.add(
            f"given {remedy}", lambda: every([self.holds(remedy), negated(self.holds(withheld(remedy))), free()])
        )

    def kept_back(self, remedy: str) -> str:
        """Return that a remedy is indicated and not given."""
        return every([self.holds(remedy), negated(self.given(remedy))])

    def rules_for(self, symbol: str) -> list[Rule]:
        """Return the rules that establish a conclusion, and those that count against it, by id."""
        return sorted((r for r in self.knowledge.rules.values() if symbol in r.then), key=lambda rule: rule.id)

    def clause(self, rule: Rule) -> Clause:
        """Return the clause of a rule."""
        return self._by_id[rule.id]
