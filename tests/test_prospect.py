"""Which question is worth asking next."""

from __future__ import annotations

from psoas.case import make_case
from psoas.knowledge.conditions import OPEN
from random_cases import Writer, memory_of, shipped


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
