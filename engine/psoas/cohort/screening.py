"""A table screened by a knowledge base: the result and the values set aside as files, and a summary of both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from psoas.cohort.engine import Cohort, Engine, Result, form_of
from psoas.cohort.rejects import Reasons, write
from psoas.cohort.summary import Summary, most_frequent, ordered
from psoas.cohort.tables import Keeps, Table, matched
from psoas.disk import replacing
from psoas.faults import Fault, Place, Unusable
from psoas.knowledge.model import Knowledge
from psoas.readings.screen.text import outputs_of


def cohort_of(
    knowledge: Knowledge,
    engine: Engine,
    table: Table,
    *,
    conclusions: bool = False,
    flags: bool = False,
    alone: bool = False,
) -> Cohort:
    """Return a table as a knowledge base reads it, and what is wanted of it.

    That is every conclusion as a list more, or instead of all lists as `flags`; `alone`, without the columns of the
    table. Raises `Unusable`.
    """
    names = [output.name for output in outputs_of(knowledge, conclusions=conclusions, flags=flags)]
    names += ["row"] if engine.numbered else []
    found = matched(knowledge, engine.columns(table), names, str(table.files[0]))
    keeps: Keeps = "nothing" if alone else "the rest" if flags else "everything"
    return Cohort(knowledge, table, replace(found, keeps=keeps, numbered=engine.numbered), conclusions, flags)


def screen_cohort(
    cohort: Cohort, engine: Engine, out: Path, set_aside: Path, *, told: Callable[[str], None] = lambda what: None
) -> Summary:
    """Screen a cohort: write the result to `out`, the values set aside to `set_aside`, and return a summary.

    Neither file is touched if anything goes wrong, an interrupt included. `told` is called with what comes next.
    """
    began, form = time.monotonic(), form_of(out)
    with engine.place(out) as part, replacing(set_aside) as rejects:
        result = Result(part, form)
        told("counting rows")
        rows_in = engine.count(cohort.table)
        told("screening")
        engine.screen(cohort, result)
        told("counting what came of it")
        rows_out = engine.rows_of(result)
        if rows_in != rows_out:
            message = f"{rows_in} rows went in and {rows_out} came out; nothing was written"
            raise Unusable([Fault(Place(str(out)), message, "please report this: it must not happen")])
        dispositions = ordered(cohort.knowledge, engine.tally(result, "disposition", several=False))
        causes = most_frequent(_causes(cohort, engine, result))
        rejected = most_frequent(engine.tally(result, "rejected", several=True))
        told("setting values aside")
        if rejected:
            engine.set_aside(cohort, result, Reasons(cohort.knowledge), rejects)
        else:
            write((), rejects)
    unanswered, close = cohort.match.unanswered, cohort.match.close
    return Summary(rows_in, rows_out, dispositions, causes, rejected, unanswered, close, time.monotonic() - began)


def _causes(cohort: Cohort, engine: Engine, result: Result) -> dict[str, int]:
    if not cohort.flags:
        return engine.tally(result, "causes", several=True)
    knowledge = cohort.knowledge
    kinds = {kind.id for kind in knowledge.manifest.kinds if kind.heading}
    causes = [c.id for c in knowledge.conclusions.values() if c.kind in kinds]
    counts = engine.flagged(result, causes) if causes else {}
    return {cause: count for cause, count in counts.items() if count}
