"""Two versions of a knowledge base compared: words, worked cases, and the proof that nothing became less urgent."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import ROOT
from psoas.audit.difference import milder
from psoas.knowledge.load import load
from psoas.knowledge.model import Knowledge
from psoas_cli.main import psoas


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped knowledge base with two of its cases."""
    kb = tmp_path / "kb"
    shutil.copytree(ROOT / "kb", kb, ignore=shutil.ignore_patterns("cases"))
    (kb / "cases").mkdir()
    for name in ("V12", "V26"):
        shutil.copy(ROOT / f"kb/cases/{name}.yaml", kb / "cases")
    return kb


def changed(kb: Path, file: str, old: str, new: str) -> None:
    text = (kb / file).read_text()
    assert old in text
    (kb / file).write_text(text.replace(old, new, 1))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(psoas, ["audit", "diff", *map(str, arguments)])


def test_nothing_changed_is_proved(copy: Path) -> None:
    done = run(ROOT / "kb", copy)
    assert done.exit_code == 0
    assert "Nothing changed." in done.output
    assert "Proved: no possible case is triaged less urgently than before." in done.output


def test_a_threshold_moved_by_a_day_is_caught_by_proof_and_by_no_case(copy: Path) -> None:
    """Seen to fail with `milder` comparing the rules' digests alone."""
    changed(copy, "red_flags.yaml", "duration_days: at least 42", "duration_days: at least 43")
    done = run(ROOT / "kb", copy, "--format", "json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert [edit["item"] for edit in told["changed"]] == ["K10"]
    assert told["cases"] == []
    assert told["less_urgent"]["from"] == "see_clinician"
    assert 42 <= told["less_urgent"]["case"]["duration_days"] < 43


def test_a_stricter_rule_is_no_loss(copy: Path) -> None:
    changed(copy, "red_flags.yaml", "duration_days: at least 42", "duration_days: at least 35")
    done = run(ROOT / "kb", copy)
    assert done.exit_code == 0
    assert "changed  K10" in done.output


def test_a_worked_case_that_comes_out_differently_is_told(copy: Path) -> None:
    changed(copy, "red_flags.yaml", "if: {self_care_days: at least 14}", "if: {self_care_days: at least 30}")
    done = run(ROOT / "kb", copy)
    assert done.exit_code == 1
    assert "V26: see_clinician → self_care" in done.output
    assert "V12" not in done.output


def test_a_git_revision_is_compared(tmp_path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "kb"], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    changed(copy, "red_flags.yaml", "duration_days: at least 42", "duration_days: at least 43")
    assert run("HEAD", "kb").exit_code == 1
    assert run("HEAD", "HEAD").exit_code == 0


@pytest.mark.parametrize("name", ["no-such-revision", "--output=x"])
def test_what_is_no_version_is_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("--", name, ROOT / "kb")
    assert done.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_version_with_another_finding_can_be_compared(knowledge: Knowledge, copy: Path) -> None:
    with (copy / "findings/training.yaml").open("a") as stream:
        stream.write("\n- id: pack_kg\n  name: pack\n  question: How heavy?\n  type: number\n  range: 0 to 9\n  says: a pack of {} kg\n")
    assert milder(knowledge, load(copy)) is None
    assert milder(load(copy), knowledge) is None
