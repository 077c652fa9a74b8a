"""Every clause of a program in SQL: what is established, and ahead of it for triage (semantics, sections 3, 4, 7-9)."""

from __future__ import annotations

from psoas.knowledge.conditions import All, Condition, Holds, Not, Test
from psoas.knowledge.model import Knowledge, Rule
from psoas.knowledge.program import Clause, Program, compile_program, withheld
from psoas.readings.screen.sql import FALSE, TRUE, at_least, every, known_true, negated, some, text
from psoas.readings.screen.states import States
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
        self._decided: dict[str, str] = {}

    # as the case stands

    def fires(self, clause: Clause) -> str:
        """Return that a clause fires."""
        return self.columns.add(f"rule {clause.id}", lambda: self._fires(clause))

    def _fires(self, clause: Clause) -> str:
        said = known_true(self.condition(clause.when))
        if clause.unless is None:
            return said
        return every([said, negated(known_true(self.condition(clause.unless)))])

    def holds(self, symbol: str) -> str:
        """Return that a symbol is established; for remedies the level of the case is, whatever gave it."""
        numbers = self.program.by_head.get(symbol, ())
        if not numbers:
            return FALSE
        return self.columns.add(f"is {symbol}", lambda: some(self.fires(self.program.clauses[n]) for n in numbers))

    def condition(self, condition: Condition, *, ahead: bool = False) -> str:
        """Return a condition, as the row stands or ahead of it."""
        if isinstance(condition, Test):
            return self.states.test(condition, ahead=ahead)
        if isinstance(condition, Holds):
            return self.may_hold(condition.symbol) if ahead else self._premise(condition.symbol)
        if isinstance(condition, Not):
            return negated(self.condition(condition.of, ahead=ahead))
        parts = [self.condition(part, ahead=ahead) for part in condition.of]
        return at_least(len(parts) if isinstance(condition, All) else condition.n, parts)

    def _premise(self, symbol: str) -> str:
        """Return that a symbol holds, as a condition sees it: only remedies look at levels, when the case has one."""
        if symbol in self.screen.rank:
            return some([self.holds(symbol), f"({self.level} = {text(symbol)})"])
        return self.holds(symbol)

    # ahead

    def foreseen(self, clause: Clause) -> str:
        """Return whether a rule holds in every completion of the row, in none, or that this is open."""
        parts = [] if clause.unless is None else [clause.unless]
        return self.columns.add(
            f"ahead rule {clause.id}",
            lambda: every(
                [self.condition(clause.when, ahead=True), *(negated(self.condition(c, ahead=True)) for c in parts)]
            ),
        )

    def may_hold(self, symbol: str) -> str:
        """Return whether a symbol is established in every completion, in none, or that this is open."""
        numbers = self.program.by_head.get(symbol, ())
        if not numbers:
            return FALSE
        return self.columns.add(
            f"ahead {symbol}", lambda: some(self.foreseen(self.program.clauses[n]) for n in numbers)
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
        return every([f"({self.foreseen(clause)} IS NULL)", negated(self.fires(clause))])

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
            lambda: every([f"({self.foreseen(clause)} IS NULL)", some(map(self._unasked_part, parts))]),
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
        return every([waits, f"({self.condition(condition, ahead=True)} IS NULL)"])

    def _unasked_input(self, finding: str) -> str:
        if finding in self.knowledge.calculated:
            return some(self.states.unasked(name) for name in self.states.inputs(finding))
        deciding = [
            every([f"({self.states.test(test, ahead=True)} IS NULL)", self._unasked_input(test.finding)])
            for test in self.states.deciding(finding)
        ]
        applying = [every([f"({self.states.applies(finding)} IS NULL)", some(deciding)])] if deciding else []
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
