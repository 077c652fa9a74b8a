"""What a person is told: in which words, in which order, and what is left out."""

from __future__ import annotations

import pytest

from conftest import CASES
from psoas.case import make_case, read_case
from psoas.consultation import Consultant
from psoas.telling.advice import advice
from psoas.telling.document import Document, Entries, Entry, Paragraph, Section
from psoas.telling.markdown import to_markdown
from psoas.telling.plain import to_text
from psoas.triage import natural


def text(consultant: Consultant, name: str) -> str:
    return to_text(advice(consultant.consult(read_case(consultant.knowledge, CASES / f"{name}.yaml"))))


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_line_is_wider_than_a_terminal(path: object, consultant: Consultant) -> None:
    said = to_text(advice(consultant.consult(read_case(consultant.knowledge, path))))  # type: ignore[arg-type]
    assert max(map(len, said.splitlines())) <= 80
    assert "{" not in said


def test_the_disposition_comes_first(consultant: Consultant) -> None:
    assert text(consultant, "V12").startswith("Self-care")
    assert text(consultant, "V26").startswith("See a clinician")
    assert text(consultant, "V06").startswith("Urgent")


def test_an_emergency_is_a_few_lines_and_nothing_else(consultant: Consultant) -> None:
    said = text(consultant, "V01")
    assert said.startswith("EMERGENCY")
    assert len(said.splitlines()) < 20
    for heading in ("Likely causes", "What to do", "Worth answering", "About this advice"):
        assert heading not in said


def test_what_cannot_be_judged_asks_first_and_advises_nothing(consultant: Consultant) -> None:
    said = text(consultant, "V37")
    assert said.index("Answer these first") < said.index("What to do")
    assert "(saddle_numbness)" in said
    assert "Likely causes" not in said


def test_refused_answers_are_shown_with_the_reason(consultant: Consultant) -> None:
    said = text(consultant, "V36")
    for part in ("-5 lies outside", "900 lies outside", "27 lies outside"):
        assert part in said


def test_a_disagreement_shows_the_claims_on_both_sides(consultant: Consultant) -> None:
    said = text(consultant, "V31")
    for source in ("S1-09", "S2-11", "S3-16", "S4-34"):
        assert source in said


def test_the_dose_is_worked_out_for_the_person(consultant: Consultant) -> None:
    assert "160 to 167 steps a minute" in " ".join(text(consultant, "V18").split())


def test_how_much_is_signed_stands_in_every_consultation_but_an_emergency(consultant: Consultant) -> None:
    total = len({**consultant.knowledge.rules, **consultant.knowledge.withholdings, **consultant.knowledge.remedies})
    assert f"0 of {total} rules and remedies signed" in text(consultant, "V12")


def test_a_plan_starts_with_no_more_than_its_occasions_hold(consultant: Consultant) -> None:
    caps = {occasion.id: occasion.cap for occasion in consultant.knowledge.manifest.occasions}
    it = consultant.consult(read_case(consultant.knowledge, CASES / "V23.yaml"))
    for occasion, cap in caps.items():
        now = [given for given in it.remedies if given.occasion == occasion and given.start == "now"]
        assert len(now) <= cap
    assert any(given.start == "later" for given in it.remedies)


def test_each_leading_cause_gets_something_to_start_with(consultant: Consultant) -> None:
    it = consultant.consult(read_case(consultant.knowledge, CASES / "V23.yaml"))
    begun = {cause for given in it.remedies if given.start == "now" for cause in given.treats}
    assert {cause.id for cause in it.causes[:3]} <= begun


def test_nothing_a_warning_says_is_about_what_cannot_change(consultant: Consultant) -> None:
    it = consultant.consult(read_case(consultant.knowledge, CASES / "V12.yaml"))
    assert any(turn.finding == "age_years" for turn in it.turns)
    assert "years old" not in text(consultant, "V12").split("What would change")[1].split("Worth answering")[0]


def test_markdown_escapes_what_a_user_wrote() -> None:
    document = Document("a <b> *c*", (Paragraph("[x](y)"),), (Section("s", (Entries((Entry("h", steps=("one",)),)),)),))
    said = to_markdown(document)
    assert "\\<b\\>" in said
    assert "\\[x\\]" in said
    assert "1. one" in said


def test_long_words_are_broken_rather_than_overflow() -> None:
    assert max(map(len, to_text(Document("t", (Paragraph("x" * 300),))).splitlines())) <= 80


def test_rules_are_listed_as_people_count() -> None:
    assert sorted(["E10", "E2", "K1", "E1"], key=natural) == ["E1", "E2", "E10", "K1"]


def test_a_case_without_answers_is_told_what_to_answer(consultant: Consultant) -> None:
    said = to_text(advice(consultant.consult(make_case(consultant.knowledge, {}))))
    assert said.startswith("Cannot be judged yet")
