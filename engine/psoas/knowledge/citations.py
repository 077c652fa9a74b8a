"""Who cites which source: every item of a knowledge base that rests on a claim or a piece of literature."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from psoas.knowledge.model import Knowledge


def citations(knowledge: Knowledge) -> dict[str, tuple[Any, ...]]:
    """Return id of a source → the items that cite it, in themselves or in a part such as a dose or a side.

    Every source of `knowledge` is a key; one that nothing cites has no items.
    """
    found: dict[str, tuple[Any, ...]] = dict.fromkeys(knowledge.sources, ())
    citing = [items for shelf, items in knowledge.shelves.items() if shelf != "sources"]  # a claim only belongs to one
    for items in citing:
        for item in items.values():
            for source in dict.fromkeys(_cited(item)):
                found[source] = (*found.get(source, ()), item)
    return found


def unaccounted(knowledge: Knowledge) -> list[str]:
    """Return the claims (sources that are part `of` another) that nothing cites and no omission explains."""
    omitted = {source for omission in knowledge.omissions for source in omission.omits}
    cited = citations(knowledge)
    return [s.id for s in knowledge.sources.values() if s.of and not cited[s.id] and s.id not in omitted]


def _cited(part: Any) -> Iterator[str]:
    for item in dataclasses.fields(part):
        value = getattr(part, item.name)
        if item.metadata.get("names") == "source":
            yield from (value,) if isinstance(value, str) else value
        elif isinstance(value, tuple):
            yield from (source for each in value if dataclasses.is_dataclass(each) for source in _cited(each))
