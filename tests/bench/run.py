"""Measure everything in one run: `python tests/bench/run.py [--quick] [--write]`.

--quick: tiny sizes, to see that it works; its numbers mean nothing. --write: regenerate docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("engine", "cli", "tests") if str(ROOT / part) not in sys.path]

from bench import firing, foresight, questions, report, startup  # noqa: E402
from bench.programs import shipped, synthetic  # noqa: E402


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    processes: int  # rounds of whole processes
    shipped: tuple[int, int]  # cases of the shipped knowledge base, rounds
    sizes: dict[int, tuple[int, int]]  # rules → (cases, rounds) against stock experta
    growth: tuple[int, int]  # cases, rounds of our engine alone
    foresight: int  # rounds
    questions: tuple[int | None, int, int]  # worked cases (None: all), random cases, rounds


FULL = Plan(
    processes=31,
    shipped=(24, 5),
    sizes={100: (10, 9), 200: (10, 5), 500: (4, 5), 1000: (2, 3), 2000: (1, 3)},
    growth=(10, 15),
    foresight=15,
    questions=(None, 2000, 15),
)
QUICK = Plan(processes=1, shipped=(1, 1), sizes={20: (2, 1), 40: (2, 1)}, growth=(2, 1), foresight=1, questions=(2, 2, 1))


def measure(plan: Plan, progress: bool = False) -> report.Results:
    """Measure all that `plan` says."""

    def say(what: str) -> None:
        if progress:
            print(f"measuring {what} …", file=sys.stderr, flush=True)

    say("start-up")
    started = startup.measure(plan.processes)
    knowledge, subject = shipped(plan.shipped[0])
    say("the shipped knowledge base")
    fired = [firing.compare(subject, *plan.shipped)]
    for size, (cases, rounds) in plan.sizes.items():
        say(f"{size} rules")
        fired.append(firing.compare(synthetic(size, cases), cases, rounds))
    smallest = min(plan.sizes)
    plain = firing.compare(synthetic(smallest, plan.growth[0], negation=False), plan.growth[0], 1)
    say("growth")
    grown = firing.grow(tuple(plan.sizes), *plan.growth)
    say("foresight")
    looked = foresight.measure(knowledge, subject, plan.foresight)
    say("questions")
    asked = questions.measure(knowledge, *plan.questions)
    return report.Results(started, tuple(fired), plain, grown, looked, asked, load_average())


def load_average() -> float | None:
    """Return how many processes wanted a processor during the last five minutes, where the system says so."""
    import os

    return os.getloadavg()[1] if hasattr(os, "getloadavg") else None


def main() -> None:
    """Measure, print, and with --write rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--write", action="store_true", help="regenerate docs/benchmarks.md")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("numbers of a --quick run are not for the page")
    results = measure(QUICK if options.quick else FULL, progress=True)
    page = report.markdown(results)
    print(page)
    if options.write:
        pages = {"benchmarks.md": page, report.PICTURE: questions.histogram(results.questions)}
        for name, text in pages.items():
            target = ROOT / "docs" / name
            target.write_text(text, encoding="utf-8")
            print(f"wrote {target.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
