"""Start-up: whole processes of the command line against a process that only imports what it is built on."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter

from bench.measure import Ratio, interleaved, milliseconds, ratio
from bench.programs import CASES, ROOT

CASE = CASES / "V12.yaml"
LEDGER = Path(__file__).with_name("ledger.py")
MEND = "import collections, collections.abc; collections.Mapping = collections.abc.Mapping; "  # for frozendict 1.2
FLOOR = (sys.executable, "-c", "pass")
FOUNDATIONS = (sys.executable, "-c", MEND + "import click, yaml, networkx, experta")
CLICK = (sys.executable, "-c", "import click")
MODULE = (sys.executable, "-m", "psoas_cli")
TARGET = 2.0
STEERING = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONOPTIMIZE")


@dataclass(frozen=True)
class Started:
    """A command, what it was measured against, and how they compare."""

    command: str
    against: str
    ours: float  # ms
    theirs: float  # ms
    ratio: Ratio


@dataclass(frozen=True)
class StartUp:
    """All measurements of start-up."""

    rows: tuple[Started, ...]
    floor: float  # ms for `python -c pass`
    accounts: dict[str, float]  # where one consultation's ms go, in one process
    rounds: int


def measure(rounds: int) -> StartUp:
    """Measure every command, each against its own yardstick, and one consultation from inside."""
    rows = []
    for name, program in _programs().items():
        consult, usage = (*program, "consult", str(CASE)), (*program, "--help")
        checkout = program is MODULE
        rows.append(_started(f"{name} consult V12.yaml", consult, "the four imports", FOUNDATIONS, rounds, checkout))
        rows.append(_started(f"{name} --help", usage, "`import click`", CLICK, rounds, checkout))
    floor = milliseconds(interleaved({"floor": process(FLOOR)}, rounds)["floor"])
    return StartUp(tuple(rows), floor, _accounts(rounds), rounds)


def _programs() -> dict[str, tuple[str, ...]]:
    """Return how the command line can be started here: the installed script only where there is one."""
    programs = {"python -m psoas_cli": MODULE}
    script = Path(sys.executable).with_name("psoas")
    if script.is_file():
        programs["psoas"] = (str(script),)
    return programs


def _started(
    command: str, ours: tuple[str, ...], against: str, theirs: tuple[str, ...], rounds: int, checkout: bool
) -> Started:
    times = interleaved({"ours": process(ours, checkout), "theirs": process(theirs, checkout)}, rounds)
    return Started(
        command,
        against,
        milliseconds(times["ours"]),
        milliseconds(times["theirs"]),
        ratio(times["ours"], times["theirs"]),
    )


def process(command: tuple[str, ...], checkout: bool = True) -> Callable[[], str]:
    """Return a task: run `command` to its end and return what it printed; it must succeed.

    It finds the modules of this checkout, or only what is installed.
    """
    environment = {name: value for name, value in os.environ.items() if name not in STEERING}
    environment["PYTHONPYCACHEPREFIX"] = _compiled()
    if checkout:
        environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("engine", "cli"))

    def task() -> str:
        done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT, check=True)
        return done.stdout.decode()

    return task


@cache
def _compiled() -> str:
    """Return a folder for compiled modules, which the first, uncounted run of everything fills; gone at the end.

    What lies beside the modules may be stale or missing, on one side only: then it is the compiler that is measured.
    """
    folder = tempfile.mkdtemp(prefix="bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _accounts(rounds: int) -> dict[str, float]:
    """Return account → ms of one consultation, medians over processes; `everything` is the sum."""
    ledger = process((sys.executable, str(LEDGER), str(CASE)))
    ledger()
    books = []
    for _ in range(rounds):
        start = perf_counter()
        book = json.loads(ledger())["spent"]
        inside = book.pop("everything")
        book["parsing the command, printing"] = inside - sum(book.values())
        book["starting Python and clearing up at its end"] = perf_counter() - start - inside
        books.append(book)
    accounts = {name: 1000 * statistics.median(book[name] for book in books) for name in books[0]}
    return {**accounts, "everything": sum(accounts.values())}
