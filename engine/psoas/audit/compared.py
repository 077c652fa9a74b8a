"""A comparison of two versions → text for people, and JSON: what changed, in which cases, and what is proved."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psoas.audit.difference import Moved, Outcome, Proved, Shift
from psoas.audit.edits import Change, Edit, unsaid
from psoas.audit.report import count_of
from psoas.audit.wording import filled
from psoas.case import case_of, case_text, plain
from psoas.faults import visible
from psoas.knowledge.model import Knowledge
from psoas.memory import State

if TYPE_CHECKING:
    from psoas.audit.cohort import Drift


@dataclass
class Comparison:
    """What was found of two versions, as far as it got."""

    old: Knowledge
    new: Knowledge
    edits: list[Edit] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    cases: int = 0  # worked cases held against both
    unread: tuple[str, ...] = ()  # worked cases that one version cannot read
    proved: Proved | None = None
    unproved: str = ""  # why nothing was proved
    stopped: bool = False  # somebody broke it off
    drift: Drift | None = None  # what the two make of a table, if one was given

    @property
    def fails(self) -> bool:
        """Whether some case is triaged less urgently, or that could not be excluded."""
        return self.proved is None or self.proved.less is not None


# text


def to_text(it: Comparison) -> str:
    """Return `it` as text, 80 columns wide."""
    lines = [*_edits(it.edits), "", *_cases(it), "", *_proof(it)]
    if it.drift is not None:
        lines += ["", *_cohort(it.drift)]
    return "\n".join(lines) + "\n"


def _edits(edits: list[Edit]) -> Iterator[str]:
    yield f"{count_of(len(edits), 'item')} changed" if edits else "Nothing changed."
    for edit in edits:
        was = f", was {edit.was}" if edit.was else ""
        yield f"  {edit.kind:<8} {edit.item}  ({edit.shelf}{was}; {visible(edit.place.file)}:{edit.place.line})"
        if edit.before and edit.kind == "changed" and not edit.after:
            yield from filled(edit.before, "      ")
        else:
            shown = (("-", edit.before), ("+", edit.after)) if edit.kind != "renamed" else (("", edit.after),)
            yield from (line for sign, text in shown if text for line in filled(text, f"    {sign:<1} ", "      "))
        for change in unsaid(edit):
            yield from _change(change)


def _change(change: Change) -> Iterator[str]:
    yield f"      {change.field}"
    for sign, texts in (("-", change.before), ("+", change.after)):
        yield from (line for text in texts for line in filled(text, f"        {sign} ", "          "))


def _cases(it: Comparison) -> Iterator[str]:
    if it.shifts:
        yield f"{len(it.shifts)} of {it.cases} worked cases come out differently"
    else:
        yield f"Every worked case ({it.cases}) comes out as before." if it.cases else "There are no worked cases."
    for shift in it.shifts:
        yield from filled(f"{shift.case}: {'; '.join(_moved(shift.before, shift.after))}", "  ", "    ")
    if it.unread:
        text = f"{count_of(len(it.unread), 'worked case')} cannot be read by both versions: {', '.join(it.unread)}"
        yield from filled(text, "", "  ")


def _moved(before: Outcome, after: Outcome) -> Iterator[str]:
    if before.level != after.level:
        yield f"{before.level} → {after.level}"
    if before.lead != after.lead:
        yield f"leading cause {before.lead or 'none'} → {after.lead or 'none'}"
    gone, come = set(before.causes) - set(after.causes), set(after.causes) - set(before.causes)
    told = {"no longer named": gone, "now named": come}
    gone, come = set(before.remedies) - set(after.remedies), set(after.remedies) - set(before.remedies)
    told |= {"no longer given": gone, "now given": come}
    for how, names in told.items():
        if names:
            yield f"{how}: {', '.join(sorted(names))}"
    if before != after and not any(told.values()) and before.lead == after.lead and before.level == after.level:
        yield "the causes come in another order"


def _proof(it: Comparison) -> Iterator[str]:
    if it.proved is None:
        yield from filled(f"Not proved: {it.unproved}.")
        return
    proved = it.proved
    if proved.same:
        changed = "what changed alters nothing; every" if it.edits else "every"
        yield from filled(
            f"Proved: {changed} possible case gets the same level, the same conclusions and the same remedies as "
            "before (certainties and texts apart)."
        )
        yield from filled("Proved: no possible case is triaged less urgently than before.")
        return
    if proved.less is None:
        yield from filled("Proved: no possible case is triaged less urgently than before.")
    if proved.levels:
        yield from filled("Proved: every possible case gets the same level as before.")
    for how, moved in (("more", proved.more), ("less", proved.less)):
        if moved is not None:
            yield from filled(
                f"Triaged {how} urgently: the smallest case found was {moved.before} and is {moved.after}."
            )
            yield from _case(it.new, f"{how}-urgent", moved.case)
    if proved.other is not None:
        text = f"was {proved.other.before} and is {proved.other.after}"
        yield from filled(f"Triaged otherwise, though not less urgently: the smallest case found {text}.")
        yield from _case(it.new, "otherwise-judged", proved.other.case)
    told = {
        "Conclusions that some possible case now comes to": proved.come,
        "Conclusions that some possible case no longer comes to": proved.gone,
        "Remedies that some possible case is now given": proved.given,
        "Remedies that some possible case is no longer given": proved.taken,
    }
    for what, names in told.items():
        if names:
            yield from filled(f"{what}: {', '.join(names)}", "", "  ")
    if proved.example is not None:
        yield from filled(f"The smallest case found that is now given {proved.given[0]}:")
        yield from _case(it.new, f"now-given-{proved.given[0]}", proved.example)


def _cohort(drift: Drift) -> Iterator[str]:
    yield f"{drift.changed:,} of {drift.rows:,} rows of the table come out differently"
    for change in drift.dispositions:
        more = [] if change.rows == len(change.examples) else ["…"]
        rows = ", ".join([*map(str, change.examples), *more])
        yield f"  {change.rows:>10,}  {change.before} → {change.after}  (row {rows})"
    for verb, sides in (("come", drift.come), ("gone", drift.gone)):
        for what, counts in sides.items():
            yield from (f"  {count:>10,}  {verb}: {name}  ({what})" for name, count in counts.items())


def _case(knowledge: Knowledge, name: str, answers: Mapping[str, State]) -> list[str]:
    known = {finding: state for finding, state in answers.items() if finding in knowledge.findings}
    return [f"  {line}" for line in case_text(knowledge, case_of(name, known)).splitlines()]


# JSON


def to_json(it: Comparison) -> str:
    """Return `it` as the JSON object `psoas.difference/1`."""
    proved = it.proved
    record: dict[str, Any] = {
        "format": "psoas.difference/1",
        "changed": [_edit(edit) for edit in it.edits],
        "compared_cases": it.cases,
        "cases": [dataclasses.asdict(shift) for shift in it.shifts],
        "unread_cases": list(it.unread),
        "proved": proved is not None,
        "unproved": it.unproved,
        "stopped": it.stopped,
        "same": proved.same if proved else None,
        "less_urgent": _record(proved.less) if proved else None,
        "more_urgent": _record(proved.more) if proved else None,
        "otherwise_judged": _record(proved.other) if proved else None,
        "conclusions": {"gained": list(proved.come), "lost": list(proved.gone)} if proved else None,
        "remedies": None,
    }
    if proved:
        example = _answers(proved.example) if proved.example is not None else None
        record["remedies"] = {"gained": list(proved.given), "lost": list(proved.taken), "case": example}
    if it.drift is not None:
        record["cohort"] = dataclasses.asdict(it.drift)
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def _edit(edit: Edit) -> dict[str, Any]:
    told = dataclasses.asdict(edit)
    told["place"] = {"file": edit.place.file, "line": edit.place.line}
    return told


def _record(moved: Moved | None) -> dict[str, Any] | None:
    return None if moved is None else {"from": moved.before, "to": moved.after, "case": _answers(moved.case)}


def _answers(case: Mapping[str, State]) -> dict[str, Any]:
    return {name: plain(state) for name, state in sorted(case.items())}
