"""Golden transcripts: what a person sees, command and exit code included, held to the letter.

`PSOAS_GOLDEN=write pytest tests/test_golden.py` writes them anew; the difference is then read before it is kept.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import ROOT
from psoas_cli.main import psoas

GOLDEN = Path(__file__).parent / "golden"
COMMANDS = {
    "consult-emergency": "consult kb/cases/V01.yaml",
    "consult-urgent": "consult kb/cases/V06.yaml",
    "consult-self-care": "consult kb/cases/V12.yaml",
    "consult-see-clinician": "consult kb/cases/V26.yaml",
    "consult-disagreement": "consult kb/cases/V31.yaml",
    "consult-refused-answers": "consult kb/cases/V36.yaml",
    "consult-undetermined": "consult kb/cases/V37.yaml",
    "consult-half-answered": "consult kb/cases/V40.yaml",
    "consult-markdown": "consult kb/cases/V16.yaml --format markdown",
    "consult-json": "consult kb/cases/V22.yaml --format json",
    "consult-no-case": "consult",
    "explain-conclusion": "explain kb/cases/V12.yaml tight_hip_flexors",
    "explain-why-not": "explain kb/cases/V12.yaml weak_core",
    "explain-withheld": "explain kb/cases/V31.yaml ham_swing",
    "explain-not-indicated": "explain kb/cases/V31.yaml deadlift",
    "explain-disposition": "explain kb/cases/V40.yaml urgent_medical",
    "explain-rule": "explain kb/cases/V40.yaml U7",
    "explain-finding": "explain kb/cases/V12.yaml finding:warm_up",
    "explain-disagreement": "explain kb/cases/V31.yaml X-01",
    "explain-unknown": "explain kb/cases/V31.yaml hipbridge",
    "graph-dot": "graph kb/cases/V31.yaml --of ham_swing --format dot",
    "graph-mermaid": "graph kb/cases/V22.yaml --format mmd",
    "graph-why-not": "graph kb/cases/V12.yaml --of weak_core --why-not --format mmd",
    "graph-not-established": "graph kb/cases/V12.yaml --of weak_core --format mmd",
    "graph-no-format": "graph kb/cases/V12.yaml -o picture.bmp",
    "help": "--help",
    "help-graph": "graph --help",
}


def transcript(command: str) -> str:
    """Return the command, what it printed on both streams, and its exit code."""
    result = CliRunner().invoke(psoas, shlex.split(command), prog_name="psoas")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return f"$ psoas {command}\n{result.stdout}{result.stderr}[exit {result.exit_code}]\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_transcript(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    path = GOLDEN / f"{name}.txt"
    said = transcript(COMMANDS[name])
    if os.environ.get("PSOAS_GOLDEN") == "write":
        path.write_text(said)
    assert said == path.read_text(), f"{path.name} differs: see the head of this file"


def test_no_transcript_is_left_over() -> None:
    held = "interview-"  # those of test_dialogue.py
    assert {path.stem for path in GOLDEN.glob("*.txt") if not path.stem.startswith(held)} == set(COMMANDS)
