"""The `Status` of the signatures → `Document`."""

from __future__ import annotations

from collections.abc import Iterator

from psoas.audit.status import STATES, Status, signature_flaws
from psoas.knowledge.signatures import Signing
from psoas.readings.phrase import listed
from psoas.telling.document import Block, Document, Entries, Entry, Paragraph, Section

NAMES = {
    "signed": "signed",
    "stale": "stale (signed before a later change)",
    "disputed": "disputed",
    "commented": "commented only",
    "unsigned": "signed by nobody",
}
"""State → how it is told."""


def status_document(found: Status) -> Document:
    """Return how the knowledge base stands by its signatures, for people."""
    deciding, every = found.count(found.deciding), found.count(found.all)
    told: list[Block] = []
    if not every.total - every.unsigned:
        told.append(Paragraph("Signed by nobody: no expert has reviewed any of this yet."))
    told.append(Paragraph(f"Of {deciding.total} rules and remedies: {_counted(found, found.deciding)}."))
    told.append(Paragraph(f"Of all {every.total} items, questions and causes included: {_counted(found, found.all)}."))
    topics = tuple(Entry(topic, f"{len(items)}: {_counted(found, items)}") for topic, items in found.topics.items())
    sections = (Section("To be done", tuple(_to_do(found))), Section("By topic", (Entries(topics),)))
    return Document("Signatures", tuple(told), tuple(section for section in sections if section.blocks))


def _counted(found: Status, items: tuple[Signing, ...]) -> str:
    count = found.count(items)
    parts = [f"{getattr(count, state)} {NAMES[state]}" for state in STATES if getattr(count, state)]
    if count.overdue:
        parts.append(f"of those signed, {count.overdue} overdue (more than {found.months:g} months ago)")
    return listed(parts) if parts else "none"


def _to_do(found: Status) -> Iterator[Block]:
    entries = tuple(Entry(flaw.message, str(flaw.place), (("", f"{flaw.mend}."),)) for flaw in signature_flaws(found))
    if entries:
        yield Entries(entries)
    elif found.count(found.all).unsigned:
        yield Paragraph(
            "psoas audit review goes through what is not signed, card by card; docs/reviewing.md tells how."
        )
