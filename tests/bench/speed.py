"""The sections of the page about other engines: a case at a time, and cohorts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.cohort import OVER_CLIPS, OVER_FIRE, SCREEN, Cohort
from bench.lane import CONSULT, STATES, Lane
from bench.page import listed, met, table
from bench.peers import CLIPS, FIRE, STOCK

SPEEDS, GROWTH = "images/cohort-speed.svg", "images/cohort-growth.svg"


def targets(it: Cohort) -> Iterator[tuple[str, str, str, str]]:
    """Yield the rows of the table of targets.

    Each is measured from the row as it stands in the table, which is where `screen` begins; the row after it says how
    it is when the other engine is handed the states of every row, and `screen` is not.
    """
    for name, target in ((FIRE, OVER_FIRE), (CLIPS, OVER_CLIPS)):
        entrant, what = it.of(name), f"rows a second, {SCREEN} / {name}, {it.size.against:,} rows"
        behind = entrant.behind_whole if entrant else None
        yield (
            f"{what}, both from the table",
            f"at least {target:,.0f}",
            str(behind) if behind else "not measured",
            met(behind.median >= target) if behind else "open",
        )
        if entrant and entrant.behind:
            yield f"{what}, {name} from states at hand", "", str(entrant.behind), ""


def cases(it: Lane) -> str:
    """Return the section on one case at a time."""
    rows = [
        (
            entrant.name,
            f"{entrant.case:.3f}",
            str(entrant.of_consult),
            f"{entrant.build:.0f}" if entrant.build is not None else "",
            f"{entrant.agreeing} of {entrant.checked}" if entrant.checked else "",
        )
        for entrant in it.entrants
    ]
    peers = [e for e in it.entrants if e.name not in (CONSULT, STATES, FIRE)]
    ahead = [f"{e.name} {1 / e.of_consult.median:.1f} times as fast" for e in peers if e.of_consult.median < 1]
    behind = [f"{e.name} takes {e.of_consult.median:.1f} times as long" for e in peers if e.of_consult.median >= 1]
    told = [part for part in (listed(ahead), listed(behind)) if part]
    fire = it.of(FIRE)
    share = f", and is {100 * fire.of_consult.median:.0f} % of a consultation" if fire else ""
    return f"""
## A case at a time

One warm process, the shipped knowledge base, {it.cases} worked cases in turn, {it.rounds} rounds. Everybody begins with the answers
of a case and works out what applies and what is calculated by the same code (its own row below). The engines then
conclude: which conclusions, levels, remedies and withholdings hold. `Consultant.consult` does that and everything
else a consultation is: triage in three values, certainty, chains, the order of the causes, the plan.

{table(("", "ms a case", "of a consultation", "ms to build", "cases that agree"), rows)}

{_absent(it.missing)}clipspy, zen-engine and the Python code get the same clauses as `fire`, each in the spelling found quickest for it
(`tests/bench/peer_clips.py` and its neighbours say what was tried). They agree with `foresee` or not on worked cases
and on random ones, with unknowns, sets open in part and refused answers; stock experta on the timed ones only.

**Where a peer is ahead.** Against a whole consultation: {"; ".join(told)}. They conclude and give no reason. `fire` keeps which
answers and conclusions each firing rests on{share}.
"""


def _absent(missing: Mapping[str, str]) -> str:
    return f"Not measured: {'; '.join(missing.values())}.\n\n" if missing else ""


def cohorts(it: Cohort) -> str:
    """Return the section on tables."""
    size = it.size
    rows = [
        (
            entrant.name,
            f"{entrant.ready:,.0f}",
            str(entrant.behind or ""),
            f"{entrant.whole:,.0f}",
            str(entrant.behind_whole or ""),
            f"{entrant.agreeing} of {entrant.checked}",
        )
        for entrant in sorted(it.entrants, key=lambda entrant: -entrant.ready)
    ]
    if it.screen:
        rows.insert(0, (SCREEN, "", "", f"{it.screen:,.0f}", "", f"{it.agreeing} of {size.checked}"))
    head = (
        "",
        "rows a second, states at hand",
        f"{SCREEN} / it",
        "rows a second, from the table",
        f"{SCREEN} / it",
        "rows that agree",
    )
    screened = (
        f"`screen --flags --any-order` does all {size.against:,} rows on all cores, and writes the disposition, all conclusions and what "
        "is set aside."
        if it.screen
        else f"`screen` was not measured: {it.absent}."
    )
    return f"""
## Cohorts

A table of {size.against:,} made-up people (`tests/bench/tables.py`: mostly complete answers, some unknown, not asked or not usable;
every answer fits those it hangs on). {screened} The others take a row at a time, on one core, {size.sample} rows a pass (stock experta {size.stock}),
{size.rounds} passes in turn. "States at hand" is the engine alone. "From the table" begins where `screen` begins: at the
text of a row, which is to be typed, refused where it must be, and worked out; that is our code, and alone it does
{it.reading:,.0f} rows a second. They conclude what holds as the case stands and write nothing; `screen` also
judges ahead what is unsettled, which the disposition needs.

{table(head, rows)}

{_absent(it.missing)}![Rows a second by engine]({SPEEDS})

Growth is the exponent e of time ~ size^e. Rules are made up, as above, with states at hand; `screen` takes a table of
{size.rule_rows[0]:,} rows, the others {size.rule_rows[1]} of them.

{_over_rows(it)}{_over_rules(it)}

![How a table grows with its rows, and a row with the rules]({GROWTH})

**Where a peer is ahead.** {_ahead(it)}
"""


def _over_rows(it: Cohort) -> str:
    if it.rows is None:
        return ""
    rows = [
        (f"{size:,}", f"{seconds:.2f}", f"{size / seconds:,.0f}")
        for size, seconds in zip(it.rows.sizes, it.rows.seconds, strict=True)
    ]
    return f"""{table(("rows", f"seconds of {SCREEN}", "rows a second"), rows)}

Exponent over rows: **{it.rows.exponent:.2f}**; of the two largest tables alone {_last_exponent(it):.2f}: a small table is mostly the
cost of beginning.

"""


def _last_exponent(it: Cohort) -> float:
    from bench.measure import growth

    assert it.rows is not None
    return growth(it.rows.sizes[-2:], it.rows.seconds[-2:])


def _over_rules(it: Cohort) -> str:
    lines = sorted(it.rules, key=lambda line: line.seconds[-1])
    rows = [
        (
            line.name,
            *(f"{1e6 * seconds:,.3g}" if seconds < 1e-3 else f"{1e6 * seconds:,.0f}" for seconds in line.seconds),
            f"{line.exponent:.2f}",
            f"{line.agreeing} of {line.checked}",
        )
        for line in lines
    ]
    head = ("µs a row, by rules", *(f"{size:,}" for size in it.size.rules), "e", "rows that agree")
    return table(head, rows)


def _ahead(it: Cohort) -> str:
    if not it.screen:
        return f"Against `screen` it cannot be said yet. {_over_fire(it)}"
    faster = [entrant.name for entrant in it.entrants if entrant.ready > it.screen]
    said = f"On {it.size.against:,} rows {listed(faster) if faster else 'nobody'}. "
    if it.rows:
        least, seconds = it.rows.sizes[0], it.rows.seconds[0]
        done = [(e.name, min(least, seconds * e.ready)) for e in it.entrants if e.name != STOCK]
        told = listed([f"{name} {rows:,.0f}" for name, rows in sorted(done, key=lambda pair: -pair[1])])
        said += (
            f"On small tables all of them: {SCREEN} takes {seconds:.2f} s for {least:,} rows and hardly less for one; "
            f"in that time, states at hand, the others do (rows): {told}. "
        )
    ours = next((line for line in it.rules if line.name == SCREEN), None)
    if ours:
        for size, seconds, *rest in zip(ours.sizes, ours.seconds, *(line.seconds for line in it.rules), strict=True):
            names = [line.name for line, other in zip(it.rules, rest, strict=True) if other < seconds]
            if names:
                said += f"With {size:,} rules {listed(names)} takes less for a row of this table. "
    return said + _over_fire(it)


def _over_fire(it: Cohort) -> str:
    fire = it.of(FIRE)
    quicker = [(e.name, e.ready / fire.ready) for e in it.entrants if fire and e.ready > fire.ready]
    told = listed([f"{name} {times:.0f} times" for name, times in sorted(quicker, key=lambda pair: -pair[1])])
    return f"Row by row they are ahead of `fire` in rows a second: {told}." if told else ""
