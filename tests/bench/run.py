"""Measure everything in one run: `python tests/bench/run.py [--quick] [--only SECTION] [--write]`.

--quick: tiny sizes, to see that it works; its numbers mean nothing. --only: that section alone, and may be given
several times. --write: regenerate docs/benchmarks.md, which takes all sections.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = str(Path(__file__).parent)
sys.path[:] = [path for path in sys.path if path != HERE]  # its modules are `bench.…`, and hide nobody else's
sys.path[:0] = [str(ROOT / part) for part in ("engine", "cli", "tests") if str(ROOT / part) not in sys.path]

from bench import cohort, firing, foresight, lane, plots, questions, report, speed, startup  # noqa: E402
from bench.programs import shipped, synthetic  # noqa: E402
from psoas.consultation import Consultant  # noqa: E402


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    processes: int  # rounds of whole processes
    shipped: tuple[int, int]  # cases of the shipped knowledge base, rounds
    sizes: dict[int, tuple[int, int]]  # rules → (cases, rounds) against stock experta
    growth: tuple[int, int]  # cases, rounds of our engine alone
    foresight: int  # rounds
    lane: tuple[
        int, tuple[int | None, int], int
    ]  # worked cases timed; others (None: all) and random ones compared; rounds
    cohort: cohort.Size
    questions: tuple[int | None, int, int]  # worked cases (None: all), random cases, rounds


FULL = Plan(
    processes=31,
    shipped=(24, 5),
    sizes={100: (10, 9), 200: (10, 5), 500: (4, 5), 1000: (2, 3), 2000: (1, 3)},
    growth=(10, 15),
    foresight=15,
    lane=(24, (None, 500), 9),
    cohort=cohort.Size(
        rows=(10**4, 10**5, 10**6, 10**7),
        against=10**6,
        sample=300,
        stock=20,
        checked=1000,
        rounds=5,
        rules=(100, 200, 500, 1000, 2000, 5000),
        rule_rows=(20_000, 10),
        bank=3000,
    ),
    questions=(None, 2000, 15),
)
QUICK = Plan(
    processes=1,
    shipped=(1, 1),
    sizes={20: (2, 1), 40: (2, 1)},
    growth=(2, 1),
    foresight=1,
    lane=(1, (2, 4), 1),
    cohort=cohort.Size(
        rows=(20, 40), against=30, sample=2, stock=1, checked=5, rounds=1, rules=(20, 40), rule_rows=(20, 2), bank=10
    ),
    questions=(2, 2, 1),
)


def _firing(plan: Plan) -> report.Firing:
    fired = [firing.compare(shipped(plan.shipped[0])[1], *plan.shipped)]
    fired += [firing.compare(synthetic(size, cases), cases, rounds) for size, (cases, rounds) in plan.sizes.items()]
    cases = plan.growth[0]
    return report.Firing(tuple(fired), firing.compare(synthetic(min(plan.sizes), cases, negation=False), cases, 1))


SECTIONS: Mapping[str, Callable[[Plan], Any]] = {
    "startup": lambda plan: startup.measure(plan.processes),
    "firing": _firing,
    "growth": lambda plan: firing.grow(tuple(plan.sizes), *plan.growth),
    "foresight": lambda plan: foresight.measure(*shipped(plan.shipped[0]), plan.foresight),
    "lane": lambda plan: lane.measure(shipped(1)[0], *plan.lane),
    "cohort": lambda plan: cohort.measure(Consultant(shipped(1)[0]), plan.cohort),
    "questions": lambda plan: questions.measure(shipped(1)[0], *plan.questions),
}
"""Names of the parts of `report.Results`, in the order of measuring."""


def measure(plan: Plan, sections: Sequence[str] = tuple(SECTIONS), progress: bool = False) -> report.Results:
    """Measure the `sections` of what `plan` says."""
    from time import perf_counter

    measured: dict[str, Any] = {}
    for section, work in SECTIONS.items():
        if section in sections:
            start = perf_counter()
            measured[section] = work(plan)
            if progress:
                print(f"measured {section} in {perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return report.Results(**measured, load=load_average())


def load_average() -> float | None:
    """Return how many processes wanted a processor during the last five minutes, where the system says so."""
    import os

    return os.getloadavg()[1] if hasattr(os, "getloadavg") else None


def pictures(results: report.Results) -> dict[str, str]:
    """Return file under docs/ → the picture, for the sections that were measured."""
    drawn = {}
    if results.questions:
        drawn[report.PICTURE] = questions.histogram(results.questions)
    if results.cohort:
        drawn |= {speed.SPEEDS: plots.speeds(results.cohort), speed.GROWTH: plots.growths(results.cohort)}
    return drawn


def main() -> None:
    """Measure, print, and with --write rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--only", action="append", choices=tuple(SECTIONS), help="measure this section alone")
    parser.add_argument("--write", action="store_true", help="regenerate docs/benchmarks.md")
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("the page takes all sections at full size: --write goes without --quick and --only")
    sections = options.only or tuple(SECTIONS)
    if "cohort" in sections and find_spec("duckdb") is None:
        parser.error("cohorts need duckdb: pip install 'psoas[bench]'")
    results = measure(QUICK if options.quick else FULL, sections, progress=True)
    page = report.markdown(results)
    print(page)
    if options.write:
        for name, text in {"benchmarks.md": page, **pictures(results)}.items():
            target = ROOT / "docs" / name
            target.write_text(text, encoding="utf-8")
            print(f"wrote {target.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
