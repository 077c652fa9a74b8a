"""A `Card` → `Document`, and the JSON object `psoas.card/1`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psoas.audit.boundary import Boundary
from psoas.audit.cards import Card, Link
from psoas.case import plain
from psoas.knowledge.model import (
    Calculated,
    Contradiction,
    Disagreement,
    Finding,
    Knowledge,
    Review,
    Source,
)
from psoas.knowledge.signatures import kind_of
from psoas.memory import Standing, State
from psoas.readings.phrase import Phrases
from psoas.telling.document import Block, Document, Entries, Entry, Paragraph, Section

FEW_CASES = 12
"""How many worked cases a card names; the JSON holds all."""

SIGNED = {"agree": "agrees", "disagree": "disagrees", "comment": "comments"}


def card_document(knowledge: Knowledge, card: Card) -> Document:
    """Return the card as its expert reads it."""
    item = card.item
    opening: list[Block] = [Paragraph(card.says)] if card.says else []
    opening.append(Paragraph(f"{kind_of(item).capitalize()}, {item.place}.{_changed(card)}"))
    about = Entries((Entry("In particular", "", card.about, card.steps),)) if card.about or card.steps else None
    sections = (
        Section("What it says", (about,) if about else ()),
        Section("What its sources say", tuple(_sources(knowledge, card))),
        Section("What feeds it", _links(card.fed_by)),
        Section("What it feeds", _links(card.feeds)),
        Section("Where it is tried", tuple(_tried(knowledge, card))),
        Section("Signatures", tuple(_signatures(card))),
    )
    title = f"{card.title} [{card.signing.name}]" if card.title else card.signing.name
    return Document(title, tuple(opening), tuple(section for section in sections if section.blocks))


def _changed(card: Card) -> str:
    changed = card.changed
    if changed is None:
        return ""
    if not changed.commit:
        return " It has been changed, and the change is not committed yet."
    return f" Changed last on {changed.on} (commit {changed.commit}: {changed.summary})."


def _sources(knowledge: Knowledge, card: Card) -> Iterator[Block]:
    if card.sources:
        yield Entries(tuple(_source(knowledge, source) for source in card.sources))
    if card.defaults:
        yield Paragraph("Something in it rests on no source: it is marked “expert default”, and is yours to judge.")
    elif not card.sources:
        yield Paragraph("It names no source.")


def _source(knowledge: Knowledge, source: Source) -> Entry:
    whole = knowledge.sources.get(source.of)
    about = [
        ("", source.says),
        ("from", source.cite or source.title or (whole and (whole.title or whole.cite)) or ""),
        ("grade", source.grade),
        ("dose", source.dose),
        ("at", source.address),
        ("seen", "only recalled, not read" if source.read == "recalled" else ""),
    ]
    return Entry(source.id, source.kind, tuple((label, text) for label, text in about if text))


def _links(links: tuple[Link, ...]) -> tuple[Block, ...]:
    entries = tuple(Entry(link.id, link.kind, (("", link.says),) if link.says else ()) for link in links)
    return (Entries(entries),) if entries else ()


# where it is tried


DOES: dict[str, tuple[str, str]] = {
    "remedy": ("is indicated", "is not indicated"),
    "conclusion": ("is established", "is not established"),
    "disagreement": ("bears on this", "does not bear on this"),
    "finding": ("is answered", "is not answered"),
    "calculated": ("has a value", "has no value"),
}
"""Kind of item → what it does in a case, and what it does not; any other fires."""


def _tried(knowledge: Knowledge, card: Card) -> Iterator[Block]:
    item = card.item
    if isinstance(item, Contradiction):
        return
    does = DOES.get(kind_of(item), ("fires", "does not fire"))
    where = f"of {card.cases} worked cases{_named(card.fires)}"
    if isinstance(item, Disagreement):
        yield Paragraph(f"It bears on {len(card.fires)} {where}.")
    else:
        yield Paragraph(f"It {does[0]} in {len(card.fires)} {where}.")
    if card.unread:
        yield Paragraph(f"Not counted, as they cannot be read: {', '.join(card.unread)}; psoas audit check says why.")
    if isinstance(item, Finding | Calculated):
        return
    if card.boundary is not None:
        yield Entries(tuple(_pair(knowledge, card.boundary, does)))
    elif card.fires and len(card.fires) == card.cases:
        yield Paragraph("No answer stops it.")
    else:
        yield Paragraph("No worked case is one answer away from its limit. Write one: see docs/writing-rules.md.")


def _named(cases: tuple[str, ...]) -> str:
    if not cases:
        return ""
    more = f", and {len(cases) - FEW_CASES} more" if len(cases) > FEW_CASES else ""
    return f": {', '.join(cases[:FEW_CASES])}{more}"


def _pair(knowledge: Knowledge, pair: Boundary, does: tuple[str, str]) -> Iterator[Entry]:
    for state, said in zip((pair.fires, pair.stops), does, strict=True):
        where = "as it stands" if state == pair.answer else "with one other answer"
        yield Entry(f"{pair.case}: it {said}", where, (("answer", _answer(knowledge, pair.finding, state)),))


def _answer(knowledge: Knowledge, finding: str, state: State) -> str:
    said = Phrases(knowledge).answer(finding, state)
    return said if isinstance(state, Standing) else f"{said} [{finding}: {_written(state)}]"


def _written(state: State) -> str:
    value = plain(state)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


# signatures


def _signatures(card: Card) -> Iterator[Block]:
    signing = card.signing
    if not signing.reviews:
        yield Paragraph("Signed by nobody.")
    else:
        yield Entries(tuple(_review(review, review.digest == signing.digest) for review in signing.reviews))
    if signing.state == "stale":
        yield Paragraph(f"What was signed has changed since: review it again (psoas audit review {signing.name}).")
    yield Paragraph(f"Digest of what it says now: {signing.digest[:12]}…")


def _review(review: Review, current: bool) -> Entry:
    lines = [("comment", review.comment), ("stands in", str(review.place))]
    if not current:
        lines.insert(0, ("stale", f"it holds for an earlier text, with the digest {review.digest[:12]}…"))
    head = f"{review.by}, {review.qualification}, {SIGNED[review.verdict]}"
    return Entry(head, review.on, tuple((label, text) for label, text in lines if text))


def card_record(card: Card) -> dict[str, Any]:
    """Return the card as the JSON object `psoas.card/1`."""
    item, signing, pair = card.item, card.signing, card.boundary
    return {
        "format": "psoas.card/1",
        "id": signing.name,
        "kind": kind_of(item),
        "place": {"file": item.place.file, "line": item.place.line},
        "title": card.title,
        "says": card.says,
        "about": [{"label": label, "text": text} for label, text in card.about],
        "steps": list(card.steps),
        "sources": [
            {"id": s.id, "kind": s.kind, "says": s.says, "cite": s.cite, "address": s.address, "grade": s.grade or ""}
            for s in card.sources
        ],
        "expert_default": card.defaults,
        "fed_by": [{"kind": link.kind, "id": link.id, "says": link.says} for link in card.fed_by],
        "feeds": [{"kind": link.kind, "id": link.id, "says": link.says} for link in card.feeds],
        "fires": list(card.fires),
        "boundary": pair
        and {
            "case": pair.case,
            "finding": pair.finding,
            "answer": plain(pair.answer),
            "fires": plain(pair.fires),
            "stops": plain(pair.stops),
        },
        "changed": card.changed and {"on": card.changed.on, "commit": card.changed.commit},
        "digest": signing.digest,
        "state": signing.state,
        "reviews": [
            {
                "verdict": review.verdict,
                "by": review.by,
                "qualification": review.qualification,
                "on": review.on,
                "comment": review.comment,
                "digest": review.digest,
                "stale": review.digest != signing.digest,
                "place": {"file": review.place.file, "line": review.place.line},
            }
            for review in signing.reviews
        ],
    }
