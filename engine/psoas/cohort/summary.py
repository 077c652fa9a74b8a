"""What came of a table, in numbers: how many in each disposition, the commonest causes, the values set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from psoas.bars import Panel
from psoas.knowledge.model import Knowledge

SHOWN = 10
"""How many causes and columns the text names."""


@dataclass(frozen=True)
class Summary:
    """The counts of one run. Every mapping has the most frequent first, dispositions the most urgent.

    As many rows came out as went in: there is no summary of a run in which they did not.
    """

    rows_in: int
    rows_out: int
    dispositions: Mapping[str, int]
    causes: Mapping[str, int]
    rejected: Mapping[str, int]  # column → values set aside
    unanswered: tuple[str, ...] = ()  # screening questions without a column
    close: Mapping[str, str] = field(default_factory=dict)  # column that answers nothing → finding it is close to
    seconds: float = 0.0


def most_frequent(counts: Mapping[str, int]) -> dict[str, int]:
    """Return `counts`, the greatest first, and by name where they are equal."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def ordered(knowledge: Knowledge, dispositions: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows have each disposition, the most urgent first, those that nobody has included."""
    return {d.id: dispositions.get(d.id, 0) for d in reversed(knowledge.manifest.dispositions)}


def to_text(summary: Summary, knowledge: Knowledge) -> str:
    """Return a summary as text."""
    return "\n".join(_lines(summary, knowledge)) + "\n"


def _lines(it: Summary, knowledge: Knowledge) -> Iterator[str]:
    yield f"{it.rows_in:,} rows in, {it.rows_out:,} rows out: the same"
    yield "Dispositions"
    names = {d.id: d.name for d in knowledge.manifest.dispositions}
    yield from _table(it.dispositions, it.rows_out, names)
    yield "Commonest causes" if it.causes else "No causes"
    named = {name: item.name for name, item in knowledge.conclusions.items()}
    yield from _table(dict(list(it.causes.items())[:SHOWN]), it.rows_out, named)
    if len(it.causes) > SHOWN:
        yield f"  … and {len(it.causes) - SHOWN} more"
    total = sum(it.rejected.values())
    yield f"Values set aside: {total:,}" if total else "No value was set aside"
    yield from (f"  {count:>12,}         {name}" for name, count in list(it.rejected.items())[:SHOWN])
    if len(it.rejected) > SHOWN:
        yield f"  … and {len(it.rejected) - SHOWN} more columns"


def _table(counts: Mapping[str, int], total: int, names: Mapping[str, str]) -> Iterator[str]:
    for name, count in counts.items():
        yield f"  {count:>12,}  {100 * count / total if total else 0:5.1f} %  {names.get(name, name)}  ({name})"


def panels(summary: Summary, knowledge: Knowledge) -> list[Panel]:
    """Return a summary as panels of bars: the dispositions, and the commonest causes."""
    levels = {d.id: d.name for d in knowledge.manifest.dispositions}
    causes = list(summary.causes.items())[:SHOWN]
    return [
        Panel(f"Disposition of {summary.rows_out:,} rows", [(levels[k], n) for k, n in summary.dispositions.items()]),
        Panel("Commonest causes", [(knowledge.conclusions[name].name, count) for name, count in causes]),
    ]


def to_json(summary: Summary) -> str:
    """Return a summary as the JSON object `psoas.screening/1`."""
    record = {"format": "psoas.screening/1", **asdict(summary)}
    record["seconds"] = round(summary.seconds, 3)
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"
