"""What a knowledge base has been tried on: claims to rules, questions to rules, rules and thresholds to cases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from psoas.audit.coverage import Coverage
from psoas.audit.material import Worked
from psoas.audit.notation import notation
from psoas.audit.uses import uses
from psoas.consultation import Consultant
from psoas.knowledge.citations import citations
from psoas.knowledge.conditions import Test, leaves
from psoas.knowledge.model import Knowledge, Remedy, Rule, Withholding

Tried = Mapping[str, tuple[str, ...]]
"""What is to be covered → what covers it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a part of the knowledge, and how much of it is covered."""

    part: str
    by: str
    covered: Tried

    @property
    def missing(self) -> tuple[str, ...]:
        """What nothing covers."""
        return tuple(name for name, by in self.covered.items() if not by)

    @property
    def percent(self) -> float:
        """How much is covered; all of nothing is."""
        return 100 * (1 - len(self.missing) / len(self.covered)) if self.covered else 100


@dataclass
class Trial:
    """What the cases, the claims and the questions show of one knowledge base."""

    knowledge: Knowledge
    shown: Coverage = field(default_factory=Coverage)
    cases: int = 0
    broken: list[str] = field(default_factory=list)  # cases that cannot be read
    sides: dict[str, dict[bool, list[str]]] = field(default_factory=dict)  # threshold → on which side → cases


def trial(knowledge: Knowledge, worked: Iterable[Worked]) -> Trial:
    """Return what the `worked` cases try of `knowledge`."""
    found = Trial(knowledge)
    tests = sorted(_thresholds(knowledge), key=lambda test: (test.finding, test.numbers, test.operator))
    found.sides = {notation(test): {True: [], False: []} for test in tests}
    consultant = Consultant(knowledge)
    for each in worked:
        if each.case is None:
            found.broken.append(each.name)
            continue
        found.cases += 1
        consultation = consultant.consult(each.case)
        found.shown.add(consultation)
        for test in tests:
            side = consultation.memory.now(test)
            if side is not None and isinstance(consultation.memory[test.finding], float):
                found.sides[notation(test)][side].append(each.name)
    return found


def table(found: Trial) -> tuple[Row, ...]:
    """Return the rows of the table."""
    know, shown = found.knowledge, found.shown
    rules = [*know.rules, *know.withholdings]
    triage = [rule.id for rule in know.rules.values() if rule.level]
    headed = {kind.id for kind in know.manifest.kinds if kind.heading}
    causes = [c.id for c in know.conclusions.values() if c.kind in headed]
    both = {
        name: tuple(sides[True][:1] + sides[False][:1]) if all(sides.values()) else ()
        for name, sides in found.sides.items()
    }
    return (
        Row("claims", "carried by an item, or left out with a reason", _claims(know)),
        Row("findings", "used by a rule, a remedy, a formula …", uses(know)),
        Row("rules", "that fire in a case", _of(rules, shown.fires)),
        Row("rules", "that one answer keeps from firing in a case", _of(rules, shown.short)),
        Row("triage rules", "that decide a case", _of(triage, shown.decides)),
        Row("thresholds", "with cases on both sides", both),
        Row("causes", "named first in a case", _of(causes, shown.leads)),
        Row("remedies", "given in a case", _of(know.remedies, shown.given)),
        Row("disagreements", "shown in a case", _of(know.disagreements, shown.shown)),
    )


def verdict(found: Trial) -> str:
    """Return one line: how much is covered, and what least."""
    rows = table(found)
    whole = sum(not row.missing for row in rows)
    least = min(rows, key=lambda row: row.percent)
    broken = f"; {len(found.broken)} cases cannot be read: {', '.join(found.broken[:3])}" if found.broken else ""
    if whole == len(rows):
        return f"{found.cases} cases try everything.{broken}"
    return (
        f"{found.cases} cases cover {whole} of {len(rows)} parts wholly; least {least.part} {least.by}: "
        f"{least.percent:.1f} %{broken}."
    )


def to_text(found: Trial, *, whole: bool = False) -> str:
    """Return the table as text; with `whole`, with every item and what covers it."""
    lines = [f"  {'':52}{'covered':>10}{'of':>6}{'%':>8}"]
    for row in table(found):
        counts = f"{len(row.covered) - len(row.missing):>10}{len(row.covered):>6}{row.percent:>8.1f}"
        lines.append(f"  {row.part + ' ' + row.by:52}{counts}" if len(row.part + row.by) < 52 else _wide(row, counts))
    for row in table(found):
        listed = row.covered if whole else dict.fromkeys(row.missing, ())
        if listed:
            lines += ["", f"{row.part.capitalize()} {row.by}" + ("" if whole else ": not these")]
            lines += [_line(found.knowledge, name, by) for name, by in listed.items()]
    return "\n".join([*lines, "", verdict(found)]) + "\n"


def to_json(found: Trial) -> str:
    """Return the table as one JSON object."""
    rows = [
        {
            "part": row.part,
            "by": row.by,
            "covered": len(row.covered) - len(row.missing),
            "of": len(row.covered),
            "percent": round(row.percent, 1),
            "missing": list(row.missing),
            "items": {name: list(by) for name, by in row.covered.items()},
        }
        for row in table(found)
    ]
    record = {
        "format": "psoas.coverage/1",
        "cases": found.cases,
        "unreadable": found.broken,
        "parts": rows,
        "verdict": verdict(found),
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _wide(row: Row, counts: str) -> str:
    return f"  {row.part}\n    {row.by:50}{counts}"


def _line(knowledge: Knowledge, name: str, by: tuple[str, ...]) -> str:
    item = {**knowledge.rules, **knowledge.withholdings, **knowledge.remedies, **knowledge.vocabulary}.get(name)
    place = f"{item.place.file}:{item.place.line}: " if item is not None else ""
    more = f" and {len(by) - 3} more" if len(by) > 3 else ""
    return f"  {place}{name}" + (f"  ← {', '.join(by[:3])}{more}" if by else "")


def _of(names: Iterable[str], covered: Mapping[str, list[str]]) -> Tried:
    return {name: tuple(covered.get(name, ())) for name in names}


def _claims(knowledge: Knowledge) -> Tried:
    omitted = {name for omission in knowledge.omissions for name in omission.omits}
    cited = citations(knowledge)
    return {
        source.id: tuple(item.id for item in cited[source.id]) or (("left out",) if source.id in omitted else ())
        for source in knowledge.sources.values()
        if source.of
    }


def _thresholds(knowledge: Knowledge) -> Iterator[Test]:
    rules: list[Rule | Remedy | Withholding] = [
        *knowledge.rules.values(),
        *knowledge.remedies.values(),
        *knowledge.withholdings.values(),
    ]
    seen: set[Test] = set()
    for rule in rules:
        conditions = [rule.when, *((rule.unless or ()) if isinstance(rule, Rule) else ())]
        for leaf in (leaf for condition in conditions for leaf in leaves(condition)):
            if isinstance(leaf, Test) and leaf.numbers and leaf not in seen:
                seen.add(leaf)
                yield leaf
