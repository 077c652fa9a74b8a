"""Certainty, chains, why and why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CASES, ROOT
from psoas.case import make_case, read_case
from psoas.consultation import Consultant, Consultation
from psoas.knowledge.load import load
from psoas.reasoning import combined

WEIGHTS = st.lists(st.floats(0, 1), max_size=6)


@pytest.fixture(scope="module")
def desk(consultant: Consultant) -> Consultation:
    return consultant.consult(read_case(consultant.knowledge, CASES / "V12.yaml"))


@given(WEIGHTS, WEIGHTS, st.floats(0, 1))
def test_certainty_stays_between_0_and_1_and_grows_with_support(
    supporting: list[float], opposing: list[float], more: float
) -> None:
    """Seen to fail with the supporting weights added up instead."""
    before = combined(supporting, opposing)
    assert 0 <= before <= 1
    assert combined([*supporting, more], opposing) >= before - 1e-9
    assert combined(supporting, [*opposing, more]) <= before + 1e-9


def test_certainty_combines_by_noisy_or_and_subtracts_by_the_stated_formula() -> None:
    assert combined([0.65, 0.45], []) == pytest.approx(1 - 0.35 * 0.55)
    assert combined([0.65], [0.25]) == pytest.approx((0.65 - 0.25) / (1 - 0.25))
    assert combined([0.25], [0.65]) == 0
    assert combined([], []) == 0


def test_the_order_of_rules_does_not_change_a_certainty(desk: Consultation) -> None:
    strengths = {name: float(text) for name, text in desk.knowledge.manifest.strengths.items()}
    fired = [r for r in desk.reasoning.rules_for("tight_hip_flexors", "sign") if r.strength]
    assert {"strong", "moderate"} <= {rule.strength for rule in fired}
    assert desk.reasoning.certainty("tight_hip_flexors") > max(strengths[rule.strength] for rule in fired)


def test_a_chain_runs_from_what_was_reported_over_the_cause_to_the_outcome(desk: Consultation) -> None:
    for cause in desk.causes:
        if cause.kind == "contributor":
            assert cause.chain[0] in desk.knowledge.vocabulary
            assert cause.id in cause.chain
            assert cause.chain[-1] == "low_back_pain"


def test_the_chain_of_the_first_case_is_the_one_the_articles_give(desk: Consultation) -> None:
    chain = desk.causes[0].chain
    steps = ["sitting_hours_day", "tight_hip_flexors", "anterior_tilt", "more_lordosis", "low_back_pain"]
    assert [step for step in chain if step in steps] == steps


def test_the_weakest_evidence_on_the_chain_is_named(desk: Consultation) -> None:
    scale = desk.knowledge.manifest.evidence
    for cause in desk.causes:
        _, rules = desk.reasoning.chain(cause.id)
        assert scale.index(cause.evidence) == max(scale.index(rule.evidence) for rule in rules if rule.evidence)


def test_why_not_says_what_was_met_and_what_was_not(consultant: Consultant) -> None:
    it = consultant.consult(make_case(consultant.knowledge, {"aggravators": ["extension"], "quality": ["ache"]}))
    why = it.reasoning.why_not("K13")
    assert sorted(premise.status for premise in why.premises) == ["met", "unmet"]
    assert why.missing == 1
    assert "K13" in {near.rule for near in it.reasoning.nearly_fired()}


def test_why_not_says_what_blocks_a_rule_whose_condition_holds(consultant: Consultant) -> None:
    it = consultant.consult(make_case(consultant.knowledge, {"pain_site": "sacral_buttock", "hop_test": "pain_free"}))
    why = it.reasoning.why_not("K22")
    assert why.missing == 0
    assert why.blocked_by


def test_the_findings_behind_a_level_are_found_through_summaries(consultant: Consultant) -> None:
    it = consultant.consult(make_case(consultant.knowledge, {"severity": "8", "dark_urine": "yes"}))
    assert it.reasoning.reported("rule:E8") == ("dark_urine", "severity")


def test_a_chain_begins_with_an_answer_out_of_the_ordinary(tmp_path: Path) -> None:
    """Here the rule names first what was not there. Seen to fail with the first answer in the order written."""
    kb = tmp_path / "kb"
    shutil.copytree(ROOT / "tests" / "kb_bicycle", kb)
    rule = "- {id: more, if: {spray_used: no, disc_state: shiny}, then: oily_disc, strength: plain, because: so, "
    (kb / "rules" / "more.yaml").write_text(f"{rule}sources: [M-1]}}\n")
    knowledge = load(kb)
    it = Consultant(knowledge).consult(make_case(knowledge, {"spray_used": "no", "disc_state": "shiny"}))
    assert it.reasoning.chain("oily_disc")[0][:2] == ["disc_state", "oily_disc"]


def test_a_chain_passes_over_a_summary_where_the_rule_has_an_answer(consultant: Consultant) -> None:
    """Seen to fail with every conclusion of a rule taken for a link."""
    it = consultant.consult(read_case(consultant.knowledge, CASES / "V06.yaml"))
    firing = it.reasoning.firings["U6"]
    assert "bone_stress_risk" in firing.conclusions
    assert it.reasoning.is_summary("bone_stress_risk")
    chain, _ = it.reasoning.chain("suspected_bone_stress")
    assert "bone_stress_risk" not in chain
    assert chain[0] in firing.findings
