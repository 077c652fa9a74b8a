"""Random cases and random knowledge bases, and the smallest one that breaks a property.

Cases are made from the vocabulary alone (types, values, ranges, and the thresholds that rules use, one less and one
more), never from what the knowledge base says today. A case is `Written`: finding → what somebody typed. It goes
through `make_case` as a case file would, so refusals and contradictions are part of it. All chance comes from a
`random.Random` with a fixed seed: every run draws the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, TypeVar

from psoas.case import make_case
from psoas.consultation import Consultant
from psoas.faults import Unusable
from psoas.knowledge.check import check
from psoas.knowledge.conditions import OPEN, All, AtLeast, Condition, Holds, Not, Test, leaves
from psoas.knowledge.formulas import parse_formula
from psoas.knowledge.load import load
from psoas.knowledge.model import (
    Alternatives,
    Answerable,
    Calculated,
    Conclusion,
    Disposition,
    Finding,
    Kind,
    Knowledge,
    Manifest,
    Named,
    Otherwise,
    Remedy,
    Rule,
    Source,
    Span,
    Withholding,
)
from psoas.memory import Standing, State, Vocabulary, WorkingMemory

Written = dict[str, "str | list[str]"]
T = TypeVar("T")

NONSENSE = "purple"
"""A word that answers no question."""


@cache
def shipped() -> Consultant:
    """Return the shipped knowledge base, ready to be consulted; one for all tests of a process."""
    return Consultant(load())


def memory_of(consultant: Consultant, written: Written) -> WorkingMemory:
    """Return the working memory of a case as written."""
    return WorkingMemory(consultant.vocabulary, make_case(consultant.knowledge, written).answers)


# The smallest that fails


def smallest(parts: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return as few of `parts` as still fail: large pieces are left out first, then single ones."""
    kept, size = list(parts), max(1, len(parts) // 2)
    while True:
        for start in range(len(kept) - 1, -1, -1) if size == 1 else range(0, len(kept), size):
            fewer = kept[:start] + kept[start + size :]
            if fails(fewer):
                kept = fewer
                break
        else:
            if size == 1:
                return kept
            size //= 2


def check_cases(cases: Iterator[Written], holds: Callable[[Written], None]) -> None:
    """Check that `holds` raises no AssertionError on any case; report the smallest case on which it does."""
    for number, case in enumerate(cases):
        try:
            holds(case)
        except AssertionError:
            small = dict(smallest(list(case.items()), lambda parts: _fails(holds, dict(parts))))
            try:
                holds(small)
            except AssertionError as error:
                raise AssertionError(f"case {number}, reduced to {small}:\n{error}") from error
            raise


def _fails(holds: Callable[[T], None], subject: T) -> bool:
    try:
        holds(subject)
    except AssertionError:
        return True
    except Unusable:
        return False
    return False


# Cases of any knowledge base


@dataclass(frozen=True)
class Mood:
    """How a case is filled in: the shares of answers that are missing, unknown, refused, partly open, and quiet."""

    skipped: float = 0.0
    unknown: float = 0.0
    refused: float = 0.0
    partly: float = 0.0
    quiet: float = 0.0  # of the valid ones: no triage rule fires on them alone


CALM = Mood(quiet=0.98)
MOODS = (
    Mood(skipped=0.3, unknown=0.1, refused=0.03, partly=0.1),
    Mood(skipped=0.85, unknown=0.02, refused=0.01, partly=0.05, quiet=0.5),
    Mood(skipped=0.02, unknown=0.02, refused=0.01, partly=0.02, quiet=0.96),
    Mood(skipped=0.01, unknown=0.05, partly=0.02, quiet=0.98),
    Mood(skipped=0.3, unknown=0.05, refused=0.02, partly=0.1, quiet=0.95),
    Mood(quiet=0.9),
    CALM,
    CALM,
)
"""From chaos to a calm case with one or two things in it: each finds other faults."""


class Writer:
    """Writes random cases of one knowledge base."""

    def __init__(self, consultant: Consultant) -> None:
        self.consultant = consultant
        self.knowledge = consultant.knowledge
        self.thresholds = thresholds(self.knowledge, [c.when for c in consultant.program.clauses], consultant)
        self.screening = tuple(f for f in consultant.screen.program.by_finding if f in self.knowledge.findings)
        self.screening += tuple(_deciding(self.knowledge, self.screening))
        self._quiet: dict[str, list[str | list[str]]] = {}

    def cases(
        self, count: int, seed: int, *, red_flags: bool = False, moods: Sequence[Mood] = MOODS
    ) -> Iterator[Written]:
        """Yield random cases; with `red_flags`, mostly of findings that the triage rules use."""
        random = Random(seed)
        for _ in range(count):
            yield self.case(random, random.choice(moods), red_flags=red_flags)

    def case(self, random: Random, mood: Mood, *, red_flags: bool = False) -> Written:
        """Return one case in that mood, its answers in random order."""
        asked = list(self.knowledge.findings)
        if red_flags:
            others = [f for f in asked if f not in self.screening and random.random() < 0.2]
            asked = [*dict.fromkeys(self.screening), *others]
        random.shuffle(asked)
        return {name: self.answer(random, name, mood) for name in asked if random.random() >= mood.skipped}

    def near(self, count: int, seed: int) -> Iterator[Written]:
        """Yield cases close to firing some triage rule: calm ones in which most of what one rule tests is as it says."""
        random = Random(seed)
        program = self.consultant.screen.program
        levels = [d.id for d in self.consultant.screen.levels]
        triage = sorted({number for level in levels for number in program.by_head.get(level, ())})
        for _ in range(count):
            clause = program.clauses[random.choice(triage)]
            tests = [t for c in (clause, *program.behind(clause.symbols()).clauses) for t in c.tests()]
            case = self.case(random, random.choice(MOODS[2:]), red_flags=True)
            share = random.choice([0.5, 0.8, 1.0])
            for test in random.sample(tests, len(tests)):
                for name in self._asked_for(test.finding):
                    if random.random() < share:
                        case[name] = self._meeting(random, test, name)
            yield case

    def _asked_for(self, finding: str) -> tuple[str, ...]:
        item = self.knowledge.vocabulary[finding]
        return item.formula.inputs if isinstance(item, Calculated) else (finding,)

    def _meeting(self, random: Random, test: Test, name: str) -> str | list[str]:
        finding = self.knowledge.findings[name]
        if test.operator == "includes":
            return [random.choice(sorted(test.words))]
        if test.words:
            return random.choice(sorted(test.words))
        if test.numbers and test.finding == name:
            around = [n + d for n in test.numbers for d in (-1.0, 0.0, 1.0)]
            return f"{random.choice([n for n in around if finding.range and n in finding.range]):g}"
        return self.valid(random, finding)

    def answer(self, random: Random, name: str, mood: Mood) -> str | list[str]:
        """Return something somebody may answer to a question, right or wrong."""
        finding, chance = self.knowledge.findings[name], random.random()
        if chance < mood.unknown:
            return OPEN
        if chance < mood.unknown + mood.refused:
            return refused(random, finding)
        if finding.type == "any of" and random.random() < mood.partly:
            return [*(w for w in chosen(random, finding) if w not in finding.alone), OPEN]
        if random.random() < mood.quiet:
            return random.choice(self.quiet(name) or [OPEN])
        return self.valid(random, finding)

    def valid(self, random: Random, finding: Finding) -> str | list[str]:
        """Return a valid answer."""
        if finding.type == "any of":
            return chosen(random, finding)
        if finding.type == "number":
            return f"{random.choice(self.numbers(finding)):g}"
        if finding.type == "list of numbers":
            return self._series(random, finding)
        return random.choice(list(finding.values))

    def numbers(self, finding: Finding) -> list[float]:
        """Return the telling numbers of a finding: its ends, and what lies at and beside every threshold."""
        assert finding.range is not None
        around = {n + d for n in self.thresholds.get(finding.id, ()) for d in (-1.0, 0.0, 1.0)}
        return sorted(n for n in {finding.range.low, finding.range.high, *around} if n in finding.range)

    def quiet(self, name: str) -> list[str | list[str]]:
        """Return the answers on which, given alone, no triage rule fires."""
        if name not in self._quiet:
            finding = self.knowledge.findings[name]
            if finding.type == "any of":
                every: list[str | list[str]] = [[word] for word in finding.values]
            elif finding.type == "list of numbers":
                every = [self._series(Random(seed), finding) for seed in range(5)]
            elif finding.type == "number":
                every = [f"{n:g}" for n in self.numbers(finding)]
            else:
                every = list(finding.values)
            judge = self.consultant.screen.judge
            quiet = [a for a in every if not judge(memory_of(self.consultant, {name: a})).fired]
            nothing = [[word] for word in finding.alone if [word] in quiet]
            self._quiet[name] = nothing or quiet
        return self._quiet[name]

    def _series(self, random: Random, finding: Finding) -> list[str]:
        assert finding.range is not None
        assert finding.length is not None
        size = random.randint(int(finding.length.low), int(finding.length.high))
        base = random.choice([finding.range.low, 10, 20, 30])
        return [f"{base + random.choice([0, 0, 1, 2, 4, 10]):g}" for _ in range(size)]


def chosen(random: Random, finding: Finding) -> list[str]:
    """Return a valid choice from an any-of finding."""
    if finding.alone and random.random() < 0.3:
        return [random.choice(finding.alone)]
    words = [word for word in finding.values if word not in finding.alone]
    return random.sample(words, min(len(words), random.choice([1, 1, 1, 2, 2, 3])))


def refused(random: Random, finding: Finding) -> str | list[str]:
    """Return an answer that must be refused."""
    if finding.range is not None:
        beyond = [f"{finding.range.low - 1:g}", f"{finding.range.high + 1:g}", "1e9", "many", "nan"]
        return random.choice(beyond) if finding.length is None else [random.choice(beyond)] * 3
    if finding.alone and random.random() < 0.5:
        return [*finding.alone, next(word for word in finding.values if word not in finding.alone)]
    return [NONSENSE] if finding.type == "any of" else NONSENSE


def thresholds(
    knowledge: Knowledge, conditions: Sequence[Condition], consultant: Consultant | None = None
) -> Mapping[str, set[float]]:
    """Return finding → the numbers with which it is compared anywhere."""
    found: dict[str, set[float]] = {}
    more = [c.unless for c in consultant.program.clauses if c.unless] if consultant else []
    more += [f.applies for f in knowledge.findings.values() if f.applies is not None]
    more += [c.when for c in knowledge.contradictions.values()]
    for condition in (*conditions, *more):
        for leaf in leaves(condition):
            if isinstance(leaf, Test) and leaf.numbers:
                found.setdefault(leaf.finding, set()).update(leaf.numbers)
    return found


def _deciding(knowledge: Knowledge, findings: Sequence[str]) -> Iterator[str]:
    """Yield the findings that decide whether `findings` apply, and those from which calculated ones come."""
    for finding in findings:
        for leaf in leaves(knowledge.findings[finding].applies):
            if isinstance(leaf, Test):
                yield leaf.finding


# States, changes and completions: cases as the working memory has them


def random_state(random: Random, finding: Finding) -> State:
    """Return an answer a case can hold: a value, a partly open set, or unknown."""
    if random.random() < 0.12:
        return Standing.UNKNOWN
    if finding.type == "any of":
        words = frozenset(chosen(random, finding))
        return words - set(finding.alone) | {OPEN} if random.random() < 0.2 else words
    if finding.range is not None:
        low, high = int(finding.range.low), int(finding.range.high)
        if finding.length is not None:
            return tuple(float(random.randint(low, high)) for _ in range(int(finding.length.low)))
        return float(random.randint(low, high))
    return random.choice(list(finding.values))


def random_states(random: Random, knowledge: Knowledge, asked: float | None = None) -> dict[str, State]:
    """Return the answers of a random case; `asked` is the share of questions put."""
    share = random.choice([0.2, 0.5, 0.8, 1.0]) if asked is None else asked
    return {f.id: random_state(random, f) for f in knowledge.findings.values() if random.random() < share}


def completed(
    random: Random, memory: WorkingMemory, draw: Callable[[Finding], State], *, revive: frozenset[str] = frozenset()
) -> WorkingMemory:
    """Return a case that `memory` may still become.

    What was not asked is answered by `draw`, by "unknown", or left open; what does not apply stays so. A set that is
    open in part stays or gets more words. An unknown stays unknown, but for the findings in `revive`.
    """
    answers = dict(memory.answers)
    for name, item in memory.vocabulary.items.items():
        if not isinstance(item, Finding) or memory[name] is Standing.INAPPLICABLE:
            continue
        state = answers.get(name, Standing.UNASKED)
        if state is Standing.UNASKED or (state is Standing.UNKNOWN and name in revive):
            if random.random() < 0.8:
                answers[name] = draw(item)
        elif isinstance(state, frozenset) and OPEN in state and name in revive and random.random() < 0.8:
            more = draw(item)
            more = more - set(item.alone) if isinstance(more, frozenset) else frozenset[str]()
            if state - {OPEN} | more:
                answers[name] = state - {OPEN} | more
    return WorkingMemory(memory.vocabulary, answers)


# Random knowledge bases

LEVELS = ("calm", "soon", "today", "now")
COLOURS = ("red", "green", "blue")


def random_knowledge(random: Random) -> Knowledge:
    """Return a small knowledge base with negation: conclusions in layers, each rule looking only at lower ones."""
    findings = _findings(random)
    calculated = {
        "gap": Calculated(id="gap", name="gap", formula=parse_formula("m - n"), says="a gap of {}"),
        "growth": Calculated(id="growth", name="growth", formula=parse_formula("rise(m, n)"), says="a rise of {}"),
    }
    asked: dict[str, Answerable] = {**findings, **calculated}
    names = [f"c{number}" for number in range(random.randint(4, 9))]
    rules = [_rule(random, number, names, asked) for number in range(random.randint(5, 14))]
    remedies = {
        name: Remedy(
            id=name,
            name=name,
            treats=tuple(random.sample(names, random.randint(0, 2))),
            when=random_condition(random, asked, [*names, *LEVELS[1:]], 2),
            tier=random.choice(["safety", "work"]),
            occasion="daily",
            sources=("S",),
        )
        for name in ("walk", "swim", "rest")
    }
    withholdings = {
        name: Withholding(
            id=name,
            when=random_condition(random, asked, [*names, *LEVELS[1:], *remedies], 2),
            withholds=tuple(random.sample(sorted(remedies), random.randint(1, 2))),
            because="so",
            sources=("S",),
        )
        for name in ("no-1", "no-2")
    }
    return made(findings, names, rules, calculated=calculated, remedies=remedies, withholdings=withholdings)


def made(
    findings: Mapping[str, Finding], names: Sequence[str], rules: Sequence[Rule], **more: Mapping[str, Any]
) -> Knowledge:
    """Return a checked knowledge base of these findings, conclusions and rules."""
    kinds = {name: "contributor" if number < 2 else "state" for number, name in enumerate(names)}
    kinds[names[-1]] = "outcome"
    knowledge = Knowledge(
        manifest=MANIFEST,
        findings=dict(sorted(findings.items())),
        conclusions={name: Conclusion(id=name, name=name, kind=kinds[name]) for name in sorted(names)},
        rules={rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)},
        sources={"S": Source(id="S", kind="book")},
        omissions=(),
        reviews=(),
        **{
            part: dict(sorted(more.get(part, {}).items()))
            for part in ("calculated", "contradictions", "remedies", "withholdings", "disagreements")
        },
    )
    check(knowledge, ())
    return knowledge


MANIFEST = Manifest(
    title="Anything",
    version="0",
    dispositions=(
        Disposition(id="calm", name="Calm", says=("Calm.",), review_days=14),
        Disposition(id="soon", name="Soon", says=("Soon.",), review_days=7),
        Disposition(id="today", name="Today", says=("Today.",), plan="restricted", screened=True, review_days=1),
        Disposition(id="now", name="Now", says=("Now.",), plan="restricted", screened=True, alone=True, review_days=0),
        Disposition(id="unclear", name="Unclear", says=("Unclear.",), plan="restricted", review_days=1),
    ),
    otherwise=Otherwise(settled="calm", unknown="soon", unasked="unclear"),
    strengths={"weak": "0.25", "strong": "0.65"},
    certainty={"likely": "0.6", "weak hint": "0"},
    evidence=("high", "low"),
    kinds=(Kind(id="contributor", heading="Causes"), Kind(id="state"), Kind(id="outcome", outcome=True)),
    tiers=(Named(id="safety", name="safety", restricted=True), Named(id="work", name="work")),
    occasions=(Named(id="daily", name="Every day", cap=2),),
    topics=("",),
)


def word(name: str, *values: str, applies: Condition | None = None) -> Finding:
    """Return a finding with one value of several: yes-no where none are given."""
    said = {value: f"{name} {value}" for value in values or ("yes", "no")}
    kind = "one of" if values else "yes-no"
    return Finding(id=name, name=name, question=f"{name}?", type=kind, values=said, applies=applies)  # type: ignore[arg-type]


def words(name: str, *values: str, applies: Condition | None = None) -> Finding:
    """Return a finding with any of several values; `none` stands alone."""
    said = {value: f"{name} {value}" for value in ("none", *values)}
    return Finding(
        id=name, name=name, question=f"{name}?", type="any of", values=said, alone=("none",), applies=applies
    )


def figure(name: str, low: float = 0, high: float = 6, applies: Condition | None = None) -> Finding:
    """Return a finding that is a number."""
    return Finding(
        id=name,
        name=name,
        question=f"{name}?",
        type="number",
        range=Span(low, high),
        says=f"{name} {{}}",
        applies=applies,
    )


def yes(name: str) -> Test:
    """Return the test that `name` is yes."""
    return Test(name, "is", frozenset({"yes"}))


def answered(name: str) -> Test:
    """Return the test that `name` is answered."""
    return Test(name, "answered")


def rule(
    name: str, when: Condition, then: str = "", *, level: str = "", unless: Sequence[Condition] = (), **more: Any
) -> Rule:
    """Return a rule."""
    return Rule(
        id=name,
        when=when,
        unless=Alternatives(unless) if unless else None,
        then=(then,) if then else (),
        level=level,
        strength="weak",
        because="so",
        sources=("S",),
        **more,
    )


def _findings(random: Random) -> dict[str, Finding]:
    plain: list[Callable[..., Finding]] = [
        lambda applies: word("a", applies=applies),
        lambda applies: word("b", applies=applies),
        lambda applies: word("e", *COLOURS, applies=applies),
        lambda applies: words("g", "one", "two", "three", applies=applies),
        lambda applies: figure("m", applies=applies),
        lambda applies: figure("n", applies=applies),
        lambda applies: word("d", applies=applies),
        lambda applies: words("h", "one", "two", applies=applies),
        lambda applies: word("k", applies=applies),
    ]
    findings: dict[str, Finding] = {}
    for build in plain:
        depends = bool(findings) and random.random() < 0.35
        finding = build(random_condition(random, findings, (), 1) if depends else None)
        findings[finding.id] = finding
    return findings


def _rule(random: Random, number: int, names: Sequence[str], asked: Mapping[str, Answerable]) -> Rule:
    place = random.randrange(len(names))
    lower = list(names[:place])
    level = random.choice(LEVELS[1:]) if random.random() < 0.3 else ""
    classes = ["any contributor"] if place > 1 else []
    unless = [
        random_condition(random, asked, [*lower, *lower, *classes], random.randint(0, 2))
        for _ in range(random.choice([0, 0, 1, 1, 2]))
    ]
    heads = {names[place], random.choice(names[place:])} if random.random() < 0.3 else {names[place]}
    return Rule(
        id=f"r{number}",
        when=All(()) if random.random() < 0.05 else random_condition(random, asked, [*lower, *lower, *classes], 2),
        unless=Alternatives(unless) if unless else None,
        then=tuple(sorted(heads)),
        level=level,
        kind=random.choice(["sign", "mechanism"]) if level or random.random() < 0.9 else "against",
        strength=random.choice(["weak", "strong"]),
        because="so",
        sources=("S",),
    )


def random_condition(random: Random, asked: Mapping[str, Answerable], symbols: Sequence[str], depth: int) -> Condition:
    """Return a condition on these findings and symbols, nested at most `depth` deep; `Not` takes findings only."""
    shape = random.random()
    if depth == 0 or shape < 0.35:
        if symbols and random.random() < 0.4:
            return Holds(random.choice(symbols))
        return random_test(random, random.choice(list(asked.values())))
    if shape < 0.5:
        return Not(random_condition(random, asked, (), depth - 1))
    parts = tuple(random_condition(random, asked, symbols, depth - 1) for _ in range(random.randint(2, 4)))
    if shape < 0.7:
        return All(parts)
    return AtLeast(random.randint(1, len(parts)), parts)


def random_test(random: Random, item: Answerable) -> Test:
    """Return a test that may be asked of `item`."""
    if random.random() < 0.15:
        return Test(item.id, "answered")
    if isinstance(item, Finding) and item.values:
        size = random.choice([1, 1, 2])
        picked = frozenset(random.sample(list(item.values), min(size, len(item.values))))
        return Test(item.id, "includes" if item.type == "any of" else "is", picked)
    bound = float(random.randint(0, 6))
    if random.random() < 0.2:
        return Test(item.id, "between", numbers=(bound, bound + 2))
    operator = random.choice(["is", "at least", "at most", "more than", "less than"])
    return Test(item.id, operator, numbers=(bound,))  # type: ignore[arg-type]


def check_knowledge(
    count: int, seed: int, holds: Callable[[Knowledge, list[dict[str, State]]], None], cases: int = 4
) -> None:
    """Check `holds` on random knowledge bases with random cases; report the fewest rules and answers that break it."""
    random = Random(seed)
    for number in range(count):
        knowledge = random_knowledge(random)
        answers = [random_states(random, knowledge) for _ in range(cases)]
        try:
            holds(knowledge, answers)
        except AssertionError as error:
            raise AssertionError(f"knowledge base {number}: {_reduced(knowledge, answers, holds)}") from error


def _reduced(
    knowledge: Knowledge,
    cases: list[dict[str, State]],
    holds: Callable[[Knowledge, list[dict[str, State]]], None],
) -> str:
    case = next(([c] for c in cases if _fails_on(knowledge, [c], holds)), cases)
    kept = smallest(list(knowledge.rules.values()), lambda rules: _fails_on(_with(knowledge, rules), case, holds))
    knowledge = _with(knowledge, kept)
    if len(case) == 1:
        pairs = smallest(list(case[0].items()), lambda pairs: _fails_on(knowledge, [dict(pairs)], holds))
        case = [dict(pairs)]
    lines = [f"answers {case}"]
    lines += [f"{r.id}: if {r.when} unless {r.unless} then {r.then} {r.level}" for r in kept]
    lines += [f"{f.id} applies {f.applies}" for f in knowledge.findings.values() if f.applies is not None]
    return "\n".join(lines)


def _with(knowledge: Knowledge, rules: Sequence[Rule]) -> Knowledge:
    from dataclasses import replace

    return replace(knowledge, rules={rule.id: rule for rule in rules})


def _fails_on(
    knowledge: Knowledge,
    cases: list[dict[str, State]],
    holds: Callable[[Knowledge, list[dict[str, State]]], None],
) -> bool:
    try:
        holds(knowledge, cases)
    except AssertionError:
        return True
    return False


def vocabulary_of(knowledge: Knowledge) -> Vocabulary:
    """Return the vocabulary of a knowledge base."""
    return Vocabulary(knowledge)
