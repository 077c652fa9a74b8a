"""Three values: what holds now, what holds whatever the open answers turn out to be."""

from __future__ import annotations

import pytest

from psoas.knowledge.conditions import Holds, Kleene, Not, all_of
from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import Program, compile_program
from psoas.memory import Standing, State, WorkingMemory
from psoas.readings.foresee import established, foreseen
from random_cases import answered, made, rule, vocabulary_of, word, words, yes


def knowledge() -> Knowledge:
    findings = [word("a"), word("b"), word("c", applies=yes("a")), words("m", "x", "y")]
    return made(
        {finding.id: finding for finding in findings},
        ("p", "q", "r", "s", "t", "u", "end"),
        [
            rule("a-shows-p", yes("a"), "p"),
            rule("p-and-b-show-q", all_of([Holds("p"), yes("b")]), "q"),
            rule("b-shows-r-unless-p", yes("b"), "r", unless=[Holds("p")]),
            rule("b-shows-u-unless-a", yes("b"), "u", unless=[yes("a")]),
            rule("silence-shows-s", Not(answered("b")), "s"),
            rule("c-shows-t", yes("c"), "t"),
        ],
    )


def values(program: Program, **answers: State) -> tuple[dict[str, Kleene], dict[str, Kleene]]:
    memory = WorkingMemory(vocabulary_of(knowledge()), answers)
    now, ahead = established(program, memory), foreseen(program, memory)
    symbols = ("p", "q", "r", "s", "t", "u")
    return {s: now[s] for s in symbols}, {s: ahead[s] for s in symbols}


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_program(knowledge())


def test_what_is_answered_is_settled_and_what_is_not_stays_open(program: Program) -> None:
    _, ahead = values(program, a="yes")
    assert (ahead["p"], ahead["q"], ahead["r"]) == (True, None, False)
    _, ahead = values(program, a="no")
    assert (ahead["p"], ahead["q"], ahead["r"]) == (False, False, None)


def test_what_is_not_known_blocks_nothing_now_and_may_block_later(program: Program) -> None:
    """Seen to fail with an `unless` that is open read as blocking."""
    now, ahead = values(program, b="yes")
    assert (now["r"], now["u"]) == (True, True)
    assert (ahead["r"], ahead["u"]) == (None, None)


def test_a_missing_answer_is_a_fact_now_and_open_until_the_question_was_asked(program: Program) -> None:
    """Seen to fail with `ahead` reading `answered` of an unasked finding as False."""
    now, ahead = values(program)
    assert (now["s"], ahead["s"]) == (True, None)
    now, ahead = values(program, b=Standing.UNKNOWN)
    assert (now["s"], ahead["s"]) == (True, True)


def test_what_does_not_apply_is_settled(program: Program) -> None:
    """Seen to fail with an inapplicable finding left open."""
    assert values(program, a="no")[1]["t"] is False
    assert values(program, a="yes")[1]["t"] is None
    assert values(program)[1]["t"] is None


def test_the_questions_that_keep_a_rule_open_are_named_with_what_decides_whether_they_apply(program: Program) -> None:
    memory = WorkingMemory(vocabulary_of(knowledge()), {})
    ahead = foreseen(program, memory)
    number = [clause.id for clause in program.clauses].index("c-shows-t")
    assert list(ahead.open_findings(number)) == ["a", "c"]
