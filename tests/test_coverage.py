"""The worked cases try everything: each rule fires in one and is one answer short in another, and so on for the rest."""

from __future__ import annotations

import pytest

from conftest import CASES
from psoas.audit.coverage import Coverage, is_short
from psoas.case import read_case
from psoas.consultation import Consultant
from psoas.knowledge.model import Knowledge
from psoas.knowledge.program import withheld_by
from psoas.reasoning import Premise, WhyNot


@pytest.fixture(scope="module")
def tried(consultant: Consultant) -> Coverage:
    """What the worked cases show."""
    found = Coverage()
    for path in sorted(CASES.glob("*.yaml")):
        found.add(consultant.consult(read_case(consultant.knowledge, path)))
    return found


def test_every_rule_fires_and_is_one_answer_short(knowledge: Knowledge, tried: Coverage) -> None:
    rules = {*knowledge.rules, *knowledge.withholdings}
    assert rules - set(tried.fires) == set()
    assert rules - set(tried.short) == set()


def test_every_triage_rule_decides_a_case(knowledge: Knowledge, tried: Coverage) -> None:
    assert {rule.id for rule in knowledge.rules.values() if rule.level} - set(tried.decides) == set()


def test_every_cause_leads_in_a_case(knowledge: Knowledge, tried: Coverage) -> None:
    headed = {kind.id for kind in knowledge.manifest.kinds if kind.heading}
    assert {c.id for c in knowledge.conclusions.values() if c.kind in headed} - set(tried.leads) == set()


def test_every_remedy_is_given_in_one_case_and_withheld_in_another(knowledge: Knowledge, tried: Coverage) -> None:
    held = {remedy for rule in knowledge.withholdings.values() for remedy in withheld_by(rule, knowledge)}
    assert set(knowledge.remedies) - set(tried.given) == set()
    assert held - set(tried.withheld) == set()


def test_every_disagreement_is_shown(knowledge: Knowledge, tried: Coverage) -> None:
    assert set(knowledge.disagreements) - set(tried.shown) == set()


def test_a_case_less_is_a_case_less(consultant: Consultant) -> None:
    """Nothing is counted that no case shows."""
    found = Coverage()
    found.add(consultant.consult(read_case(consultant.knowledge, CASES / "V12.yaml")))
    assert found.leads.keys() >= {"tight_hip_flexors"}
    assert found.decides == {}


@pytest.mark.parametrize(
    ("statuses", "blocked", "short"),
    [
        (["met", "unmet"], (), True),
        (["unmet", "unmet"], (), False),
        (["met", "open"], (), False),
        (["met"], ("an exception",), True),
        (["met", "unmet"], ("an exception",), False),
    ],
)
def test_one_answer_short(statuses: list[str], blocked: tuple[str, ...], short: bool) -> None:
    premises = tuple(Premise("", status) for status in statuses)
    assert is_short(WhyNot("r", premises, blocked)) is short
