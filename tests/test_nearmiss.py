"""Which answers would turn the advice: every single one and every two that brute force finds, and no others."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

import pytest

from conftest import CASES
from psoas.case import make_case, read_case
from psoas.consultation import Consultant
from psoas.knowledge.conditions import evaluate
from psoas.knowledge.model import Finding
from psoas.memory import Standing, State, WorkingMemory
from random_cases import Writer, Written, check_cases, memory_of, shipped


def other_answers(memory: WorkingMemory, finding: Finding) -> Iterator[State]:
    """Yield every other answer to `finding` that can come about: of numbers, every whole one up to 200."""
    before = memory.answers.get(finding.id, Standing.UNASKED)
    if finding.type == "any of":
        now = before if isinstance(before, frozenset) else frozenset()
        alone = frozenset(finding.alone)
        possible = [word for word in finding.values if word in now or word not in finding.lasting]
        sets = {frozenset({word}) if word in alone else (now - alone) | {word} for word in possible}
        sets |= {now - {word} for word in now if len(now) > 1}
        yield from (state for state in sets if state != before)
    elif finding.type == "number":
        assert finding.range is not None
        high = min(finding.range.high, 200)
        least = before if finding.grows and isinstance(before, float) else finding.range.low
        yield from (float(n) for n in range(int(finding.range.low), int(high) + 1) if n != before and n >= least)
    elif finding.type == "list of numbers":
        assert finding.range is not None
        if isinstance(before, tuple):
            numbers = range(int(finding.range.low), int(finding.range.high) + 1)
            yield from ((*before[:-1], float(n)) for n in numbers if n != before[-1])
    else:
        yield from (word for word in finding.values if word != before and word not in finding.lasting)


def level_of(consultant: Consultant, memory: WorkingMemory) -> str:
    """Return the level judged from the beginning; "" where the answers contradict each other."""
    rules = consultant.knowledge.contradictions.values()
    if any(evaluate(rule.when, memory.now, lambda symbol: None) for rule in rules):
        return ""
    return consultant.screen.judge(memory).level


def changed(consultant: Consultant, memory: WorkingMemory, **answers: State) -> WorkingMemory:
    return WorkingMemory(consultant.vocabulary, {**memory.answers, **answers})


def changeable(consultant: Consultant) -> list[Finding]:
    return [finding for finding in consultant.knowledge.findings.values() if not finding.fixed]


def test_single_turns_are_those_that_trying_every_answer_finds() -> None:
    """Each change judged anew. Seen to fail with `Evaluation._settle` not following a changed symbol."""
    consultant = shipped()

    def holds(case: Written) -> None:
        memory = memory_of(consultant, case)
        level = consultant.screen.judge(memory).level
        turns = consultant.near_misses.turns(memory)
        found = {(turn.finding, turn.disposition) for turn in turns if len(turn.changes) == 1}
        expected = set()
        for finding in changeable(consultant):
            if memory.applies(finding) is False:
                continue
            for state in other_answers(memory, finding):
                after = level_of(consultant, changed(consultant, memory, **{finding.id: state}))
                if after not in (level, ""):
                    expected.add((finding.id, after))
        # a number beyond 200 may lead where no smaller one does
        assert {f for f in found ^ expected if f[0] != "duration_days" or f in expected} == set()

    check_cases(Writer(consultant).near(8, seed=31), holds)
    check_cases(Writer(consultant).cases(6, seed=32), holds)


def pairs_found(consultant: Consultant, memory: WorkingMemory) -> set[tuple[frozenset[str], str]]:
    turns = consultant.near_misses.turns(memory)
    return {(frozenset(c.finding for c in t.changes), t.disposition) for t in turns if len(t.changes) == 2}


def double_changes(
    consultant: Consultant, memory: WorkingMemory, pairs: list[tuple[Finding, Finding]]
) -> set[tuple[frozenset[str], str]]:
    """Return each pair of findings, and level, that two answers reach and neither of them alone does."""
    rank = {**consultant.screen.rank, "": -1, "undetermined": -1}
    tried = consultant.near_misses.candidates
    base = rank[consultant.screen.judge(memory).level]
    expected = set()
    for one, two in pairs:
        for first, second in ((one, two), (two, one)):
            for a in tried(first, memory.answers.get(first.id, Standing.UNASKED), memory):
                middle = changed(consultant, memory, **{first.id: a})
                if memory.applies(first) is False or middle.applies(second) is False:
                    continue
                alone = rank[level_of(consultant, middle)]
                for b in tried(second, memory.answers.get(second.id, Standing.UNASKED), middle):
                    other = -1
                    if memory.applies(second) is not False:
                        other = rank[level_of(consultant, changed(consultant, memory, **{second.id: b}))]
                    end = level_of(consultant, changed(consultant, middle, **{second.id: b}))
                    if rank[end] > max(base, alone, other):
                        expected.add((frozenset((one.id, two.id)), end))
    return expected


DECIDED = ["V12", "V22", "V40", "C35-twenty-two-weeks-pregnant"]


@pytest.mark.parametrize("name", DECIDED)
def test_double_turns_are_those_that_trying_every_two_answers_finds(name: str) -> None:
    """Over a random part of all pairs, and all pairs found. Seen to fail with `_crossed` left out for `all`."""
    consultant = shipped()
    memory = memory_of(consultant, read_case(consultant.knowledge, CASES / f"{name}.yaml").written)
    found = pairs_found(consultant, memory)
    findings = [f for f in changeable(consultant) if f.id in consultant.near_misses.behind]
    pairs = list(combinations(findings, 2))
    some = random.Random(f"pairs {name}").sample(pairs, 60)
    some += [pair for pair in pairs if any({f.id for f in pair} == set(names) for names, _ in found)]
    wanted = {frozenset(f.id for f in pair) for pair in some}
    assert {turn for turn in found if turn[0] in wanted} == double_changes(consultant, memory, some)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["V12", "V40"])
def test_double_turns_of_all_pairs(name: str) -> None:
    """Seen to fail: as the test above."""
    consultant = shipped()
    memory = memory_of(consultant, read_case(consultant.knowledge, CASES / f"{name}.yaml").written)
    findings = [f for f in changeable(consultant) if f.id in consultant.near_misses.behind]
    pairs = list(combinations(findings, 2))
    assert pairs_found(consultant, memory) == double_changes(consultant, memory, pairs)


def test_nothing_is_named_that_would_be_no_news() -> None:
    """Neither age and sex, nor a pregnancy of a man, nor a state that cannot begin."""
    consultant = shipped()
    for case in Writer(consultant).near(30, seed=41):
        memory = memory_of(consultant, case)
        for turn in consultant.near_misses.turns(memory):
            for change in turn.changes:
                finding = consultant.knowledge.findings[change.finding]
                assert not finding.fixed
                assert change.after not in finding.lasting
                if finding.id == "pregnancy":
                    assert memory["sex"] != "male"


def test_turns_come_most_urgent_first() -> None:
    """Seen to fail with the sign of the rank turned in `NearMisses.turns`."""
    rank = shipped().screen.rank
    for case in Writer(shipped()).near(40, seed=33):
        ranks = [rank[turn.disposition] for turn in shipped().near_misses.turns(memory_of(shipped(), case))]
        assert ranks == sorted(ranks, reverse=True)


def test_both_legs_are_among_the_signs_to_watch_for() -> None:
    """Two answers that contradict the present ones singly: seen to fail with contradictions left out of the pairs."""
    consultant = shipped()
    it = consultant.consult(read_case(consultant.knowledge, CASES / "V12.yaml"))
    named = {frozenset((c.finding, str(c.after)) for c in t.changes if c.finding == "leg_side") for t in it.turns}
    assert frozenset({("leg_side", "both")}) in named


def test_of_a_list_of_numbers_the_last_is_tried_at_the_thresholds_of_what_is_calculated() -> None:
    consultant = shipped()
    answers = {**read_case(consultant.knowledge, CASES / "V12.yaml").written, "pain_site": "sacral_buttock"}
    memory = WorkingMemory(consultant.vocabulary, make_case(consultant.knowledge, answers).answers)
    weekly = consultant.knowledge.findings["weekly_km"]
    tried = consultant.near_misses.candidates(weekly, memory.answers["weekly_km"], memory)
    assert tried
    assert all(isinstance(state, tuple) and state[:-1] == (25.0, 26.0, 25.0) for state in tried)
