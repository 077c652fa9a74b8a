"""Sentences that must hold for every possible case, read from invariants.yaml.

They are written in the rule language. Beside the findings they may test four verdicts: `disposition`, `given`
(remedies, by id, trait or tier; at least one of those named), `only_given` (none but those named) and `unsettled`
(a rule of a screened level could still fire).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from psoas.faults import Fault, Unusable, quoted
from psoas.knowledge.check import known_names
from psoas.knowledge.home import knowledge_home
from psoas.knowledge.model import Answerable, Finding, FindingType, Invariant, Knowledge
from psoas.knowledge.names import unknown_names
from psoas.knowledge.reader import Reader, Skip, listed
from psoas.knowledge.shape import build
from psoas.yamltext import parse, place_of, read_bytes

TYPES: dict[str, FindingType] = {
    "disposition": "one of",
    "given": "any of",
    "only_given": "one of",
    "unsettled": "yes-no",
}
"""The verdicts, and how a test of one is written."""

TOLD = {"disposition": "the level is {}", "given": "{} given", "only_given": "nothing given but {}"}


def verdicts(knowledge: Knowledge) -> dict[str, Answerable]:
    """Return the pseudo-findings an invariant may test."""
    remedies = knowledge.remedies.values()
    named = tuple(dict.fromkeys(name for remedy in remedies for name in (remedy.id, remedy.tier, *remedy.traits)))
    words = {"disposition": [level.id for level in knowledge.manifest.dispositions], "unsettled": ["yes", "no"]}
    found: dict[str, Answerable] = {}
    for name, type_ in TYPES.items():
        told = TOLD.get(name, f"{name}: {{}}")
        values = {word: told.replace("{}", word) for word in words.get(name, named)}
        found[name] = Finding(id=name, name=name, question="", type=type_, values=values)
    return found


def read_invariants(knowledge: Knowledge, home: Path | None = None) -> tuple[Invariant, ...]:
    """Return the invariants in `home` (None: the shipped knowledge base). Raises `Unusable` with every fault."""
    folder = home or knowledge_home()
    path = folder / "invariants.yaml"
    if not path.exists():
        return ()
    name = str(path if home else Path(folder.name) / path.name)
    root = parse(read_bytes(path), name)
    reader = Reader(name, {**knowledge.vocabulary, **verdicts(knowledge)})
    found: dict[str, Invariant] = {}
    for node in listed(root) if root is not None else ():
        try:
            item = build(Invariant, node, reader, place=place_of(node, name))
        except Skip:
            continue
        if found.setdefault(item.id, item) is not item:
            first = f"first at {found[item.id].place}"
            reader.faults.append(Fault(item.place, f"the id {quoted(item.id)} stands twice", first))
    faults = [*reader.faults, *unknown_names(knowledge, known_names(knowledge), reader.mentions)]
    faults += (fault for item in found.values() for fault in _misfits(knowledge, item))
    if faults:
        raise Unusable(faults)
    return tuple(found.values())


def _misfits(knowledge: Knowledge, item: Invariant) -> Iterator[Fault]:
    """Yield what keeps a sentence from being proved: it says nothing, or names an answer that cannot get worse."""
    if not (item.then or item.later or item.rises or item.adds):
        hint = "then: what is to be true where its if: is"
        yield Fault(item.place, f"{item.id} needs one of then:, later:, rises: or adds:", hint)
    elif item.when is not None and not (item.then or item.later):
        yield Fault(item.place, f"{item.id} has an if:, which rises: and adds: do not look at", "leave the if: out")
    for name in item.rises:
        finding = knowledge.findings.get(name)
        if finding is not None and finding.type != "number":
            hint = "write it under adds:" if finding.clear else ""
            yield Fault(item.place, f"{item.id}: rises: takes numbers, and {name} is none", hint)
    for name in item.adds:
        finding = knowledge.findings.get(name)
        if finding is not None and not finding.clear:
            hint = "write it under rises:" if finding.type == "number" else f"give {name} a clear:"
            yield Fault(item.place, f"{item.id}: adds: takes questions with a clear: answer, and {name} has none", hint)
