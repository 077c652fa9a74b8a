"""`audit diff --cohort`: two versions of a knowledge base over one table."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cohorts import write_table
from conftest import ROOT
from psoas.case import make_case
from psoas.consultation import Consultant
from psoas.knowledge.load import load
from psoas_cli.main import psoas
from test_screen import cases_of, table_of


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """A version in which a shorter pain is enough for rule K10, and one remedy is for nothing any more."""
    kb = tmp_path / "kb"
    shutil.copytree(ROOT / "kb", kb, ignore=shutil.ignore_patterns("cases"))
    (kb / "cases").mkdir()
    rules = kb / "red_flags.yaml"
    text = rules.read_text()
    assert "duration_days: at least 42" in text
    rules.write_text(text.replace("duration_days: at least 42", "duration_days: at least 2", 1))
    return kb


def run(*arguments: object) -> Result:
    return CliRunner().invoke(psoas, ["audit", "diff", *map(str, arguments)])


def test_what_changes_in_a_table_is_what_changes_in_its_consultations(stricter: Path, tmp_path: Path) -> None:
    old, new = Consultant(load(ROOT / "kb")), Consultant(load(stricter))
    cases = cases_of(60, seed=31)
    table = table_of(tmp_path / "t.csv", old.knowledge, cases)
    done = run(ROOT / "kb", stricter, "--cohort", table, "--format", "json")
    told = json.loads(done.stdout)["cohort"]
    changes: dict[tuple[str, str], list[int]] = {}
    moved: dict[str, dict[str, dict[str, int]]] = {"come": {}, "gone": {}}
    changed = 0
    for row, case in enumerate(cases, 1):
        a, b = (c.consult(make_case(c.knowledge, case)) for c in (old, new))
        if a.level.id != b.level.id:
            changes.setdefault((a.level.id, b.level.id), []).append(row)
        pairs = {
            what: ({x.id for x in getattr(a, what)}, {x.id for x in getattr(b, what)})
            for what in ("causes", "remedies")
        }
        changed += a.level.id != b.level.id or any(one != two for one, two in pairs.values())
        for what, (one, two) in pairs.items():
            for side, names in (("come", two - one), ("gone", one - two)):
                counts = moved[side].setdefault(what, {})
                for name in names:
                    counts[name] = counts.get(name, 0) + 1
    assert (told["rows"], told["changed"]) == (len(cases), changed)
    assert changes, "the cases show nothing"
    found = {(c["before"], c["after"]): (c["rows"], c["examples"]) for c in told["dispositions"]}
    assert found == {change: (len(rows), rows[:3]) for change, rows in changes.items()}
    assert (told["come"], told["gone"]) == (moved["come"], moved["gone"])


def test_it_is_told_in_words(stricter: Path, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", ["duration_days"], [["10"], ["unknown"], ["900"]])
    said = run(ROOT / "kb", stricter, "--cohort", table).output
    assert "1 of 3 rows of the table come out differently\n" in said
    assert "           1  undetermined → see_clinician  (row 1)\n" in said


def test_a_table_that_is_none_is_refused(stricter: Path, tmp_path: Path) -> None:
    done = run(ROOT / "kb", stricter, "--cohort", tmp_path / "none.csv")
    assert done.exit_code == 2
    assert "none.csv: there is no such file" in done.output
