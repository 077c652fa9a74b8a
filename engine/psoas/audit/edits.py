"""What changed between two versions of a knowledge base, item by item and field by field, in words."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from psoas.audit.sentences import verdicts
from psoas.faults import Place
from psoas.knowledge.conditions import All, AtLeast, Holds, Not, Test
from psoas.knowledge.digest import digest
from psoas.knowledge.formulas import Formula
from psoas.knowledge.model import Alternatives, Invariant, Knowledge, Span
from psoas.readings.phrase import Phrases, number

SAID = ("if", "unless", "then", "level", "strength", "because")
"""The fields of a rule that its sentence says."""

Texts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One field, by the key it has in the files: what stood there and stands there no longer, and what does now."""

    field: str
    before: Texts
    after: Texts


@dataclass(frozen=True, slots=True)
class Edit:
    """One item that is new, gone, renamed or other than before: its sentence before and after, and its fields."""

    shelf: str
    item: str
    kind: Literal["added", "removed", "renamed", "changed"]
    place: Place
    before: str = ""
    after: str = ""
    was: str = ""  # of one that is renamed: its id before
    fields: tuple[Change, ...] = ()


def edits(
    old: Knowledge, new: Knowledge, sentences: tuple[tuple[Invariant, ...], tuple[Invariant, ...]] = ((), ())
) -> Iterator[Edit]:
    """Yield what changed, in the order of the shelves; `sentences` are the invariants of both versions."""
    phrases = Phrases(old, verdicts(old)), Phrases(new, verdicts(new))
    shelves = [_shelves(version, said) for version, said in zip((old, new), sentences, strict=True)]
    for shelf, after in shelves[1].items():
        before = shelves[0].get(shelf, {})
        renamed = _renamed(before, after)
        for name in sorted({*before, *after}):
            if name in renamed.values():
                continue
            if name in renamed:
                yield _edit(shelf, "renamed", phrases, before[renamed[name]], after[name], renamed[name])
            elif name not in after:
                yield _edit(shelf, "removed", phrases, before[name], None)
            elif name not in before:
                yield _edit(shelf, "added", phrases, None, after[name])
            elif digest(before[name]) != digest(after[name]):
                yield _edit(shelf, "changed", phrases, before[name], after[name])


def _shelves(knowledge: Knowledge, sentences: tuple[Invariant, ...]) -> dict[str, Mapping[str, Any]]:
    return {
        "manifest": {"knowledge": knowledge.manifest},
        **knowledge.shelves,
        "not_modelled": {name: omission for omission in knowledge.omissions for name in omission.omits},
        "suppressions": {f"{item.check} {item.item}": item for item in knowledge.suppressions},
        "invariants": {item.id: item for item in sentences},
    }


def _renamed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Return new id → old id of what says the same under another id."""
    gone = {_bare(before[name]): name for name in sorted(before.keys() - after.keys(), reverse=True)}
    found: dict[str, str] = {}
    for name in sorted(after.keys() - before.keys()):
        same = gone.pop(_bare(after[name]), None)
        if same is not None:
            found[name] = same
    return found


def _bare(item: Any) -> str:
    return digest(dataclasses.replace(item, id="")) if hasattr(item, "id") else digest(item)


def _edit(
    shelf: str,
    kind: Literal["added", "removed", "renamed", "changed"],
    phrases: tuple[Phrases, Phrases],
    before: Any,
    after: Any,
    was: str = "",
) -> Edit:
    item = before if after is None else after
    name = getattr(item, "id", "") or (f"{item.check} {item.item}" if hasattr(item, "check") else "knowledge")
    if hasattr(item, "omits"):
        name = ", ".join(item.omits)
    said = [phrases[n].item(each) if each is not None else "" for n, each in enumerate((before, after))]
    told = [tell(phrases[n], each) if each is not None else {} for n, each in enumerate((before, after))]
    if kind == "changed" and said[0] == said[1]:
        said = [said[0], ""]
    changes = tuple(
        Change(label, *_apart(told[0].get(label, ()), told[1].get(label, ())))
        for label in dict.fromkeys([*told[0], *told[1]])
        if told[0].get(label, ()) != told[1].get(label, ())
    )
    return Edit(shelf, name, kind, item.place, said[0], said[1], was, changes)


def _apart(before: Texts, after: Texts) -> tuple[Texts, Texts]:
    """Return the texts that are in one of two lists only; both whole where only the order differs."""
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    return (tuple(gone), tuple(come)) if gone or come else (before, after)


def tell(phrases: Phrases, item: Any) -> dict[str, Texts]:
    """Return what stands in `item`, any noun of the model: key in the files → texts in English."""
    found: dict[str, Texts] = {}
    for field in dataclasses.fields(item):
        if field.name not in ("id", "place"):
            label = str(field.metadata.get("key") or field.name)
            found.update(_texts(phrases, label, getattr(item, field.name)))
    return {label: texts for label, texts in found.items() if texts}


def _texts(phrases: Phrases, label: str, value: Any) -> Iterator[tuple[str, Texts]]:
    """Yield the texts of one field; of parts with an id a label each."""
    if isinstance(value, Alternatives):
        yield label, tuple(map(phrases.condition, value))
    elif isinstance(value, Mapping):
        yield label, tuple(f"{name}: {text}" for name, text in value.items())
    elif isinstance(value, tuple):
        named = [part for part in value if hasattr(part, "id")]
        for part in named:
            yield from ((f"{label} {part.id}: {key}", texts) for key, texts in tell(phrases, part).items())
        yield label, tuple(part.id if hasattr(part, "id") else _text(phrases, label, part) for part in value)
    else:
        text = _text(phrases, label, value)
        yield label, (text,) if text else ()


def _text(phrases: Phrases, label: str, value: Any) -> str:
    if isinstance(value, Test | Holds | All | AtLeast | Not):
        return phrases.condition(value)
    if isinstance(value, Formula):
        return value.text
    if isinstance(value, Span):
        return f"{number(value.low)} to {number(value.high)}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if dataclasses.is_dataclass(value):
        parts = tell(phrases, value)
        return "; ".join(f"{key}: {', '.join(texts)}" for key, texts in parts.items())
    known = value in phrases.knowledge.conclusions and label in ("then", "for")
    return f"{phrases.symbol(value)} [{value}]" if known else str(value or "")


def unsaid(edit: Edit) -> tuple[Change, ...]:
    """Return the changes of `edit` that its sentences do not say already."""
    if edit.kind in ("added", "removed"):
        return ()
    said = SAID if edit.shelf == "rules" and edit.after else ()
    return tuple(
        change
        for change in edit.fields
        if change.field not in said
        and not (edit.after and _within(change.before, edit.before) and _within(change.after, edit.after))
    )


def _within(texts: Texts, sentence: str) -> bool:
    return all(text in sentence for text in texts)
