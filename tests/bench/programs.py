"""Made-up programs of any size, and made-up cases for them; and the shipped knowledge base with its worked cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from psoas.case import make_case, read_case
from psoas.consultation import Consultant
from psoas.knowledge.conditions import All, AtLeast, Condition, Holds, Not, Test
from psoas.knowledge.load import load
from psoas.knowledge.model import Alternatives, Finding, Knowledge, Rule, Span
from psoas.knowledge.program import Clause, Origin, Program, compile_program
from psoas.memory import Standing, State, Vocabulary, WorkingMemory
from random_cases import LEVELS, Writer, made

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "kb" / "cases"
LAYERS = 6
WORDS = ("never", "rarely", "often", "always")


@dataclass(frozen=True)
class Subject:
    """A program, and cases to fire it on."""

    name: str
    rules: int
    program: Program
    memories: tuple[WorkingMemory, ...]


def shipped(cases: int | None = None) -> tuple[Knowledge, Subject]:
    """Return the shipped knowledge base, and it as a program with (up to) `cases` of its worked cases."""
    knowledge = load()
    vocabulary = Vocabulary(knowledge)
    files = sorted(CASES.glob("*.yaml"))
    if cases is not None:
        files = files[:: max(1, len(files) // cases)][:cases]
    memories = tuple(WorkingMemory(vocabulary, read_case(knowledge, file).answers) for file in files)
    program = compile_program(knowledge)
    return knowledge, Subject("shipped knowledge base", len(program.clauses), program, memories)


def random_memories(consultant: Consultant, count: int) -> list[WorkingMemory]:
    """Return so many random cases, with unknowns, sets open in part and refused answers; half near a triage rule."""
    writer = Writer(consultant)
    written = [*writer.cases(count - count // 2, seed=1), *writer.near(count // 2, seed=2)]
    knowledge, vocabulary = consultant.knowledge, consultant.vocabulary
    return [WorkingMemory(vocabulary, make_case(knowledge, answers).answers) for answers in written]


def synthetic(rules: int, cases: int, *, negation: bool = True, seed: int = 1) -> Subject:
    """Return a program of so many rules in `LAYERS` layers, with its cases.

    Facts grow with rules: one finding to four rules, of which four in five are answered. What a rule looks at does
    not: two or three premises, from the findings and the layers below. Of ten rules, two have alternatives, one
    counts, one has a `not`, and one an `unless` (none with `negation=False`).
    """
    random = Random(seed * 10_000 + rules)
    findings = [f"finding_{n}" for n in range(max(8, rules // 4))]
    items = {name: _finding(name, number % 2 == 0) for number, name in enumerate(findings)}
    width = rules * 3 // 5 // LAYERS
    symbols = [[f"symbol_{layer}_{n}" for n in range(width)] for layer in range(LAYERS)]
    clauses = [
        _clause(number, number * LAYERS // rules, findings, symbols, random, negation) for number in range(rules)
    ]
    vocabulary = Vocabulary(cast(Knowledge, SimpleNamespace(vocabulary=items)))
    memories = tuple(WorkingMemory(vocabulary, _answers(findings, random)) for _ in range(cases))
    return Subject(f"{rules} rules", rules, Program(clauses), memories)


def knowledge_of(subject: Subject) -> tuple[Knowledge, Subject]:
    """Return a made-up program as a knowledge base, with one rule in fifty a triage rule; and that as a program.

    For what reads a knowledge base and not clauses alone.
    """
    findings = cast(dict[str, Finding], dict(subject.memories[0].vocabulary.items))
    clauses = subject.program.clauses
    names = {symbol for clause in clauses for symbol in (*clause.heads, *clause.symbols())}
    rules = [
        Rule(
            id=clause.id,
            when=clause.when,
            unless=Alternatives((clause.unless,)) if clause.unless is not None else None,
            then=clause.heads,
            level=LEVELS[1 + number // 50 % (len(LEVELS) - 1)] if number % 50 == 0 else "",
            strength="weak",
            because="so",
            sources=("S",),
        )
        for number, clause in enumerate(clauses)
    ]
    knowledge = made(findings, sorted(names), rules)
    vocabulary = Vocabulary(knowledge)
    memories = tuple(WorkingMemory(vocabulary, memory.answers) for memory in subject.memories)
    return knowledge, Subject(subject.name, len(rules), compile_program(knowledge), memories)


def _finding(name: str, is_number: bool) -> Finding:
    if is_number:
        return Finding(id=name, name=name, question=name, type="number", range=Span(0, 100), says=f"{name} {{}}")
    return Finding(id=name, name=name, question=name, type="one of", values={word: f"{name} {word}" for word in WORDS})


def _clause(
    number: int, layer: int, findings: list[str], symbols: list[list[str]], random: Random, negation: bool
) -> Clause:
    below = symbols[layer - 1] if layer else []

    def premise() -> Condition:
        return Holds(random.choice(below)) if below and random.random() < 0.6 else _test(findings, random)

    parts = tuple(premise() for _ in range(random.choice((2, 2, 3))))
    shape = number % 10
    when: Condition = All(parts)
    if shape in (0, 5):
        when = All((*parts[:-1], AtLeast(1, (parts[-1], premise(), premise()))))
    elif shape == 1:
        when = AtLeast(2, (*parts, premise()))
    elif shape == 2:
        when = All((*parts, Not(_test(findings, random))))
    unless = Holds(random.choice(below)) if negation and below and shape == 3 else None
    head = random.choice(symbols[layer])
    return Clause(f"rule_{number:05}", (head,), when, unless, cast(Origin, None), layer)


def _test(findings: list[str], random: Random) -> Test:
    finding = random.choice(findings)
    if findings.index(finding) % 2 == 0:
        return _above(finding, random)
    return Test(finding, "is", frozenset(random.sample(WORDS, 2)))


def _above(finding: str, random: Random) -> Test:
    bound = float(random.randrange(20, 70, 5))
    return Test(finding, random.choice(("at least", "less than")), numbers=(bound,))


def _answers(findings: list[str], random: Random) -> dict[str, State]:
    answers: dict[str, State] = {}
    for number, finding in enumerate(findings):
        if random.random() < 0.8:
            answers[finding] = float(random.randrange(0, 101)) if number % 2 == 0 else random.choice(WORDS)
        elif random.random() < 0.5:
            answers[finding] = Standing.UNKNOWN
    return answers


def each(memories: tuple[WorkingMemory, ...], work: Callable[[WorkingMemory], Any]) -> Callable[[], None]:
    """Return a task: `work` on each of `memories`, none of which keeps what an earlier round worked out."""

    def task() -> None:
        for memory in memories:
            work(WorkingMemory(memory.vocabulary, memory.answers))

    return task
