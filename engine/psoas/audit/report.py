"""What an audit found: one flaw an entry, with its place and what to do; as text, JSON and SARIF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from psoas.faults import Place

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
    mend: str = ""  # what to do about it
    others: tuple[str, ...] = ()  # ids of the other items involved
