"""The interview: which question next, when to stop, and whether stopping was right.

What is compared is the *advice*: the disposition, the leading cause, the set of remedies. The full case has an answer
to everything, `unknown` where nobody gave one. Where a disposition stands alone, only it is compared.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest

from conftest import CASES, ROOT
from psoas.case import Case, as_written, make_case, read_case
from psoas.consultation import Consultant, Consultation
from psoas.faults import Unusable
from psoas.interview import Interview, Interviewer, Sheet, Stop, replay, share
from psoas.knowledge.conditions import OPEN, Condition, Holds, Not, all_of, any_of
from psoas.knowledge.conditions import Test as Leaf
from psoas.knowledge.formulas import parse_formula
from psoas.knowledge.model import Calculated, Finding, Knowledge, Manifest, Remedy, Rule, Together
from psoas.knowledge.program import compile_program
from psoas.lead import Ranking, _View
from psoas.memory import Standing, State, WorkingMemory
from psoas.readings.foresee import established, foreseen
from psoas.readings.outlook import Outlook
from random_cases import (
    MANIFEST,
    Writer,
    figure,
    made,
    random_knowledge,
    random_states,
    rule,
    shipped,
    word,
    words,
    yes,
)

UNKNOWN = Standing.UNKNOWN
MEDIAN, MOST = 22, 45
"""How many entries an interview may have, in the middle and at most."""


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that finds the packages and the tests."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("engine", "cli", "tests")),
        **more,
    }


Advice = tuple[str, tuple[str, ...], tuple[str, ...]]


def advice(it: Consultation) -> Advice:
    return it.level.id, tuple(cause.id for cause in it.causes[:1]), tuple(sorted(given.id for given in it.remedies))


def advised(consultant: Consultant, answers: Mapping[str, State], stopped: Stop = "settled") -> Advice:
    """Return the advice on these answers; of an interview that an emergency ended, the disposition alone."""
    level, causes, remedies = advice(consultant.consult(Case("case", answers=answers)))
    return (level, (), ()) if stopped == "emergency" else (level, causes, remedies)


def completed(consultant: Consultant, answers: Mapping[str, State]) -> dict[str, State]:
    return {name: answers.get(name, UNKNOWN) for name in consultant.knowledge.findings}


def interviewer() -> Interviewer:
    return Interviewer(shipped())


def check(consultant: Consultant, held: Interview, given: Mapping[str, State]) -> None:
    """Check that the interview gives the advice of the full case, with not too many questions, none of them twice."""
    full = completed(consultant, given)
    assert advised(consultant, held.answers, held.stopped) == advised(consultant, full, held.stopped), held.asked
    assert all(held.answers[name] == full[name] for name in held.answers)
    assert len(held.asked) <= MOST
    asked = [name for sheet in held.asked for name in sheet]
    assert len(asked) == len(set(asked))
    assert set(asked) <= set(held.answers)


def held_with(cases: Sequence[Case]) -> list[Interview]:
    """Hold the interview with each of the cases and check it."""
    asks, interviews = interviewer(), []
    for case in cases:
        interviews.append(replay(asks, case))
        check(shipped(), interviews[-1], case.answers)
    return interviews


def worked(pattern: str) -> list[Case]:
    return [read_case(shipped().knowledge, path) for path in sorted(CASES.glob(pattern))]


def entries(interviews: Sequence[Interview]) -> list[int]:
    return [len(held.asked) for held in interviews]


# The same advice, with few questions


def test_the_shared_cases_come_to_the_advice_of_the_full_case() -> None:
    """Seen to fail with `_weigh_plan` passing over what is withheld, and with one sheet taken out of `interview`."""
    assert statistics.median(entries(held_with(worked("V*.yaml")))) <= MEDIAN


@pytest.mark.slow
def test_all_worked_cases_come_to_the_advice_of_the_full_case() -> None:
    """Seen to fail with a rule that waits for its `if` alone and not for its `unless`."""
    assert statistics.median(entries(held_with(worked("*.yaml")))) <= MEDIAN


def random_cases(count: int, seed: int) -> list[Case]:
    """Return random cases, half of them close to a red flag; contradictions and refusals are part of them."""
    writer = Writer(shipped())
    written = [*writer.cases(count - count // 2, seed), *writer.near(count // 2, seed)]
    return [make_case(shipped().knowledge, case) for case in written]


def test_random_cases_come_to_the_advice_of_the_full_case() -> None:
    """Seen to fail with the screened rules that cannot fire any more passed over in `_weigh_levels`."""
    held_with(random_cases(40, seed=61))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_many_random_cases_come_to_the_advice_of_the_full_case(seed: int) -> None:
    """Two thousand are held for docs/benchmarks.md. Seen to fail with values that a case has for questions that do not
    concern it left out of `replay`.
    """
    assert statistics.median(entries(held_with(random_cases(60, 600 + seed)))) <= MEDIAN


# Stopping: no completion of what was left out gives other advice


def left_out(consultant: Consultant, answers: Mapping[str, State]) -> list[Finding]:
    memory = WorkingMemory(consultant.vocabulary, answers)
    findings = consultant.knowledge.findings.values()
    return [f for f in findings if f.id not in answers and memory[f.id] is Standing.UNASKED]


def completions(writer: Writer, held: Interview, count: int, seed: int) -> Iterator[dict[str, State]]:
    """Yield what the case may still become: the questions left out answered at random, some unknown, all or a few.

    They are written and read like a case file. One that contradicts an answer given is not a completion: it would be
    refused together with that answer, and asked again.
    """
    random, knowledge = Random(seed), writer.knowledge
    findings = left_out(writer.consultant, held.answers)
    before = {name: as_written(state) for name, state in held.answers.items()}
    for _ in range(count):
        share_of_answers = random.choice([0.1, 0.5, 1.0])
        answered = [finding for finding in findings if random.random() < share_of_answers]
        case = make_case(knowledge, {**before, **{f.id: writer.valid(random, f) for f in answered}})
        if not {refused.finding for refused in case.rejected} & set(held.answers):
            yield {**completed(writer.consultant, case.answers), **held.answers}


def check_certificate(writer: Writer, held: Interview, count: int, seed: int) -> None:
    expected = advised(writer.consultant, held.answers, held.stopped)
    for answers in completions(writer, held, count, seed):
        assert advised(writer.consultant, answers, held.stopped) == expected, (held, answers)


def test_whatever_was_left_out_could_not_change_the_advice() -> None:
    """Seen to fail with the lead taken as settled where the first cause is sure (`others` emptied)."""
    asks, writer = interviewer(), Writer(shipped())
    for number, case in enumerate([*worked("V*.yaml"), *random_cases(12, seed=62)]):
        check_certificate(writer, replay(asks, case), 12, number)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_left_out_could_not_change_the_advice_in_many_cases(seed: int) -> None:
    """Seen to fail with `_may_get_a_value` saying no of every calculated finding."""
    asks, writer = interviewer(), Writer(shipped())
    for number, case in enumerate([*worked(f"*{seed}.yaml"), *random_cases(10, seed=620 + seed)]):
        check_certificate(writer, replay(asks, case), 20, number)


def states_of(finding: Finding) -> list[State]:
    """Return everything that may be answered to a finding of a random knowledge base."""
    if finding.type == "any of":
        chosen = [word for word in finding.values if word not in finding.alone]
        sets = [frozenset(s) for n in range(1, len(chosen) + 1) for s in itertools.combinations(chosen, n)]
        return [*(frozenset({word}) for word in finding.alone), *sets, *(s | {OPEN} for s in sets), UNKNOWN]
    if finding.range is not None:
        return [*(float(n) for n in range(int(finding.range.low), int(finding.range.high) + 1)), UNKNOWN]
    return [*finding.values, UNKNOWN]


def every_completion(
    consultant: Consultant, answers: Mapping[str, State], most: int, random: Random
) -> Iterator[dict[str, State]]:
    """Yield every completion of `answers`; where there are more than `most`, so many of them at random."""
    findings = left_out(consultant, answers)
    choices = [states_of(finding) for finding in findings]
    count = 1
    for choice in choices:
        count *= len(choice)
    drawn = ([random.choice(choice) for choice in choices] for _ in range(most))
    for states in itertools.product(*choices) if count <= most else drawn:
        more = {finding.id: state for finding, state in zip(findings, states, strict=True)}
        yield completed(consultant, {**answers, **more})


def rivalry(knowledge: Knowledge) -> Knowledge | None:
    """Return `knowledge` with every conclusion but the outcome a cause; None where rules then go round in a circle."""
    kinds = {
        name: replace(c, kind="contributor" if c.kind == "state" else c.kind)
        for name, c in knowledge.conclusions.items()
    }
    other = replace(knowledge, conclusions=kinds)
    try:
        compile_program(other)
    except Unusable:
        return None
    return other


def other_levels(number: int) -> Manifest:
    """Return scales on which being settled, or unknown, weighs otherwise than in the shipped knowledge."""
    if number == 0:
        return MANIFEST
    if number == 1:  # a screened level that does not restrict the plan
        levels = (replace(level, plan="full") if level.id == "today" else level for level in MANIFEST.dispositions)
        return replace(MANIFEST, dispositions=tuple(levels))
    return replace(MANIFEST, otherwise=replace(MANIFEST.otherwise, unknown="today"))


def small(count: int, seed: int) -> Iterator[tuple[Consultant, list[dict[str, State]]]]:
    """Yield random knowledge bases with random cases; some with many causes that rival, some with other scales."""
    random = Random(seed)
    for number in range(count):
        knowledge = replace(random_knowledge(random), manifest=other_levels(number % 3))
        consultant = Consultant((number % 2 and rivalry(knowledge)) or knowledge)
        yield consultant, [random_states(random, consultant.knowledge) for _ in range(3)]


def continued(asks: Interviewer, known: Mapping[str, State], random: Random) -> Interview:
    """Return the interview that begins with some answers, those to come drawn at random."""
    answers, asked = dict(known), []
    while sheet := (step := asks.step(answers)).sheet:
        asked.append(sheet.findings)
        for name in sheet.findings:
            assert name not in answers
            answers[name] = random.choice(states_of(asks.knowledge.findings[name]))
    return Interview(answers, tuple(asked), step.stopped)


def check_every_completion(count: int, seed: int, most: int) -> None:
    """Check the stops of interviews that begin with nothing, and with the answers of a case file."""
    random = Random(seed)
    for number, (consultant, cases) in enumerate(small(count, seed)):
        asks = Interviewer(consultant)
        for given in cases:
            held = replay(asks, Case("case", answers=given))
            check(consultant, held, given)
            for stopped in (held, continued(asks, given, random)):
                expected = advised(consultant, stopped.answers, stopped.stopped)
                for answers in every_completion(consultant, stopped.answers, most, random):
                    assert advised(consultant, answers, stopped.stopped) == expected, (number, stopped, answers)


def test_on_small_knowledge_bases_every_completion_gives_the_same_advice() -> None:
    """Seen to fail with the weights of open rules bounded from below by their most."""
    check_every_completion(24, seed=63, most=60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_on_many_small_knowledge_bases_every_completion_gives_the_same_advice(seed: int) -> None:
    """Seen to fail with `sure` raised to the level that holds now."""
    check_every_completion(20, seed=630 + seed, most=60)


# The two readings that the certificate rests on


def test_the_outlook_is_true_of_every_completion() -> None:
    """Seen to fail with an `answered` that is still open read as false."""
    random, verdicts = Random(64), {True: 0, False: 0, None: 0}
    for consultant, cases in small(20, seed=64):
        for given in cases:
            memory = WorkingMemory(consultant.vocabulary, given)
            outlook = Outlook(consultant.screen.program, memory)
            for answers in every_completion(consultant, given, 60, random):
                after = established(outlook.program, WorkingMemory(consultant.vocabulary, answers))
                for verdict, fires in zip(outlook.clauses, after.clauses, strict=True):
                    assert verdict is None or verdict is bool(fires)
            for verdict in outlook.clauses:
                verdicts[verdict] += 1
    assert min(verdicts.values()) > 50


def test_the_outlook_says_at_least_what_is_foreseen() -> None:
    """What is unknown is narrower than what may hide behind it. Seen to fail with `_value` never saying True."""
    for consultant, cases in small(30, seed=65):
        for given in cases:
            memory = WorkingMemory(consultant.vocabulary, given)
            outlook, ahead = Outlook(consultant.program, memory), foreseen(consultant.program, memory)
            for mine, theirs in zip(outlook.clauses, ahead.clauses, strict=True):
                assert theirs is None or mine is theirs


def test_a_clause_that_is_open_has_findings_that_decide_it_and_no_other_has() -> None:
    """Seen to fail with `open_leaves` walking only what comes to be true, under a `not` too."""
    for consultant, cases in small(30, seed=66):
        for given in cases:
            memory = WorkingMemory(consultant.vocabulary, given)
            outlook = Outlook(consultant.program, memory)
            for number, verdict in enumerate(outlook.clauses):
                findings = set(outlook.open_findings(number))
                assert (verdict is None) == bool(findings)
                assert all(memory[finding] is Standing.UNASKED for finding in findings)


def test_what_does_not_decide_a_clause_does_not_change_it() -> None:
    """Answers to all but the deciding findings leave an open clause as it is. Seen to fail with the inputs of
    `applies` left out of `_open_inputs`."""
    random = Random(67)
    for consultant, cases in small(30, seed=67):
        findings = consultant.knowledge.findings
        for given in cases:
            outlook = Outlook(consultant.program, WorkingMemory(consultant.vocabulary, given))
            for number in (n for n, verdict in enumerate(outlook.clauses) if verdict is None):
                deciding = set(outlook.open_findings(number))
                fixed = {name: random.choice(states_of(findings[name])) for name in deciding}
                verdicts = set()
                for _ in range(6):
                    rest = {f.id: random.choice(states_of(f)) for f in left_out(consultant, given)}
                    answers = completed(consultant, {**given, **rest, **fixed})
                    memory = WorkingMemory(consultant.vocabulary, answers)
                    verdicts.add(bool(established(consultant.program, memory).clauses[number]))
                assert len(verdicts) == 1, (number, given, fixed)


def test_certainty_stays_within_its_bounds() -> None:
    """Seen to fail with evidence against counted at its most in the upper bound."""
    random, wide = Random(68), 0
    for consultant, cases in small(24, seed=68):
        ranking = Ranking(consultant.knowledge, consultant.program, consultant.screen.rank)
        for given in cases:
            view = _View(ranking, Outlook(consultant.program, WorkingMemory(consultant.vocabulary, given)))
            bounds = {name: view.bounds(name) for name in consultant.knowledge.conclusions}
            wide += sum(low < high for low, high in bounds.values())
            for answers in every_completion(consultant, given, 20, random):
                reasoning = consultant.consult(Case("case", answers=answers)).reasoning
                for name in reasoning.established & set(bounds):
                    low, high = bounds[name]
                    assert low - 1e-4 <= reasoning.certainty(name) <= high + 1e-4, (name, given, answers)
    assert wide > 50


# What is asked, and in what order


def walk(
    asks: Interviewer, given: Mapping[str, State], **options: bool
) -> Iterator[tuple[dict[str, State], tuple[str, ...], bool]]:
    """Yield each step of an interview: what was known, what is asked, and whether for safety."""
    known: dict[str, State] = {}
    while sheet := (step := asks.step(known, **options)).sheet:
        yield dict(known), sheet.findings, step.safety
        known.update((name, given.get(name, UNKNOWN)) for name in sheet.findings)


def test_nothing_is_asked_that_is_answered_or_does_not_apply_or_at_which_nothing_is_at_stake() -> None:
    """Seen to fail with all findings of a sheet asked at once."""
    asks = interviewer()
    for case in [*worked("V*.yaml")[::3], *random_cases(6, seed=69)]:
        for known, findings, _ in walk(asks, case.answers):
            memory = WorkingMemory(shipped().vocabulary, known)
            for name in findings:
                assert memory[name] is Standing.UNASKED
            assert any(asks.waiting(Sheet(findings), known).values())


def test_safety_comes_first_and_in_the_order_written() -> None:
    """Seen to fail with the sums compared before safety."""
    asks = interviewer()
    order = [name for together in shipped().knowledge.manifest.interview for name in together.findings]
    for case in [*worked("V*.yaml")[::3], *random_cases(10, seed=71)]:
        steps = list(walk(asks, case.answers))
        safety = [is_safety for _, _, is_safety in steps]
        assert safety == sorted(safety, reverse=True)
        first = [order.index(findings[0]) for _, findings, is_safety in steps[:4] if is_safety and findings[0] in order]
        assert first == sorted(first)


def test_only_what_safety_needs_can_be_asked_alone() -> None:
    """Seen to fail with `only_safety` not handed on."""
    asks = interviewer()
    for case in worked("V[13]*.yaml"):
        steps = list(walk(asks, case.answers, only_safety=True))
        answers = {name: case.answers.get(name, UNKNOWN) for _, findings, _ in steps for name in findings}
        assert len(steps) < len(list(walk(asks, case.answers)))
        full = completed(shipped(), case.answers)
        assert advised(shipped(), answers)[0] == advised(shipped(), full)[0]


TIE = """
from psoas.consultation import Consultant
from psoas.interview import Interviewer
from random_cases import made, rule, word, yes
findings = {name: word(name) for name in ("moon", "star", "sun", "rain", "snow")}
rules = [rule(name, yes(name), "c0") for name in findings]
print(Interviewer(Consultant(made(findings, ("c0", "c1", "end"), rules))).step({}).sheet.findings)
"""


def test_of_questions_that_tell_as_much_the_same_comes_first_in_every_process() -> None:
    """Seen to fail with the id left out of `_place`."""
    command = [sys.executable, "-c", TIE]
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment(PYTHONHASHSEED=seed))
        for seed in "123"
    ]
    assert {run.stdout for run in runs} == {"('moon',)\n"}


def test_the_weight_of_a_question_is_a_parameter() -> None:
    """Seen to fail with `share` written into `_order`."""
    orders = {
        tuple(replay(Interviewer(shipped(), weight), worked("V12.yaml")[0]).asked) for weight in (share, lambda n: 0.0)
    }
    assert len(orders) == 2


# Knowledge bases made for one thing each


def remedy(name: str, *treats: str, when: Condition | None = None, tier: str = "work") -> Remedy:
    return Remedy(id=name, name=name, treats=treats, when=when, tier=tier, occasion="daily", sources=("S",))


def interview(
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    given: Mapping[str, State],
    *,
    remedies: Sequence[Remedy] = (),
    calculated: Sequence[Calculated] = (),
    sheets: Sequence[Together] = (),
) -> Interview:
    """Return the interview of a knowledge base with two causes, c0 and c1; it is checked against every completion."""
    knowledge = made(
        {f.id: f for f in findings},
        ("c0", "c1", "end"),
        rules,
        remedies={r.id: r for r in remedies},
        calculated={c.id: c for c in calculated},
    )
    consultant = Consultant(replace(knowledge, manifest=replace(MANIFEST, interview=tuple(sheets))))
    held = replay(Interviewer(consultant), Case("case", answers=given))
    check(consultant, held, given)
    expected = advised(consultant, held.answers, held.stopped)
    for answers in every_completion(consultant, held.answers, 500, Random(1)):
        assert advised(consultant, answers, held.stopped) == expected
    return held


A, B, D, K = word("a"), word("b"), word("d"), word("k")


def test_an_emergency_ends_it_at_once() -> None:
    """Seen to fail with the stakes of an emergency worked out like others."""
    rules = [rule("r1", yes("a"), level="now"), rule("r2", yes("b"), level="now"), rule("r3", yes("d"), "c0")]
    held = interview([A, B, D], rules, {"a": "yes", "b": "yes"})
    assert (held.asked, held.stopped) == ((("a",),), "emergency")


def test_the_exception_of_an_emergency_is_asked_first() -> None:
    """Seen to fail with `_weigh_exceptions` entering nothing."""
    rules = [rule("r1", yes("a"), level="now", unless=[yes("k")]), rule("r2", yes("b"), "c0")]
    assert interview([A, B, K], rules, {"a": "yes", "k": "no"}).asked == (("a",), ("k",))
    held = interview([A, B, K], rules, {"a": "yes", "k": "yes", "b": "yes"})
    assert (held.asked, held.stopped) == ((("a",), ("k",), ("b",)), "settled")


def test_an_exception_that_cannot_be_known_any_more_is_not_asked_for() -> None:
    """Seen to fail with what keeps the rule open taken from `foreseen`."""
    rules = [rule("r1", yes("a"), level="now", unless=[all_of([yes("b"), yes("k")])])]
    held = interview([A, B, K], rules, {"a": "yes", "b": UNKNOWN})
    assert (held.asked, held.stopped) == ((("a",), ("b",)), "emergency")


def test_two_emergencies_with_one_sure_need_no_exception() -> None:
    """Seen to fail with `any` for `all` in `_weigh_exceptions`."""
    rules = [rule("r1", yes("a"), level="now", unless=[yes("k")]), rule("r2", yes("a"), level="now")]
    assert interview([A, K], rules, {"a": "yes"}).asked == (("a",),)


def test_a_remedy_sees_the_level_that_no_rule_gives() -> None:
    """With a screened rule open through an unknown answer the level is `soon`. Seen to fail with `assumed` left out."""
    rules = [rule("r1", yes("a"), level="today"), rule("r2", yes("k"), "c0")]
    swim = remedy("swim", when=all_of([Holds("soon"), yes("b")]), tier="safety")
    held = interview([A, B, K], rules, {"a": UNKNOWN, "b": "yes", "k": "no"}, remedies=[swim])
    assert ("b",) in held.asked
    assert ("b",) not in interview([A, B, K], rules, {"a": "no"}, remedies=[swim]).asked
    calm = remedy("swim", when=all_of([Holds("calm"), yes("b")]), tier="safety")
    assert ("b",) not in interview([A, B, K], rules, {"a": UNKNOWN}, remedies=[calm]).asked
    assert ("b",) in interview([A, B, K], rules, {"a": "no", "b": "yes"}, remedies=[calm]).asked


def test_where_the_plan_is_restricted_nothing_is_asked_for_what_is_not_given() -> None:
    """Seen to fail with `restricted` never true."""
    rules = [rule("r1", yes("a"), level="today")]
    remedies = [remedy("swim", when=yes("b")), remedy("rest", when=yes("k"), tier="safety")]
    for answer in ("yes", UNKNOWN):
        assert interview([A, B, K], rules, {"a": answer}, remedies=remedies).asked == (("a",), ("k",))
    assert interview([A, B, K], rules, {"a": "no"}, remedies=remedies).asked == (("a",), ("b",), ("k",))


def test_what_an_unknown_answer_leaves_open_for_good_is_not_asked_about_where_a_rule_gives_the_level() -> None:
    """r1 waits for b too, but cannot fire, and the plan is restricted by r2. Seen to fail with what keeps a screened
    rule open asked in any case."""
    rules = [rule("r1", all_of([yes("a"), yes("b")]), level="today"), rule("r2", yes("k"), level="today")]
    sheets = [Together(asks="?", findings=("a", "k"))]
    assert interview([A, B, K], rules, {"a": UNKNOWN, "k": "yes"}, sheets=sheets).asked == (("a", "k"),)
    # without r2 it decides between "not asked" and "unknown"
    assert interview([A, B, K], rules, {"a": UNKNOWN, "k": "no"}, sheets=sheets).asked == (("a", "k"), ("b",))


def test_a_set_that_is_known_in_part_is_not_asked_for_again() -> None:
    """Seen to fail with a set that is open in part read as not asked."""
    rules = [
        rule("r1", all_of([Leaf("g", "includes", frozenset({"one"})), yes("h")]), "c1"),
        rule("r2", all_of([Leaf("g", "includes", frozenset({"two"})), yes("k")]), "c0"),
    ]
    held = interview([words("g", "one", "two"), word("h"), K], rules, {"g": frozenset({"one", OPEN}), "h": "yes"})
    assert held.asked == (("g",), ("h",))
    assert held.stopped == "exhausted"


def test_a_number_that_cannot_be_worked_out_any_more_needs_no_more_answers() -> None:
    """Seen to fail with `_may_get_a_value` always true."""
    gap = Calculated(id="gap", name="gap", formula=parse_formula("m - n"), says="a gap of {}")
    rules = [rule("r1", Leaf("gap", "at least", numbers=(2.0,)), "c0")]
    assert interview([figure("m"), figure("n")], rules, {"m": UNKNOWN}, calculated=[gap]).asked == (("m",),)
    assert interview([figure("m"), figure("n")], rules, {"m": 5.0}, calculated=[gap]).asked == (("m",), ("n",))


def chained() -> list[Finding]:
    """Return a question that hangs on a second, and that on a third; by their ids they would come the other way."""
    return [word("d"), word("b", applies=yes("d")), word("a", applies=yes("b"))]


def test_questions_that_hang_on_each_other_are_asked_in_turn() -> None:
    """Also from one sheet. Seen to fail with `_askable` returning all."""
    rules = [rule("r1", yes("a"), "c0")]
    for sheets in ([], [Together(asks="?", findings=("a", "b", "d"))]):
        every = interview(chained(), rules, dict.fromkeys("abd", "yes"), sheets=sheets)
        assert every.asked == (("d",), ("b",), ("a",))
        assert interview(chained(), rules, {"d": "yes", "b": "no"}, sheets=sheets).asked == (("d",), ("b",))
        assert interview(chained(), rules, {"d": "no"}, sheets=sheets).asked == (("d",),)
        # whether b makes sense stays open, so it is asked
        assert interview(chained(), rules, {"d": UNKNOWN, "b": "no"}, sheets=sheets).asked == (("d",), ("b",))


def first_asked(findings: Sequence[Finding], rules: Sequence[Rule], answers: Mapping[str, State]) -> tuple[str, ...]:
    """Return the next sheet after these answers, which may come from a case file and in any order."""
    knowledge = made({f.id: f for f in findings}, ("c0", "c1", "end"), rules)
    sheet = Interviewer(Consultant(knowledge)).step(answers).sheet
    return sheet.findings if sheet else ()


def test_a_question_waits_also_behind_one_that_is_unknown() -> None:
    """With b unknown, d decides whether a makes sense. Seen to fail with `_deciders` not looking further than one."""
    assert first_asked(chained(), [rule("r1", Not(yes("a")), "c0")], {"b": UNKNOWN}) == ("d",)


def test_what_does_not_apply_makes_a_not_true() -> None:
    """Also what is unknown may turn out not to apply. Seen to fail with `_may_not_apply` saying no."""
    findings, rules = [A, word("b", applies=yes("a"))], [rule("r1", Not(yes("b")), "c0")]
    assert interview(findings, rules, {"a": "no"}).asked == (("a",),)
    assert interview(findings, rules, {"a": "yes", "b": UNKNOWN}).asked == (("a",), ("b",))
    assert first_asked(findings, rules, {"b": UNKNOWN}) == ("a",)


def test_a_tie_in_certainty_goes_by_id() -> None:
    """c0 has what it can get, c1 can only draw level. Seen to fail with the id left out of `_View.key`."""
    rules = [rule("r1", yes("a"), "c0"), rule("r2", yes("b"), "c1")]
    sheets = [Together(asks="?", findings=("a",))]
    assert interview([A, B], rules, {"a": "yes"}, sheets=sheets).asked == (("a",),)
    other = [rule("r1", yes("a"), "c1"), rule("r2", yes("b"), "c0")]
    assert interview([A, B], other, {"a": "yes", "b": "yes"}, sheets=sheets).asked == (("a",), ("b",))


def test_evidence_against_the_first_cause_is_asked_for_only_if_it_can_change_the_lead() -> None:
    """Seen to fail with the evidence against a cause left out of `Ranking._about`."""
    against = replace(rule("r3", yes("d"), "c0"), kind="against", strength="strong")
    both = [rule("r1", yes("a"), "c0"), rule("r2", yes("b"), "c1"), against]
    sheets = [Together(asks="?", findings=("a", "b"))]
    assert interview([A, B, D], both, {"a": "yes", "b": "yes", "d": "yes"}, sheets=sheets).asked == (("a", "b"), ("d",))
    assert interview([A, B, D], both, {"a": "yes", "b": "no", "d": "yes"}, sheets=sheets).asked == (("a", "b"),)


def test_what_cannot_decide_is_not_asked() -> None:
    """Under an `any`, beside an unknown answer, `b` alone cannot make its part true. Seen to fail with `open_leaves`
    going into every open part."""
    rules = [rule("r1", any_of([all_of([yes("a"), yes("b")]), yes("k")]), "c0")]
    assert interview([A, B, K], rules, {"a": UNKNOWN, "k": "no"}).asked == (("a",), ("k",))


def test_it_is_exhausted_where_unknown_answers_would_matter_and_else_settled() -> None:
    """Seen to fail with an unknown answer always reported as exhausting."""
    rules = [rule("r1", all_of([yes("a"), yes("b")]), "c0")]
    sheets = [Together(asks="?", findings=("a", "b"))]
    assert interview([A, B], rules, {"a": UNKNOWN, "b": "yes"}, sheets=sheets).stopped == "exhausted"
    assert interview([A, B], rules, {"a": UNKNOWN, "b": "no"}, sheets=sheets).stopped == "settled"
    assert interview([A, B], rules, {"a": "yes", "b": "yes"}, sheets=sheets).stopped == "settled"


def test_a_value_for_a_question_that_does_not_concern_the_case_counts() -> None:
    """Nobody would ask for it, but what is written counts (semantics, 6.2). Seen to fail with `replay` beginning with
    nothing."""
    findings = [A, word("b", applies=yes("a"))]
    rules = [rule("r1", yes("b"), "c0"), rule("r2", yes("a"), "c1")]
    held = interview(findings, rules, {"a": "no", "b": "yes"})
    assert held.answers["b"] == "yes"
    assert ("b",) not in held.asked


# At the command line


def test_replay_says_what_was_asked_and_why_it_stopped() -> None:
    """Seen to fail without `asked` in the record."""
    command = [sys.executable, "-m", "psoas_cli", "consult", "--replay", str(CASES / "V12.yaml"), "--format", "json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    record = json.loads(run.stdout)
    held = replay(interviewer(), read_case(shipped().knowledge, CASES / "V12.yaml"))
    assert record["stopped"] == held.stopped
    assert [tuple(entry) if isinstance(entry, list) else (entry,) for entry in record["asked"]] == list(held.asked)
    assert record["disposition"]["level"] == "self_care"
