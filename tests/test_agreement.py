"""Independent readings of the same rules agree: forward chaining, three-valued evaluation, and a plain reference.

`Reference` below is the written semantics (sections 1 to 4 and 6) in as few lines as possible, by recursion and
without any of the package's evaluation; it knows nothing of layers, networks or Kleene's unknown for conclusions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import pytest

from psoas.case import read_answer
from psoas.consultation import Consultant
from psoas.knowledge.conditions import All, Condition, Holds, Not
from psoas.knowledge.conditions import Test as Leaf
from psoas.knowledge.model import Calculated, Finding, Knowledge, Rule
from psoas.knowledge.program import Program, compile_program, withheld
from psoas.memory import Standing, State, Vocabulary, WorkingMemory
from psoas.readings.fire import Inference
from psoas.readings.foresee import established, foreseen
from random_cases import (
    OPEN,
    Writer,
    Written,
    check_cases,
    check_knowledge,
    completed,
    memory_of,
    random_state,
    shipped,
)


class Reference:
    """What a case establishes, by the written semantics and nothing else."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.rules: dict[str, list[Rule]] = {}
        for rule in knowledge.rules.values():
            for symbol in (*rule.then, rule.level) if rule.kind != "against" else ():
                self.rules.setdefault(symbol, []).append(rule)
        self.blockers = {
            withheld(remedy.id): [
                w for w in knowledge.withholdings.values() if {remedy.id, *remedy.traits} & set(w.withholds)
            ]
            for remedy in knowledge.remedies.values()
        }

    def established(self, answers: Mapping[str, State]) -> frozenset[str]:
        """Return every symbol that holds in the case with these answers."""
        self.answers, self._known = answers, dict[str, bool]()
        knowledge = self.knowledge
        levels = [d.id for d in knowledge.manifest.dispositions]
        return frozenset(
            name for name in (*knowledge.conclusions, *levels, *knowledge.remedies, *self.blockers) if self.holds(name)
        )

    def holds(self, symbol: str) -> bool:
        """Tell whether `symbol` is established."""
        if symbol not in self._known:
            self._known[symbol] = self._holds(symbol)
        return self._known[symbol]

    def _holds(self, symbol: str) -> bool:
        knowledge = self.knowledge
        if symbol.startswith("any "):
            kind = symbol.removeprefix("any ")
            return any(self.holds(c.id) for c in knowledge.conclusions.values() if c.kind == kind)
        if symbol in knowledge.remedies:
            remedy = knowledge.remedies[symbol]
            treated = not remedy.treats or any(map(self.holds, remedy.treats))
            return treated and (remedy.when is None or self.value(remedy.when) is True)
        if symbol in self.blockers:
            return any(self.value(w.when) is True for w in self.blockers[symbol])
        return any(
            self.value(rule.when) is True and not any(self.value(u) is True for u in rule.unless or ())
            for rule in self.rules.get(symbol, ())
        )

    def value(self, condition: Condition) -> bool | None:
        """Return True, False or None (unknown)."""
        if isinstance(condition, Holds):
            return self.holds(condition.symbol)
        if isinstance(condition, Leaf):
            return self._test(condition)
        if isinstance(condition, Not):
            inner = self.value(condition.of)
            return None if inner is None else not inner
        values = [self.value(part) for part in condition.of]
        needed = len(values) if isinstance(condition, All) else condition.n
        if values.count(True) >= needed:
            return True
        return None if values.count(True) + values.count(None) >= needed else False

    def _test(self, test: Leaf) -> bool | None:
        state = self._state(test.finding)
        has_value = not isinstance(state, Standing) and not (isinstance(state, frozenset) and OPEN in state)
        if state is Standing.INAPPLICABLE:
            return False
        if test.operator == "answered":
            return has_value
        if isinstance(state, Standing):
            return None
        if isinstance(state, frozenset):
            return True if state & test.words else False if has_value else None
        if isinstance(state, str):
            return state in test.words
        assert isinstance(state, float)
        low = test.numbers[0]
        return {
            "is": state == low,
            "at least": state >= low,
            "at most": state <= low,
            "more than": state > low,
            "less than": state < low,
            "between": low <= state <= test.numbers[-1],
        }[test.operator]

    def _state(self, name: str) -> State:
        item = self.knowledge.vocabulary[name]
        if isinstance(item, Calculated):
            inputs = {i: self._state(i) for i in item.formula.inputs}
            if any(isinstance(state, Standing) for state in inputs.values()):
                return Standing.UNKNOWN
            try:
                return item.formula.value(inputs)  # type: ignore[arg-type]
            except ArithmeticError:
                return Standing.UNKNOWN
        given = self.answers.get(name, Standing.UNASKED)
        if isinstance(given, Standing) and item.applies is not None and self._applies(item.applies) is False:
            return Standing.INAPPLICABLE
        return given

    def _applies(self, condition: Condition) -> bool | None:
        """Return whether something applies: what has not been asked may still be answered."""
        if isinstance(condition, Leaf) and condition.operator == "answered":
            state = self._state(condition.finding)
            return None if state is Standing.UNASKED else self._test(condition)
        if isinstance(condition, Leaf):
            return self._test(condition)
        if isinstance(condition, Not):
            inner = self._applies(condition.of)
            return None if inner is None else not inner
        assert not isinstance(condition, Holds)
        values = [self._applies(part) for part in condition.of]
        needed = len(values) if isinstance(condition, All) else condition.n
        if values.count(True) >= needed:
            return True
        return None if values.count(True) + values.count(None) >= needed else False


def test_the_shipped_rules_are_fired_evaluated_and_read_alike() -> None:
    """Seen to fail with the pattern for `unless` left out of fire.py."""
    writer = Writer(shipped())
    inference = Inference(shipped().program)

    reference = Reference(shipped().knowledge)

    def holds(case: Written) -> None:
        _agree(shipped().program, inference, reference, memory_of(shipped(), case))

    check_cases(writer.cases(250, seed=1), holds)
    check_cases(writer.near(150, seed=2), holds)


@pytest.mark.slow
def test_the_shipped_rules_are_fired_evaluated_and_read_alike_on_thousands_of_cases() -> None:
    """Seen to fail: as the test above."""
    writer = Writer(shipped())
    inference = Inference(shipped().program)

    reference = Reference(shipped().knowledge)

    def holds(case: Written) -> None:
        _agree(shipped().program, inference, reference, memory_of(shipped(), case))

    check_cases(writer.cases(1000, seed=3), holds)
    check_cases(writer.near(500, seed=4), holds)


def test_random_rules_with_negation_are_fired_evaluated_and_read_alike() -> None:
    """Seen to fail with the pattern for `unless` left out of fire.py."""
    check_knowledge(300, seed=5, holds=_agree_on)


def _agree_on(knowledge: Knowledge, cases: list[dict[str, State]]) -> None:
    program, vocabulary = compile_program(knowledge), Vocabulary(knowledge)
    inference, reference = Inference(program), Reference(knowledge)
    for answers in cases:
        _agree(program, inference, reference, WorkingMemory(vocabulary, answers))


def _agree(program: Program, inference: Inference, reference: Reference, memory: WorkingMemory) -> None:
    firings = inference.fire(memory)
    now = established(program, memory)
    fired = [firing.rule for firing in firings]
    true = [clause.id for number, clause in enumerate(program.clauses) if now.clauses[number]]
    assert fired == true, "other rules fired, or in another order, or twice"
    chained = frozenset(symbol for firing in firings for symbol in firing.established)
    assert chained == now.established()
    expected = reference.established(memory.answers)
    assert chained == expected, f"differs from the reference in {sorted(chained ^ expected)}"


def test_what_is_foreseen_holds_in_every_completion_of_the_shipped_rules() -> None:
    """Seen to fail with an `unless` that is open read as blocking for good in foresee.py."""
    consultant, writer, random = shipped(), Writer(shipped()), Random(6)
    revive = _never_asked_whether_answered(consultant.program)

    def holds(case: Written) -> None:
        _sound(consultant.program, memory_of(consultant, case), random, lambda f: _drawn(writer, random, f), revive)

    check_cases(writer.cases(250, seed=7), holds)
    check_cases(writer.near(250, seed=8), holds)


def test_what_is_foreseen_holds_in_every_completion_of_random_rules() -> None:
    """Seen to fail with an `unless` that is open read as blocking for good in foresee.py."""
    random = Random(9)

    def holds(knowledge: Knowledge, cases: list[dict[str, State]]) -> None:
        program, vocabulary = compile_program(knowledge), Vocabulary(knowledge)
        revive = _never_asked_whether_answered(program, knowledge)
        for answers in cases:
            memory = WorkingMemory(vocabulary, answers)
            _sound(program, memory, random, lambda finding: random_state(random, finding), revive)

    check_knowledge(500, seed=10, holds=holds)


def _sound(
    program: Program,
    memory: WorkingMemory,
    random: Random,
    draw: Callable[[Finding], State],
    revive: frozenset[str],
    completions: int = 8,
) -> None:
    ahead = foreseen(program, memory)
    symbols = {head for clause in program.clauses for head in clause.heads}
    for _ in range(completions):
        other = completed(random, memory, draw, revive=revive)
        now, further = established(program, other), foreseen(program, other)
        for symbol in symbols:
            if ahead[symbol] is not None:
                given = {k: v for k, v in other.answers.items() if memory.answers.get(k) != v}
                assert (now[symbol] or False) is ahead[symbol], f"{symbol} was foreseen {ahead[symbol]}; then {given}"
                assert further[symbol] is ahead[symbol], f"{symbol} was foreseen {ahead[symbol]}, and later not"


def _never_asked_whether_answered(program: Program, knowledge: Knowledge | None = None) -> frozenset[str]:
    """Return the findings whose unknown may turn into a value without going back on something already settled.

    Once a question has been asked, `answered` is settled for good; it is the one test that an answer in place of an
    unknown would turn round.
    """
    knowledge = knowledge or shipped().knowledge
    asked = {t.finding for c in program.clauses for t in c.tests() if t.operator == "answered"}
    asked |= {i for name in asked & set(knowledge.calculated) for i in knowledge.calculated[name].formula.inputs}
    for finding in knowledge.findings.values():
        if finding.applies is not None:
            asked |= {leaf.finding for leaf in _tests(finding.applies) if leaf.operator == "answered"}
    return frozenset(knowledge.findings) - asked


def _tests(condition: Condition) -> list[Leaf]:
    if isinstance(condition, Leaf):
        return [condition]
    if isinstance(condition, Holds):
        return []
    parts = condition.of if isinstance(condition.of, tuple) else (condition.of,)
    return [test for part in parts for test in _tests(part)]


def test_every_completion_lies_within_the_range_the_triage_gives() -> None:
    """Seen to fail with an `unless` that is open read as blocking for good in foresee.py."""
    consultant, writer, random = shipped(), Writer(shipped()), Random(11)
    rank = consultant.screen.rank

    def holds(case: Written) -> None:
        memory = memory_of(consultant, case)
        mildest, most = consultant.screen.judge(memory).within
        for _ in range(8):
            triage = consultant.screen.judge(completed(random, memory, lambda f: _drawn(writer, random, f)))
            if triage.fired:
                assert rank[mildest] <= rank[triage.level] <= rank[most], f"{triage} outside {mildest} to {most}"
            else:
                assert mildest == consultant.screen.otherwise.settled, f"nothing fired, but at least {mildest} foreseen"

    check_cases(writer.cases(400, seed=12, red_flags=True), holds)
    check_cases(writer.near(400, seed=13), holds)


def test_every_completion_lies_within_the_range_of_random_rules() -> None:
    """Seen to fail with an `unless` that is open read as blocking for good in foresee.py."""
    random = Random(14)

    def holds(knowledge: Knowledge, cases: list[dict[str, State]]) -> None:
        consultant = Consultant(knowledge)
        rank = consultant.screen.rank
        for answers in cases:
            memory = WorkingMemory(consultant.vocabulary, answers)
            verdict = consultant.screen.judge(memory)
            mildest, most = verdict.within
            for _ in range(5):
                other = completed(random, memory, lambda finding: random_state(random, finding))
                triage = consultant.screen.judge(other)
                if triage.fired:
                    assert rank[mildest] <= rank[triage.level] <= rank[most]
                    if verdict.level == consultant.screen.otherwise.settled:
                        assert not knowledge.level(triage.level).screened, "called settled, and it was not"
                else:
                    assert mildest == consultant.screen.otherwise.settled

    check_knowledge(250, seed=15, holds=holds)


def test_an_evaluation_brought_up_to_date_equals_a_fresh_one() -> None:
    """Seen to fail with `_settle` not following a symbol that changed."""
    consultant, writer, random = shipped(), Writer(shipped()), Random(16)

    def holds(case: Written) -> None:
        memory = memory_of(consultant, case)
        _kept_up(consultant.program, memory, random, lambda f: _drawn(writer, random, f))

    check_cases(writer.cases(200, seed=17), holds)


def test_an_evaluation_of_random_rules_brought_up_to_date_equals_a_fresh_one() -> None:
    """Seen to fail with `_settle` not following a symbol that changed."""
    random = Random(18)

    def holds(knowledge: Knowledge, cases: list[dict[str, State]]) -> None:
        program, vocabulary = compile_program(knowledge), Vocabulary(knowledge)
        for answers in cases:
            _kept_up(program, WorkingMemory(vocabulary, answers), random, lambda f: random_state(random, f))

    check_knowledge(400, seed=19, holds=holds)


def _drawn(writer: Writer, random: Random, finding: Finding) -> State:
    return read_answer(finding, writer.valid(random, finding))


def _kept_up(program: Program, memory: WorkingMemory, random: Random, draw: Callable[[Finding], State]) -> None:
    """Change one answer after the other and compare what is carried along with what is worked out anew."""
    now, ahead = established(program, memory), foreseen(program, memory)
    findings = [item for item in memory.vocabulary.items.values() if isinstance(item, Finding)]
    for _ in range(10):
        finding = random.choice(findings)
        state = random.choice([draw(finding), draw(finding), Standing.UNKNOWN, Standing.UNASKED])
        if state is Standing.UNASKED and finding.id not in memory.answers:
            continue
        memory, touched = memory.changed(finding.id, state)
        now, ahead = now.changed(memory, touched), ahead.changed(memory, touched)
        fresh = WorkingMemory(memory.vocabulary, memory.answers)
        for kept, new in ((now, established(program, fresh)), (ahead, foreseen(program, fresh))):
            assert kept.clauses == new.clauses, f"{finding.id} → {state}"
            assert all(kept[s] is new[s] for clause in program.clauses for s in clause.heads), f"{finding.id} → {state}"
        assert all(memory[name] == fresh[name] for name in memory.vocabulary.items), f"{finding.id} → {state}"
