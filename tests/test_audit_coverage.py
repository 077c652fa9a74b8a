"""The table of what has been tried: complete for the shipped knowledge base, and poorer with whatever is taken away."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import CASES, ROOT
from psoas.audit.checking import worked_cases
from psoas.audit.trial import Row, Trial, table, to_json, to_text, trial, verdict
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge
from psoas_cli.main import psoas

BICYCLE = ROOT / "tests" / "kb_bicycle"


@pytest.fixture(scope="module")
def bicycle() -> Knowledge:
    return load(BICYCLE)


@pytest.fixture(scope="module")
def tried(bicycle: Knowledge) -> Trial:
    return trial(bicycle, worked_cases(bicycle, BICYCLE / "cases", Path("cases")))


def row(found: Trial, part: str, by: str) -> Row:
    return next(row for row in table(found) if row.part == part and by in row.by)


def test_the_shipped_knowledge_is_tried_whole(knowledge: Knowledge) -> None:
    """But for the two questions that are kept for the clinician who reads the record."""
    found = trial(knowledge, worked_cases(knowledge, CASES, Path("kb/cases")))
    assert {row.part: row.missing for row in table(found) if row.missing} == {
        "findings": ("odi_percent", "startback_total")
    }


def test_rules_and_the_cases_that_try_them(tried: Trial) -> None:
    assert row(tried, "rules", "fire").covered["T2"] == ("frayed",)
    assert "T1" in row(tried, "rules", "fire").missing
    assert "T1" in row(tried, "rules", "keeps").covered


def test_claims_and_questions(tried: Trial, bicycle: Knowledge) -> None:
    assert "T1" in row(tried, "claims", "").covered["M-1"]
    assert row(tried, "findings", "").covered["weekly_km"] == ("distance_rise_pct",)
    rules = {id: rule for id, rule in bicycle.rules.items() if id != "a-pad-at-the-tyre-is-askew"}
    poorer = trial(dataclasses.replace(bicycle, rules=rules), ())
    assert row(poorer, "findings", "").missing == ("pad_touches_tyre",)


def test_both_sides_of_a_threshold(tried: Trial) -> None:
    """A load of 160 kg and one of 85 lie on both sides of 120; no case rode 20,000 km."""
    thresholds = row(tried, "thresholds", "")
    assert tried.sides["load_kg at least 120"] == {True: ["frayed"], False: ["mirror"]}
    assert thresholds.covered["load_kg at least 120"] == ("frayed", "mirror")
    assert "service_months at least 24" in thresholds.missing


def test_without_cases_nothing_is_tried(bicycle: Knowledge) -> None:
    found = trial(bicycle, ())
    assert row(found, "rules", "fire").percent == 0
    assert row(found, "thresholds", "").percent == 0
    assert verdict(found).startswith("0 cases cover")


def test_a_case_that_cannot_be_read_is_named(bicycle: Knowledge, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("answers: {no_such: yes}\n")
    found = trial(bicycle, worked_cases(bicycle, tmp_path, tmp_path))
    assert (found.cases, found.broken) == (0, ["broken"])
    assert "broken" in verdict(found)


def test_the_text_and_the_json_agree(tried: Trial) -> None:
    text, record = to_text(tried), json.loads(to_json(tried))
    assert record["format"] == "psoas.coverage/1"
    assert text.endswith(f"{record['verdict']}\n")
    assert [part["missing"] for part in record["parts"]] == [list(row.missing) for row in table(tried)]
    assert "red_flags.yaml:1: T1" in text
    assert "frayed" in to_text(tried, whole=True)


@pytest.mark.parametrize(("threshold", "code"), [("0", 0), ("99", 1)])
def test_the_gate(threshold: str, code: int) -> None:
    done = CliRunner().invoke(psoas, ["audit", "coverage", "--kb", str(BICYCLE), "--threshold", threshold])
    assert done.exit_code == code
    assert "covered" in done.output


def test_without_a_folder_of_cases(tmp_path: Path) -> None:
    done = CliRunner().invoke(psoas, ["audit", "coverage", "--kb", str(BICYCLE), "--cases", str(tmp_path / "none")])
    assert done.exit_code == 2
