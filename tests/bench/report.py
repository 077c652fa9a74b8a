"""The measurements of one run as the page docs/benchmarks.md."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import firing, questions, speed, startup
from bench.cohort import Cohort
from bench.firing import Fired, Grown
from bench.foresight import Foresight
from bench.lane import Lane
from bench.page import filled, met, table
from bench.questions import Questions
from bench.startup import StartUp

PACKAGES = ("experta", "networkx", "click", "PyYAML", "duckdb", "clipspy", "zen-engine")
WHOLE = "everything"
PICTURE = "images/interview-entries.svg"


@dataclass(frozen=True)
class Firing:
    """One case through `fire`."""

    rows: tuple[Fired, ...]  # the shipped knowledge base first
    plain: Fired  # without negation


@dataclass(frozen=True)
class Results:
    """All measurements of one run; None for a part that was left out."""

    startup: StartUp | None = None
    firing: Firing | None = None
    growth: Grown | None = None
    foresight: Foresight | None = None
    lane: Lane | None = None
    cohort: Cohort | None = None
    questions: Questions | None = None
    load: float | None = None


def markdown(it: Results) -> str:
    """Return the page; where a part was left out, without it."""
    parts = [
        _head(it),
        _summary(it),
        it.startup and _startup(it.startup),
        it.firing and _fire(it.firing),
        it.growth and _growth(it.growth),
        it.foresight and _foresight(it.foresight),
        it.lane and speed.cases(it.lane),
        it.cohort and speed.cohorts(it.cohort),
        it.questions and _questions(it.questions),
    ]
    return "\n\n".join(filled(part) for part in parts if part) + "\n"


def _head(it: Results) -> str:
    load = f" {it.load:.1f} processes wanted a processor on average while it ran." if it.load is not None else ""
    return f"""
# Benchmarks

Written by `python tests/bench/run.py --write`; do not edit.

**All ratios on this page are from one run**, on one machine that did other work meanwhile. Milliseconds are for a
sense of scale and differ from machine to machine; the ratios are what to compare. No test asserts any of them.

## Method

- Two things are compared by running them in turn, A B A B …, after one run of each that does not count. Each A is
  divided by the B right after it; given are the median of these ratios and, in brackets, the middle half of them.
  Milliseconds are medians.
- A process is timed from its start to its end, all modules compiled beforehand (into a folder of the run's own, so
  that no side has an older or a missing file).
- Inside a process the garbage collector is off while the clock runs, as in `timeit`. A network is built once and
  reset for each case, and a case is worked out afresh each time.
- Before engines are timed against each other their results are compared, on the same cases: what is established, and
  by which rules. A third evaluation, which knows nothing of experta (`readings/foresee.py`), must agree too.
- Growth is the exponent e of time ~ rules^e, by least squares over the logarithms, all sizes measured in turn.

## Machine

{_machine()}.{load}
"""


def _machine() -> str:
    versions = ", ".join(filter(None, map(_version, PACKAGES)))
    model = f" ({name})" if (name := _processor()) else ""
    return (
        f"{os.cpu_count()} cores{model}, {platform.system()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}; {versions}"
    )


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _summary(it: Results) -> str:
    rows = [row for part, told in SUMMARIES if getattr(it, part) for row in told(getattr(it, part))]
    return "## Targets\n\n" + table(("ratio, or entries", "target", "measured", ""), rows)


Target = tuple[str, str, str, str]


def _starts(it: StartUp) -> Iterator[Target]:
    for row in it.rows:
        is_met = row.ratio.median <= startup.TARGET
        yield f"`{row.command}` / {row.against}", f"at most {startup.TARGET:.1f}", str(row.ratio), met(is_met)


def _fires(it: Firing) -> Iterator[Target]:
    for fired in it.rows:
        slowest = min(fired.faster, fired.faster_wide, key=lambda ratio: ratio.median)
        name = f"stock experta / `fire`, one case, {fired.name}"
        yield name, f"at least {firing.FASTER:.0f}", str(slowest), met(slowest.median >= firing.FASTER)


def _grows(it: Grown) -> Iterator[Target]:
    name = f"growth of a case, {it.sizes[0]} to {it.sizes[-1]} rules"
    yield name, f"at most {firing.GROWTH}", f"{it.exponent:.2f}", met(it.exponent <= firing.GROWTH)


def _entries(it: Questions) -> Iterator[Target]:
    for held in it.held:
        for what, number, target in (
            ("median", statistics.median(held.entries), questions.MEDIAN),
            ("longest", max(held.entries), questions.MOST),
        ):
            name = f"entries of an interview, {held.name}, {what}"
            yield name, f"at most {target}", f"{number:g}", met(number <= target)


SUMMARIES: tuple[tuple[str, Callable[[Any], Iterator[Target]]], ...] = (
    ("startup", _starts),
    ("firing", _fires),
    ("cohort", speed.targets),
    ("questions", _entries),
    ("growth", _grows),
)


def _startup(it: StartUp) -> str:
    rows = [
        (f"`{row.command}`", f"{row.ours:.0f}", row.against, f"{row.theirs:.0f}", str(row.ratio)) for row in it.rows
    ]
    accounts = {name: ms for name, ms in it.accounts.items() if name != WHOLE}
    whole = it.accounts[WHOLE]
    shares = [
        (name, f"{ms:.1f}", f"{100 * ms / whole:.0f} %")
        for name, ms in sorted(accounts.items(), key=lambda account: -account[1])
    ]
    shares.append(("**everything**", f"{whole:.1f}", "100 %"))
    foundations = sum(accounts.get(f"importing {name}", 0.0) for name in ("click", "yaml", "networkx", "experta"))
    three = [name for name, _ in sorted(accounts.items(), key=lambda account: -account[1])[:3]]
    return f"""
## Start-up

{it.rounds} pairs of processes for each row. A Python that does nothing takes {it.floor:.0f} ms here. "The four
imports" is `import click, yaml, networkx, experta` and nothing else: what the program is built on, and so what it
cannot go below.

{table(("command", "ms", "against", "ms", "ratio"), rows)}

Where the time of one `consult` goes (medians of {it.rounds} more processes, account by account). Accounts exclude each
other: what networkx takes to import is not psoas's.

{table(("account", "ms", "share"), shares)}

**What it means.** A consultation from a cold start is a matter of importing and reading, not of reasoning: firing the
rules is {100 * accounts.get("firing the rules", 0) / whole:.0f} % of it, and importing the packages it is built on is
{100 * foundations / whole:.0f} %. `--help` imports click and nothing else of weight.

**Where we are slow.** The three dearest accounts are: {"; ".join(three)}.
The knowledge base is read and checked anew in each process, on purpose: no cache can go stale, and no file is trusted
that an expert cannot read. Whoever judges many cases keeps one `Consultant`, and pays for none of this twice.
"""


def _fire(it: Firing) -> str:
    cost = [
        (
            row.name,
            f"{row.productions}",
            f"{row.fired:.0f}",
            f"{row.case:.2f}",
            f"{row.case_stock:.0f}",
            str(row.faster),
            f"{row.case_wide:.0f}",
            str(row.faster_wide),
        )
        for row in it.rows
    ]
    build = [
        (row.name, f"{row.build:.0f}", f"{row.build_stock:.0f}", f"{row.build_stock / row.build:.0f}")
        for row in it.rows
    ]
    agree = "; ".join(f"{row.name}: {row.agreeing} of {row.cases}" for row in (*it.rows, it.plain))
    everywhere = all(row.agreeing == row.cases for row in (*it.rows, it.plain))
    stock = (
        "Stock experta is right here because every production has a salience of its own, in the order of the layers; "
        "with equal saliences it can fire rules whose `unless` holds."
        if everywhere
        else "Where they differ, the evaluation without experta says who is wrong; see the smoke test."
    )
    return f"""
## One case through `fire`

Ours ("ms") is experta with the matcher and the agenda of `readings/fire.py`. Stock experta gets *the same productions*
and the same saliences on a plain `KnowledgeEngine`, with its own matcher and strategy, in two spellings: a fact for
each finding, as ours has it, and one wide fact for all findings, mostly the quicker. The target is held against the
better of the two. The made-up programs have 6 layers, a finding to four rules, alternatives, counting, `not` and
`unless`; "fired" is how many rules one case fires.

{table(("program", "productions", "fired", "ms", "stock ms", "ratio", "stock, wide, ms", "ratio"), cost)}

Cases on which all agree: {agree} (the last without negation). {stock}

Building the network, which a process does once (one build each, so without a spread):

{table(("program", "ms", "stock ms", "ratio"), build)}

**What it means.** A case costs us what its own facts touch. Stock experta tests each fact against the type of every
pattern and asks every rule after every firing, so a case costs it facts times rules; that, not the firing itself, is
the difference, and it widens with the rules.

**Where we are slow.** The ratio compares us with stock experta and nothing else. experta's tokens, facts and
activations are Python objects, copied and hashed at every node; engines written in C, or rules translated into
straight-line Python, are faster by orders of magnitude (“A case at a time” and “Cohorts”). For one person's answers that does not
matter. For a cohort it does, and `fire` is the wrong reading for it.
"""


def _growth(it: Grown) -> str:
    rows = [
        (str(size), f"{case:.2f}", f"{1000 * case / size:.0f}", f"{build:.0f}")
        for size, case, build in zip(it.sizes, it.cases, it.builds, strict=True)
    ]
    kind = "In this run it is close to linear." if it.exponent <= firing.GROWTH else "In this run it is not linear."
    return f"""
## Growth

{table(("rules", "ms a case", "µs a case and rule", "ms to build"), rows)}

Exponent of a case: **{it.exponent:.2f}**; of building: {it.exponent_build:.2f}.

**What it means.** Facts grow with rules here (a knowledge base twice as large also asks twice as much), so an exponent
of about 1 is the least that can be hoped for. {kind}

**Where we are slow.** Before each case every memory of the network is emptied, touched or not, which is linear in the
rules however little a case reports. A conclusion that many rules share wakes all of them each time it is established.
"""


def _foresight(it: Foresight) -> str:
    rows = [(row.name, f"{row.case:.2f}", str(row.of_fire)) for row in it.rows]
    return f"""
## Looking ahead

The shipped knowledge base, {it.cases} cases, {it.rounds} rounds; for information, there is no target.

{table(("", "ms a case", "in terms of `fire`"), rows)}

**What it means.** These readings do without experta: they walk the clauses in order. Triage is two such walks over the
part of the program that triage rules depend on.

**Where we are slow.** What would change the advice tries every answer that could: {it.tried:.0f} changed cases for each
case here, each worked out from the one before and not afresh. It grows with the questions that bear on triage times
the answers they allow.
"""


def _questions(it: Questions) -> str:
    rows = [
        (
            held.name,
            f"{len(held.entries)}",
            f"{statistics.median(held.entries):g}",
            f"{sorted(held.entries)[math.ceil(0.9 * len(held.entries)) - 1]}",
            f"{max(held.entries)}",
            *(f"{held.stops.get(stop, 0)}" for stop in ("emergency", "settled", "exhausted")),
            f"{held.agreeing}",
        )
        for held in it.held
    ]
    head = ("cases", "of them", "median", "90 % at most", "most", "emergency", "settled", "exhausted", "same advice")
    shipped, best = it.measured[0], min(it.measured, key=lambda measured: measured.entries)
    behind = f"“{best.name}” needs the fewest entries, {shipped.entries - best.entries:.2f} fewer than the shipped one"
    measures = [(row.name, f"{row.entries:.2f}", f"{row.findings:.1f}", f"{row.decided:.2f}") for row in it.measured]
    return f"""
## Interviews

`psoas consult --replay`: the case answers instead of a person, `unknown` where it is silent. An entry is one line to
type: a list of signs, a few short answers, or a single question. "Same advice" counts the cases in which disposition,
leading cause and remedies are those of the full case (after an emergency, the disposition).

{table(head, rows)}

![How many entries an interview has, by set of cases]({PICTURE})

Thinking between two entries, over the {it.thinking.steps} steps of the shared cases:
{it.thinking.step:.1f} ms on average, {it.thinking.slowest:.0f} ms at the slowest step of the longest. In terms of one
`Consultant.consult` of the same case, the floor of anything that answers with advice: {it.thinking.of_consult}.

What a question is worth, compared on {it.cases} worked cases (means). Whatever is at stake gives each of the n
questions it waits for this much; questions that safety needs come first in any case, in the order written. "Decided"
is after how many entries the disposition and the leading cause were settled.

{table(("weight", "entries", "findings asked", "decided after"), measures)}

**What it means.** It is the certified stop, and what a sheet holds, that keep an interview short; among the weights
there is little to choose ({behind if best is not shipped else "the shipped one needs the fewest entries"}). A fixed order asks more, and tells the leading cause later, because it cannot see which
question leaves others without a point.

**Where we are slow.** Each step is worked out afresh from all answers, by four walks over the clauses. Nobody waits
for it; a thousand replays take minutes.
"""
