"""The commands as a process: streams, files, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import CASES, ROOT

RUN = [sys.executable, "-m", "psoas_cli"]
ENV = {**os.environ, "PYTHONPATH": f"{ROOT / 'engine'}{os.pathsep}{ROOT / 'cli'}"}


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=ENV,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def test_data_goes_to_standard_output_and_notes_to_standard_error(tmp_path: Path) -> None:
    target = tmp_path / "advice.txt"
    done = run("consult", CASES / "V12.yaml", "-o", target)
    assert (done.returncode, done.stdout) == (0, "")
    assert "wrote" in done.stderr
    assert target.read_text() == run("consult", CASES / "V12.yaml").stdout
    assert [path.name for path in tmp_path.iterdir()] == ["advice.txt"]


def test_json_has_the_keys_of_the_contract() -> None:
    record = json.loads(run("consult", CASES / "V31.yaml", "--format", "json").stdout)
    assert list(record) == [
        *("format", "knowledge", "case", "disposition", "causes", "remedies", "withheld", "disagreements"),
        *("ask_next", "would_change"),
    ]
    assert record["format"] == "psoas.consultation/1"
    assert {"version", "digest", "reviewed"} <= set(record["knowledge"])
    assert {"signed", "stale", "total"} == set(record["knowledge"]["reviewed"])
    assert {"id", "title", "answers", "rejected"} <= set(record["case"])
    assert {"level", "within", "because", "screen"} <= set(record["disposition"])
    assert {"answered", "of", "missing"} <= set(record["disposition"]["screen"])
    assert {"id", "rank", "certainty", "rules", "chain", "evidence", "sources"} <= set(record["causes"][0])
    assert {"id", "for", "tier", "when", "dose", "sources"} <= set(record["remedies"][0])
    assert {"id", "because", "reason"} <= set(record["withheld"][0])
    assert {"id", "sources", "settled"} <= set(record["disagreements"][0])
    assert {"finding", "why"} <= set(record["ask_next"][0])
    assert {"finding", "from", "to", "disposition"} <= set(record["would_change"][0])


def test_a_case_comes_from_standard_input() -> None:
    text = (CASES / "V12.yaml").read_text()
    assert run("consult", "-", input=text).stdout == run("consult", CASES / "V12.yaml").stdout


@pytest.mark.parametrize("name", ["V12", "V36", "V40"])
def test_a_saved_case_gives_the_same_consultation(name: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.yaml"
    first = run("consult", CASES / f"{name}.yaml", "--format", "json", "--save", saved)
    assert run("consult", saved, "--format", "json").stdout == first.stdout
    assert "# " in saved.read_text()


def test_no_colour_where_nobody_looks() -> None:
    assert "\x1b" not in run("consult", CASES / "V01.yaml").stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        f"{' '.join(RUN)} consult {CASES / 'V12.yaml'} | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        env=ENV,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("Self-care")


def test_an_interrupt_ends_it_without_a_traceback() -> None:
    process = subprocess.Popen(
        [*RUN, "consult", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV
    )
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode in (1, 130)
    assert "Traceback" not in said


def test_the_module_runs_like_the_command() -> None:
    assert run("--version").stdout.startswith("psoas ")


def test_completion_is_offered_for_the_shell() -> None:
    done = subprocess.run(
        [*RUN], capture_output=True, text=True, env={**ENV, "_PSOAS_COMPLETE": "bash_source"}, check=False
    )
    assert "complete" in done.stdout


def test_a_terminal_gets_colour_unless_it_asks_for_none() -> None:
    script = f"{' '.join(RUN)} consult {CASES / 'V01.yaml'}"
    for no_colour, expected in (("", True), ("1", False)):
        env = {**ENV, "NO_COLOR": no_colour}
        done = subprocess.run(
            ["script", "-qec", script, "/dev/null"], capture_output=True, text=True, env=env, check=False
        )
        if done.returncode == 127:
            pytest.skip("no program to open a terminal with")
        assert ("\x1b[" in done.stdout) is expected
