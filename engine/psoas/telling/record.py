"""A `Consultation` as the JSON object of the public contract, `psoas.consultation/1`."""

from __future__ import annotations

import json
from typing import Any

from psoas.case import plain
from psoas.consultation import Consultation
from psoas.interview import Interview
from psoas.memory import Standing
from psoas.nearmiss import Change
from psoas.telling.asking import why

FORMAT = "psoas.consultation/1"


def record(consultation: Consultation, interview: Interview | None = None) -> dict[str, Any]:
    """Return the object; its keys are the contract's, in its order, and nothing in it depends on time or place.

    `interview` adds what was asked, in order (a sheet of several questions as a list), and why it stopped.
    """
    it = consultation
    triage = it.triage
    held: dict[str, Any] = {}
    if interview is not None:
        asked = [sheet[0] if len(sheet) == 1 else list(sheet) for sheet in interview.asked]
        held = {"asked": asked, "stopped": interview.stopped}
    return {
        "format": FORMAT,
        "knowledge": {
            "version": it.knowledge.manifest.version,
            "digest": it.digest,
            "reviewed": {
                "signed": it.signatures.signed,
                "stale": it.signatures.stale,
                "total": it.signatures.total,
            },
        },
        "case": {
            "id": it.case.id,
            "title": it.case.title,
            "answers": {finding: plain(state) for finding, state in it.case.answers.items()},
            "rejected": [
                {"finding": item.finding, "value": item.value, "reason": item.reason} for item in it.case.rejected
            ],
        },
        "disposition": {
            "level": triage.level,
            "within": list(triage.within),
            "review_days": int(it.level.review_days),
            "because": [
                {"rule": rule, "findings": list(it.reasoning.reported(f"rule:{rule}"))} for rule in triage.fired
            ],
            "screen": {"answered": triage.answered, "of": triage.needed, "missing": list(triage.missing)},
        },
        "causes": [
            {
                "id": cause.id,
                "kind": cause.kind,
                "rank": cause.rank,
                "certainty": cause.certainty,
                "rules": list(cause.rules),
                "chain": list(cause.chain),
                "evidence": cause.evidence,
                "sources": list(cause.sources),
            }
            for cause in it.causes
        ],
        "remedies": [
            {
                "id": given.id,
                "for": list(given.treats),
                "tier": given.tier,
                "when": given.occasion,
                "start": given.start,
                "dose": [{"amount": amount, "source": source} for amount, source in given.dose],
                "sources": list(given.sources),
            }
            for given in it.remedies
        ],
        "withheld": [{"id": item.id, "because": list(item.because), "reason": item.reason} for item in it.withheld],
        "disagreements": [
            {
                "id": dispute.id,
                "question": dispute.question,
                "sides": [{"says": says, "sources": list(sources)} for says, sources in dispute.sides],
                "sources": list(dispute.sources),
                "settled": dispute.settled,
            }
            for dispute in it.disputes
        ],
        "ask_next": [{"finding": q.finding, "why": why(it, q)} for q in it.questions],
        "would_change": [
            {
                **_change(turn.changes[0]),
                **({"with": [_change(other) for other in turn.changes[1:]]} if len(turn.changes) > 1 else {}),
                "disposition": turn.disposition,
            }
            for turn in it.turns
        ],
        **held,
    }


def _change(change: Change) -> dict[str, Any]:
    before = None if change.before is Standing.UNASKED else plain(change.before)
    return {"finding": change.finding, "from": before, "to": plain(change.after)}


def to_json(consultation: Consultation, interview: Interview | None = None) -> str:
    """Return the record as JSON text, ending in a newline."""
    return json.dumps(record(consultation, interview), ensure_ascii=False, indent=2) + "\n"
