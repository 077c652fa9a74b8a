"""The proofs: z3's reading of the rules agrees with the others, the invariants hold, and a broken rule is caught."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import z3
from click.testing import CliRunner, Result

from conftest import ROOT
from psoas.audit.invariants import proofs, read_invariants
from psoas.case import Case
from psoas.consultation import Consultant
from psoas.faults import Unusable
from psoas.knowledge.model import Invariant, Knowledge
from psoas.memory import Standing, State, Vocabulary, WorkingMemory
from psoas.readings.foresee import established, foreseen
from psoas.readings.prove.prover import Prover
from psoas_cli.main import psoas
from random_cases import Writer, memory_of, random_knowledge, random_states, shipped


@pytest.fixture(scope="module")
def theory(knowledge: Knowledge) -> Prover:
    """The shipped knowledge base as formulas."""
    return Prover(knowledge)


def pinned(theory: Prover, answers: Mapping[str, State]) -> list[z3.BoolRef]:
    """Return the formulas that leave one case: these answers."""
    return [theory.answers.equal(name, answers.get(name, Standing.UNASKED)) for name in theory.knowledge.findings]


def disagreements(theory: Prover, memory: WorkingMemory) -> list[str]:
    """Return where the formulas say something else of a case than the evaluations in Python do."""
    solver = z3.Solver()
    solver.add(*theory.answers.allowed, *pinned(theory, memory.answers))
    assert solver.check() == z3.sat
    model = solver.model()

    def says(formula: z3.BoolRef) -> bool:
        return z3.is_true(model.eval(formula, model_completion=True))

    found = []
    now, ahead = established(theory.program, memory), foreseen(theory.program, memory)
    for number, clause in enumerate(theory.program.clauses):
        if not theory.is_rule(number):
            continue  # those of remedies depend on the level, which the engine adds when it fires
        value = True if says(theory.ahead[number].true) else False if says(theory.ahead[number].false) else None
        if says(theory.fires[number]) != bool(now.clauses[number]) or value is not ahead.clauses[number]:
            found.append(clause.id)
    return found


def test_the_formulas_agree_with_the_other_readings(theory: Prover) -> None:
    """On the shipped rules: fired, foreseen, level, given. Seen to fail with `unless` negated in `ahead` only."""
    consultant = shipped()
    writer = Writer(consultant)
    for written in [*writer.cases(12, seed=51, red_flags=True), *writer.near(12, seed=52)]:
        memory = memory_of(consultant, written)
        assert disagreements(theory, memory) == []
        it = consultant.consult(Case("c", answers=memory.answers))
        solver = z3.Solver()
        given = [theory.given(remedy) == (remedy in {g.id for g in it.remedies}) for remedy in consultant.knowledge.remedies]
        solver.add(*theory.answers.allowed, *pinned(theory, memory.answers), theory.level[it.level.id], *given)
        assert solver.check() == z3.sat, written


def test_the_formulas_agree_on_random_knowledge() -> None:
    """Seen to fail with `not` read as negation of truth alone."""
    for seed in range(25):
        knowledge = random_knowledge(random.Random(f"prove {seed}"))
        theory = Prover(knowledge)
        for number in range(6):
            states = random_states(random.Random(f"prove {seed} {number}"), knowledge)
            assert disagreements(theory, WorkingMemory(Vocabulary(knowledge), states)) == [], f"{seed} {number}"


def broken(knowledge: Knowledge, invariants: tuple[Invariant, ...]) -> dict[str, dict[str, State] | None]:
    theory = Prover(knowledge)
    verdicts = [verdict for invariant in invariants for verdict in proofs(theory, invariant)]
    return {verdict.invariant.id: verdict.case for verdict in verdicts if verdict.result != "proved"}


def test_every_invariant_is_proved(knowledge: Knowledge) -> None:
    assert broken(knowledge, read_invariants(knowledge, ROOT / "kb")) == {}


def without_rule(knowledge: Knowledge, name: str) -> Knowledge:
    return dataclasses.replace(knowledge, rules={id_: rule for id_, rule in knowledge.rules.items() if id_ != name})


def without_withholding(knowledge: Knowledge, *names: str) -> Knowledge:
    kept = {id_: rule for id_, rule in knowledge.withholdings.items() if id_ not in names}
    return dataclasses.replace(knowledge, withholdings=kept)


@pytest.mark.parametrize(("lost", "caught"), [("U7", "I6"), ("K10", "I8"), ("K7", "I8"), ("K5", "I8"), ("E1", "I16")])
def test_a_lost_red_flag_breaks_an_invariant(knowledge: Knowledge, lost: str, caught: str) -> None:
    """And the case that shows it does so in the engine: with the rule it is triaged as the sentence says."""
    poorer = without_rule(knowledge, lost)
    found = broken(poorer, read_invariants(knowledge, ROOT / "kb"))
    assert caught in found
    case = found[caught]
    assert case is not None
    rank = shipped().screen.rank
    before = shipped().consult(Case("c", answers=case)).level.id
    after = Consultant(poorer).consult(Case("c", answers=case)).level.id
    assert rank[after] < rank[before] or after == "undetermined"


def test_a_deleted_guard_breaks_an_invariant(knowledge: Knowledge) -> None:
    guards = [name for name, rule in knowledge.withholdings.items() if "hamstring_stretch" in rule.withholds]
    found = broken(without_withholding(knowledge, *guards), read_invariants(knowledge, ROOT / "kb"))
    assert {"I9", "I12-hamstrings"} <= set(found)


def test_a_rule_that_cannot_fire_has_no_case(knowledge: Knowledge) -> None:
    theory = Prover(knowledge)
    number = next(n for n, clause in enumerate(theory.program.clauses) if clause.id == "K7")
    assert theory.case(theory.fires[number]) is not None
    too_old = theory.answers.number["age_years"] >= 18
    assert theory.case(theory.fires[number], too_old) is None


def test_a_faulty_sentence_is_refused_with_its_place(knowledge: Knowledge, tmp_path: Path) -> None:
    text = "- id: X\n  says: nonsense\n  then: {disposition: self_car}\n- id: Y\n  says: nothing\n"
    (tmp_path / "invariants.yaml").write_text(text)
    with pytest.raises(Unusable) as refusal:
        read_invariants(knowledge, tmp_path)
    said = str(refusal.value)
    assert "invariants.yaml:3:" in said
    assert "self_care" in said
    assert "Y needs either then:" in said


def run(*arguments: str) -> Result:
    return CliRunner().invoke(psoas, ["audit", "prove", *arguments])


def test_the_command_says_that_all_is_proved() -> None:
    done = run("--kb", str(ROOT / "kb"))
    assert done.exit_code == 0
    assert "sentences proved for every possible case; 0 rules can never fire." in done.output
    assert "broken" not in done.output


def test_the_command_shows_the_case_that_breaks_a_sentence(tmp_path: Path) -> None:
    """A copy without rule U7: exit 1, and the case written by -o replays in consult with the milder level."""
    kb = tmp_path / "kb"
    shutil.copytree(ROOT / "kb", kb, ignore=shutil.ignore_patterns("cases"))
    text = (kb / "red_flags.yaml").read_text()
    start, end = text.index("- id: U7\n"), text.index("- id: U8\n")
    (kb / "red_flags.yaml").write_text(text[:start] + text[end:])
    done = run("--kb", str(kb), "-o", str(tmp_path / "cases"), "--format", "json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert [item["id"] for item in told["invariants"] if item["result"] == "broken"] == ["I6"]
    replayed = CliRunner().invoke(psoas, ["consult", "--kb", str(kb), "--format", "json", str(tmp_path / "cases/I6.yaml")])
    assert json.loads(replayed.stdout)["disposition"]["level"] not in ("urgent_medical", "emergency_now")


def test_a_knowledge_base_without_invariants_is_told_so() -> None:
    done = run("--kb", str(ROOT / "tests/kb_bicycle"))
    assert done.exit_code == 2
    assert "has no invariants.yaml" in done.output
