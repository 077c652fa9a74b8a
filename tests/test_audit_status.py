"""Who has signed what: the states, what is overdue on which day, and what is told of it."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from psoas.audit.status import Status, signature_flaws, status, status_record
from psoas.consultation import signatures
from psoas.knowledge.digest import digest
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge, Review
from psoas.knowledge.signatures import signable, signings
from psoas.telling.plain import to_text
from psoas.telling.standing import status_document
from psoas_cli.main import psoas

BICYCLE = Path(__file__).parent / "kb_bicycle"
TODAY = date(2026, 1, 31)
OLD = "1" * 64


@pytest.fixture(scope="module")
def bicycle() -> Knowledge:
    return dataclasses.replace(load(BICYCLE), reviews=())


def with_reviews(knowledge: Knowledge, *said: tuple[str, str, str, str, bool]) -> Knowledge:
    """Return `knowledge` with reviews: of, verdict, by, on, and whether it is of the text as it stands."""
    items = signable(knowledge)
    reviews = tuple(
        Review(of=of, verdict=verdict, by=by, on=on, qualification="q",  # type: ignore[arg-type]
               digest=digest(items[of]) if now else OLD)
        for of, verdict, by, on, now in said
    )  # fmt: skip
    return dataclasses.replace(knowledge, reviews=reviews)


def told(found: Status) -> str:
    return " ".join(to_text(status_document(found)).split())


@pytest.mark.parametrize(("said", "state"), [
    ([], "unsigned"),
    ([("agree", "A", True)], "signed"),
    ([("comment", "A", True)], "commented"),
    ([("agree", "A", True), ("comment", "A", True)], "signed"),
    ([("agree", "A", False)], "stale"),
    ([("disagree", "A", False)], "stale"),
    ([("comment", "A", False)], "unsigned"),
    ([("agree", "A", True), ("disagree", "B", True)], "disputed"),
    ([("agree", "A", False), ("agree", "A", True)], "signed"),
    ([("agree", "A", False), ("agree", "B", True)], "signed"),
    ([("disagree", "A", False), ("agree", "a ", True)], "signed"),
    ([("agree", "A", False), ("comment", "A", True)], "commented"),
    ([("agree", "A", False), ("comment", "B", True)], "stale"),
])  # fmt: skip
def test_how_an_item_stands(said: list[tuple[str, str, bool]], state: str, bicycle: Knowledge) -> None:
    knowledge = with_reviews(bicycle, *(("T1", verdict, by, "2026-01-01", now) for verdict, by, now in said))
    assert signings(knowledge)["T1"].state == state


@pytest.mark.parametrize(("on", "today", "overdue"), [
    ("2024-01-31", date(2026, 1, 31), False),
    ("2024-01-31", date(2026, 2, 1), True),
    ("2024-02-29", date(2026, 2, 28), False),
    ("2024-02-29", date(2026, 3, 1), True),
    ("2025-12-31", date(2026, 1, 1), False),
    ("9999-12-31", date(2026, 1, 1), False),
])  # fmt: skip
def test_a_signature_is_overdue_after_the_months_of_the_manifest(
    on: str, today: date, overdue: bool, bicycle: Knowledge
) -> None:
    assert bicycle.manifest.review_months == 24
    assert (status(with_reviews(bicycle, ("T1", "agree", "A", on, True)), today).overdue == {"T1"}) is overdue


def test_a_newer_signature_of_another_keeps_it_from_being_overdue(bicycle: Knowledge) -> None:
    knowledge = with_reviews(
        bicycle, ("T1", "agree", "A", "2020-01-01", True), ("T1", "agree", "B", "2025-01-01", True)
    )
    assert not status(knowledge, TODAY).overdue


def test_the_counts_add_up_topic_by_topic(bicycle: Knowledge) -> None:
    knowledge = with_reviews(
        bicycle,
        ("T1", "agree", "A", "2026-01-01", True),
        ("T2", "disagree", "A", "2026-01-01", True),
        ("T3", "agree", "A", "2020-01-01", True),
        ("thin-pads-are-worn", "agree", "A", "2026-01-01", False),
        ("load_kg", "comment", "A", "2026-01-01", True),
    )
    record = status_record(status(knowledge, TODAY))
    assert record["topics"]["red_flags"] == {
        "signed": 2, "stale": 0, "disputed": 1, "commented": 0, "unsigned": 2, "overdue": 1, "total": 5
    }  # fmt: skip
    assert record["topics"]["rules/signs"]["stale"] == 1
    for key in record["all"]:
        assert record["all"][key] == sum(topic[key] for topic in record["topics"].values())
    assert record["all"]["commented"] == 1
    assert record["rules_and_remedies"]["commented"] == 0
    assert len(record["items"]) == record["all"]["total"] == len(signable(knowledge))


def test_a_consultation_states_the_same_totals(bicycle: Knowledge) -> None:
    said = [("T1", "agree", "A", "2026-01-01", True), ("T2", "agree", "A", "2026-01-01", False),
            ("load_kg", "agree", "A", "2026-01-01", True)]  # fmt: skip
    knowledge = with_reviews(bicycle, *said)
    found, stated = status(knowledge, TODAY), signatures(knowledge)
    count = found.count(found.deciding)
    assert (stated.signed, stated.stale, stated.total) == (count.signed, count.stale, count.total) == (1, 1, 28)


def test_what_is_wrong_is_said_by_name_with_its_places_and_what_to_do(bicycle: Knowledge) -> None:
    knowledge = with_reviews(
        bicycle,
        ("T1", "agree", "A. Mechanic", "2026-01-01", False),
        ("T2", "disagree", "B", "2026-01-01", True),
        ("T3", "agree", "C", "2020-01-01", True),
        ("T4", "agree", "D", "2026-02-01", True),
    )
    flaws = {flaw.check: flaw for flaw in signature_flaws(status(knowledge, TODAY))}
    assert {check: flaw.item for check, flaw in flaws.items()} == {
        "stale-signature": "T1", "disputed-signature": "T2", "overdue-signature": "T3", "signature-ahead-of-its-day": "T4"
    }  # fmt: skip
    stale = flaws["stale-signature"]
    assert stale.place == knowledge.rules["T1"].place
    assert "A. Mechanic (q) agreed on 2026-01-01 to a text with the digest 111111111111…" in stale.message
    assert digest(knowledge.rules["T1"])[:12] in stale.message
    assert stale.mend == "review it again: psoas audit review T1"
    for flaw in flaws.values():
        assert flaw.item in told(status(knowledge, TODAY))


def test_the_shipped_knowledge_base_is_signed_by_nobody_and_says_so(knowledge: Knowledge) -> None:
    assert knowledge.reviews == ()
    assert "Signed by nobody: no expert has reviewed any of this yet." in told(status(knowledge, TODAY))
    total = signatures(knowledge).total
    assert f"Of {total} rules and remedies: {total} signed by nobody." in told(status(knowledge, TODAY))


def test_the_command_prints_text_markdown_and_json() -> None:
    def run(form: str) -> str:
        done = CliRunner().invoke(psoas, ["audit", "status", "--kb", str(BICYCLE), "--format", form])
        assert done.exit_code == 0
        return done.stdout

    assert "thin-pads-are-worn: the signature is stale" in " ".join(run("text").split())
    assert run("markdown").startswith("# Signatures")
    record = json.loads(run("json"))
    assert record["format"] == "psoas.review-status/1"
    assert [flaw["item"] for flaw in record["flaws"]] == ["thin-pads-are-worn"]


@pytest.mark.parametrize(
    ("level", "code"),
    [("never", 0), ("error", 1), ("warning", 1)],
)
def test_a_gate_may_ask_for_sound_signatures(level: str, code: int) -> None:
    """The bicycle has a stale one."""
    done = CliRunner().invoke(psoas, ["audit", "status", "--kb", str(BICYCLE), "--fail-level", level])
    assert done.exit_code == code
    assert "thin-pads-are-worn" in done.output
