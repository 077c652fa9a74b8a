"""What came of the worked cases: which come out otherwise than they expect, and which changes none would notice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from psoas.audit.casework.survivors import Tried
from psoas.audit.checks.cases import case_disagrees
from psoas.audit.material import Material
from psoas.audit.report import Audit, Flaw, as_record, count_of, where
from psoas.audit.wording import filled
from psoas.case import plain
from psoas.knowledge.model import Knowledge

DISAGREES, UNNOTICED = "case-disagrees", "unnoticed-change"


@dataclass
class Casework:
    """The worked cases and limits of one knowledge base, run; and what small changes of the rules came to."""

    knowledge: Knowledge
    cases: int
    limits: int
    silent: int  # cases that expect nothing, and so can notice nothing
    misses: tuple[Flaw, ...]
    changes: list[Tried] | None = None  # None: none were tried
    of: int = 0  # how many changes there are; fewer were tried if it was broken off
    proves: bool = True  # whether changes that cannot matter were sorted out by proof
    count: Counter[str] = field(default_factory=Counter)

    def add(self, tried: Tried) -> None:
        """Take in what became of one more change."""
        if self.changes is None:
            self.changes = []
        self.changes.append(tried)
        self.count[tried.verdict] += 1

    @property
    def unnoticed(self) -> tuple[Tried, ...]:
        """The changes that matter and that no case notices."""
        return tuple(tried for tried in self.changes or () if tried.verdict == "unnoticed")

    @property
    def score(self) -> float:
        """How many per cent of the changes that matter are noticed; all of none are."""
        matter = self.count["noticed"] + self.count["unnoticed"]
        return 100 * self.count["noticed"] / matter if matter else 100.0


def run(material: Material) -> Casework:
    """Return how the worked cases and limits come out."""
    cases, limits = material.counted
    silent = sum(worked.case is not None and worked.case.expect is None for worked in material.cases)
    return Casework(material.knowledge, cases, limits, silent, tuple(sorted(set(case_disagrees(material)))))


def verdict(found: Casework) -> str:
    """Return one or two sentences: how many come out as expected, how many changes are noticed."""
    tried = count_of(found.cases, "worked case") + (f" and {count_of(found.limits, 'limit')}" if found.limits else "")
    wrong = len({flaw.item for flaw in found.misses})
    out = f"{tried}: {wrong or 'all'} {'do not ' if wrong else ''}come out as they expect."
    if found.silent:
        out = f"{out.removesuffix('.')}, but {found.silent} expect nothing."
    if found.changes is None:
        return out
    count = found.count
    broken_off = f" (broken off: {len(found.changes)} of {found.of})" if len(found.changes) < found.of else ""
    proof = f", {count['equivalent']} cannot matter to any case, by proof" if found.proves else ""
    circles = f", {count['unusable']} the loader refuses" if count["unusable"] else ""
    return (
        f"{out} {len(found.changes)} small changes{broken_off}: {count['noticed']} are noticed{proof}{circles}, "
        f"{count['unnoticed']} are not. {found.score:.1f} % of those that {'matter' if found.proves else 'were tried'}."
    )


def flaws(found: Casework) -> Iterator[Flaw]:
    """Yield each miss, and each unnoticed change, as a flaw."""
    yield from found.misses
    for tried in found.unnoticed:
        item = tried.mutant.item
        message = f"no case would notice {tried.mutant.says}, in {item.id}"
        yield Flaw(item.place, UNNOTICED, "note", item.id, message)


def as_audit(found: Casework) -> Audit:
    """Return it as an audit, to be written as SARIF."""
    checks = (DISAGREES, UNNOTICED) if found.changes is not None else (DISAGREES,)
    return Audit(found.knowledge, checks, tuple(flaws(found)), (), found.cases, found.limits)


def to_text(found: Casework) -> str:
    """Return it as text: the misses, then the unnoticed changes item by item, then the verdict."""
    lines: list[str] = []
    for flaw in found.misses:
        lines += filled(f"{where(flaw.place)}: {flaw.message}.", "", "    ")
    if found.misses:
        lines.append("")
    if found.unnoticed:
        lines += ["No case would notice", ""]
        lines += _by_item(found.unnoticed)
    if found.changes is not None and not found.proves:
        lines += filled("Some of these cannot matter to any case. To have them proved and left out: " + NEEDS_Z3)
    return "\n".join([*lines, *filled(verdict(found))]) + "\n"


NEEDS_Z3 = "pip install 'psoas[audit]'"


def _by_item(changes: Iterable[Tried]) -> Iterator[str]:
    last = ""
    for tried in sorted(changes, key=lambda tried: (tried.mutant.item.place, tried.mutant.item.id)):
        item = tried.mutant.item
        if item.id != last:
            yield from ([""] if last else [])
            yield f"  {where(item.place)}: {item.id}"
        last = item.id
        yield from filled(tried.mutant.says, "    ", "        ")
    yield ""


def to_json(found: Casework) -> str:
    """Return it as one JSON object."""
    record: dict[str, Any] = {
        "format": "psoas.casework/1",
        "cases": found.cases,
        "limits": found.limits,
        "expect_nothing": found.silent,
        "misses": [as_record(flaw) for flaw in found.misses],
    }
    if found.changes is not None:
        record["changes"] = {
            "of": found.of,
            "tried": len(found.changes),
            "noticed": found.count["noticed"],
            "equivalent": found.count["equivalent"] if found.proves else None,
            "refused": found.count["unusable"],
            "unnoticed": found.count["unnoticed"],
            "percent": round(found.score, 1),
        }
        record["unnoticed"] = [_record(tried) for tried in found.unnoticed]
    record["verdict"] = verdict(found)
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _record(tried: Tried) -> dict[str, Any]:
    item = tried.mutant.item
    apart = None if tried.apart is None else {name: plain(state) for name, state in sorted(tried.apart.items())}
    return {
        "item": item.id,
        "file": item.place.file,
        "line": item.place.line,
        "kind": tried.mutant.kind,
        "change": tried.mutant.says,
        "case": apart,
    }
