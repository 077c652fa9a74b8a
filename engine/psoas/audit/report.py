"""What an audit found: one flaw an entry, with its place and what to do; in text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from psoas.audit.manual import page
from psoas.audit.wording import filled
from psoas.faults import Place, visible
from psoas.knowledge.model import Knowledge, Suppression

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")
"""The mildest first."""


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """One thing an audit found wrong, or worth a look, in one item of the knowledge base."""

    place: Place
    check: str  # id of the check; docs/audit/<check>.md explains it
    severity: Severity
    item: str  # id of the rule, finding, remedy … it is about
    message: str  # what is wrong, naming the item
    mend: str = ""  # what to do about it, if it is more than the page says
    others: tuple[str, ...] = ()  # ids of the other items involved

    @property
    def do(self) -> str:
        """What to do about it."""
        return self.mend or page(self.check).do


@dataclass(frozen=True, slots=True)
class Audit:
    """What the checks found."""

    knowledge: Knowledge | None
    checks: tuple[str, ...]
    flaws: tuple[Flaw, ...]
    suppressed: tuple[tuple[Flaw, Suppression], ...] = ()
    cases: int = 0
    limits: int = 0

    def count(self, severity: Severity) -> int:
        """Return how many flaws have that severity."""
        return sum(flaw.severity == severity for flaw in self.flaws)

    def fails(self, level: str) -> bool:
        """Tell whether a flaw is at `level` or above; `never` is above all."""
        return level in SEVERITIES and any(
            SEVERITIES.index(flaw.severity) >= SEVERITIES.index(level) for flaw in self.flaws
        )


def to_text(audit: Audit, *, notes: bool = True) -> str:
    """Return `audit` as text for people, 80 columns wide; without `notes`, only their number."""
    lines: list[str] = []
    for check in dict.fromkeys(flaw.check for flaw in audit.flaws):
        flaws = [flaw for flaw in audit.flaws if flaw.check == check]
        shown = [flaw for flaw in flaws if notes or flaw.severity != "note"]
        if shown:
            lines += [*_headed(check), *(line for flaw in shown for line in _entry(flaw)), *_doing(shown), ""]
    if audit.suppressed:
        lines += ["Suppressed, with the reason", ""]
        for flaw, reason in audit.suppressed:
            lines += filled(f"{where(flaw.place)}: {flaw.item} ({flaw.check}): {reason.because}", "  ", "      ")
        lines.append("")
    return "\n".join([*lines, *filled(verdict(audit, notes=notes))]) + "\n"


def verdict(audit: Audit, *, notes: bool = True) -> str:
    """Return one line: how much was looked at, and how much was found."""
    found = _counted(audit)
    if audit.knowledge is None:
        return f"It cannot be used as it is: {found}."
    looked = f"{len(audit.checks)} checks of {', '.join(_looked_at(audit, audit.knowledge))}"
    looked = " and ".join(looked.rsplit(", ", 1))
    hidden = audit.count("note") and not notes
    hint = " Show the notes with --notes." if hidden else ""
    hushed = f", {count_of(len(audit.suppressed), 'suppression')}" if audit.suppressed else ""
    sound = "Sound" if not audit.count("error") and not audit.count("warning") else "Not sound"
    sound = "Sound, with warnings" if not audit.count("error") and audit.count("warning") else sound
    return f"{sound}. {looked}: {found}{hushed}.{hint}"


def to_json(audit: Audit) -> str:
    """Return `audit` as one JSON object."""
    record = {
        "format": "psoas.audit/1",
        "checks": list(audit.checks),
        "cases": audit.cases,
        "limits": audit.limits,
        "counts": {severity: audit.count(severity) for severity in reversed(SEVERITIES)},
        "flaws": [as_record(flaw) for flaw in audit.flaws],
        "suppressed": [{**as_record(flaw), "because": reason.because} for flaw, reason in audit.suppressed],
        "verdict": verdict(audit),
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def as_record(flaw: Flaw) -> dict[str, Any]:
    """Return `flaw` as JSON has it."""
    return {
        "check": flaw.check,
        "severity": flaw.severity,
        "item": flaw.item,
        "file": flaw.place.file,
        "line": flaw.place.line,
        "column": flaw.place.column,
        "message": flaw.message,
        "mend": flaw.do,
        "others": list(flaw.others),
        "page": page(flaw.check).address,
    }


def _looked_at(audit: Audit, knowledge: Knowledge) -> Iterator[str]:
    yield count_of(len(knowledge.rules), "rule")
    if audit.cases:
        yield count_of(audit.cases, "worked case")
    if audit.limits:
        yield count_of(audit.limits, "limit")


def _counted(audit: Audit) -> str:
    counts = [count_of(audit.count(severity), severity) for severity in reversed(SEVERITIES)]
    return ", ".join(counts)


def count_of(count: int, noun: str) -> str:
    """Return a number and its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _headed(check: str) -> list[str]:
    about = page(check)
    return [f"{about.title} ({check})", *filled(about.finds, "  "), ""]


def _entry(flaw: Flaw) -> Iterator[str]:
    yield from filled(f"{where(flaw.place)}: {flaw.severity}: {flaw.message}", "  ", "      ")
    if flaw.mend:
        yield from filled(flaw.mend, "      → ", "        ")


def _doing(flaws: Iterable[Flaw]) -> Iterator[str]:
    """Yield once for a check what to do, where a flaw does not say so itself."""
    check = next((flaw.check for flaw in flaws if not flaw.mend), "")
    if check:
        yield from ("", *filled(f"What to do: {page(check).do}", "  "), f"  More: {page(check).address}")


def where(place: Place) -> str:
    """Return a place as a message names it: file and line."""
    return f"{visible(place.file)}:{place.line}" if place.line else visible(place.file)
