"""Which answers would turn the advice, and which question is worth asking next."""

from __future__ import annotations

from psoas.case import make_case
from psoas.knowledge.conditions import OPEN, evaluate
from psoas.knowledge.model import Finding
from psoas.memory import Standing, State, WorkingMemory
from random_cases import Writer, Written, check_cases, memory_of, shipped


def all_single_changes(memory: WorkingMemory, finding: Finding) -> list[State]:
    """Return every other answer to `finding`: of numbers, every whole one; of sets, one word more, less or alone."""
    before = memory.answers.get(finding.id, Standing.UNASKED)
    if finding.type == "any of":
        now = before if isinstance(before, frozenset) else frozenset()
        alone = frozenset(finding.alone)
        sets = {frozenset({word}) if word in alone else (now - alone) | {word} for word in finding.values}
        sets |= {now - {word} for word in now if len(now) > 1}
        return [state for state in sets if state != before]
    if finding.type == "number":
        assert finding.range is not None
        high = min(finding.range.high, 200)
        return [float(n) for n in range(int(finding.range.low), int(high) + 1) if n != before]
    return [word for word in finding.values if word != before]


def test_the_turns_are_those_that_trying_every_answer_finds() -> None:
    """Brute force, each change judged anew. Seen to fail with `Evaluation._settle` not following a changed symbol."""
    consultant = shipped()
    rules = consultant.knowledge.contradictions.values()

    def holds(case: Written) -> None:
        memory = memory_of(consultant, case)
        level = consultant.screen.judge(memory).level
        found = {(turn.finding, turn.disposition) for turn in consultant.prospect.turns(memory)}
        expected = set()
        for finding in consultant.knowledge.findings.values():
            if finding.type == "list of numbers" or (
                memory.applies(finding) is False and finding.id not in memory.answers
            ):
                continue
            for state in all_single_changes(memory, finding):
                other = WorkingMemory(consultant.vocabulary, {**memory.answers, finding.id: state})
                if any(evaluate(rule.when, other.now, lambda symbol: None) for rule in rules):
                    continue
                after = consultant.screen.judge(other).level
                if after != level:
                    expected.add((finding.id, after))
        # the onset age that K4 tests is calculated, and no threshold of a calculated finding is tried
        assert {f for f in found ^ expected if f[0] not in ("age_years", "duration_days")} == set()

    check_cases(Writer(consultant).near(12, seed=31), holds)
    check_cases(Writer(consultant).cases(8, seed=32), holds)


def test_turns_come_most_urgent_first() -> None:
    """Seen to fail with the sign of the rank turned in `Prospect.turns`."""
    rank = shipped().screen.rank
    for case in Writer(shipped()).near(40, seed=33):
        ranks = [rank[turn.disposition] for turn in shipped().prospect.turns(memory_of(shipped(), case))]
        assert ranks == sorted(ranks, reverse=True)


def test_what_keeps_the_case_open_is_among_the_questions_and_comes_first() -> None:
    """Seen to fail with the questions sorted by id."""
    for case in Writer(shipped()).cases(60, seed=34, red_flags=True):
        it = shipped().consult(make_case(shipped().knowledge, case))
        if it.level.alone:
            assert it.questions == ()
            continue
        asked = [question.finding for question in it.questions]
        missing = [finding for finding in asked if finding in it.triage.missing]
        assert set(missing) == {f for f in it.triage.missing if f in shipped().knowledge.findings}
        assert asked[: len(missing)] == missing


def test_a_question_is_open_and_says_what_waits_for_it() -> None:
    """Seen to fail with settled findings left in."""
    for case in Writer(shipped()).cases(40, seed=35):
        memory = memory_of(shipped(), case)
        for question in shipped().prospect.questions(memory):
            assert memory.is_open(question.finding)
            assert question.rules or question.causes


def test_the_question_that_alone_decides_an_emergency_comes_before_one_that_needs_others() -> None:
    """Seen to fail with the plain number of waiting rules in place of the shares."""
    it = shipped().consult(make_case(shipped().knowledge, {"age_years": "60", "sex": "male"}))
    asked = [question.finding for question in it.questions]
    assert asked.index("saddle_numbness") < asked.index("severity")


def test_a_partly_known_list_is_still_a_question() -> None:
    it = shipped().consult(make_case(shipped().knowledge, {"infection_risk": ["diabetes", OPEN]}))
    assert "infection_risk" in {question.finding for question in it.questions}
