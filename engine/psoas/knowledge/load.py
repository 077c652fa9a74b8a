"""A folder of YAML files → a checked `Knowledge`. All faults of all files are reported together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from yaml.nodes import Node, SequenceNode

from psoas.faults import Fault, Place, Unusable, a, quoted, suggest
from psoas.knowledge import model
from psoas.knowledge.check import check, known_names
from psoas.knowledge.files import beside, found, holds
from psoas.knowledge.home import knowledge_home
from psoas.knowledge.language import read_condition
from psoas.knowledge.model import Answerable, Knowledge
from psoas.knowledge.names import unknown_names
from psoas.knowledge.reader import Mention, Places, Reader, Skip, listed, value_of, words
from psoas.knowledge.shape import build
from psoas.yamltext import parse, place_of, read_bytes

Roots: TypeAlias = Mapping[str, list[tuple[str, Node]]]
"""Shelf → the files on it: name and tree."""

MANIFEST = "knowledge"
SHELVES: Mapping[str, type] = {
    "findings": model.Finding,
    "calculated": model.Calculated,
    "contradictions": model.Contradiction,
    "conclusions": model.Conclusion,
    "rules": model.Rule,
    "red_flags": model.Rule,
    "remedies": model.Remedy,
    "withholding": model.Withholding,
    "disagreements": model.Disagreement,
    "sources": model.Source,
    "not_modelled": model.Omission,
    "reviews": model.Review,
    "suppressions": model.Suppression,
}
"""What a file holds, by the name of the file or of the folder it stands in."""

ELSEWHERE = ("cases", "limits", "invariants")
"""Parts of a knowledge base that are not knowledge to reason with; other modules read them."""


def load(folder: Path | None = None) -> Knowledge:
    """Return the knowledge base in `folder` (None: the shipped one).

    Raises `Unusable` with every fault found in it.
    """
    home = folder or knowledge_home()
    reading = _Reading(_read_files(home, home if folder else Path(home.name)))
    places = Places(file for files in reading.roots.values() for file in files)
    manifests, shelves = reading.all()
    faults = [*reading.faults(), *(fault for shelf in shelves.values() for fault in _duplicates(shelf, places))]
    if not manifests:
        raise Unusable(faults)
    knowledge = Knowledge(
        manifest=manifests[0],
        findings=_by_id(shelves["findings"]),
        calculated=_by_id(shelves["calculated"]),
        contradictions=_by_id(shelves["contradictions"]),
        conclusions=_by_id(shelves["conclusions"]),
        rules=_by_id(shelves["rules"]),
        remedies=_by_id(shelves["remedies"]),
        withholdings=_by_id(shelves["withholding"]),
        disagreements=_by_id(shelves["disagreements"]),
        sources=_by_id(shelves["sources"]),
        omissions=tuple(sorted(shelves["not_modelled"], key=lambda omission: omission.omits)),
        reviews=tuple(sorted(shelves["reviews"], key=lambda review: (review.of, review.on, review.by))),
        suppressions=tuple(sorted(shelves["suppressions"], key=lambda item: (item.check, item.item))),
    )
    if faults or reading.broken:
        names = unknown_names(knowledge, known_names(knowledge), reading.mentions(), reading.broken)
        raise Unusable([*faults, *names])
    check(knowledge, reading.mentions(), places)
    return knowledge


def _read_files(home: Path, shown: Path) -> Roots:
    """Return the trees of the files in `home`, which messages call `shown`."""
    _require(home)
    roots: dict[str, list[tuple[str, Node]]] = {}
    faults: list[Fault] = []
    for name in found(home, ELSEWHERE):
        shelf = name.parts[0] if len(name.parts) > 1 else name.stem
        file = str(shown / name)
        try:
            if shelf not in SHELVES and shelf != MANIFEST:
                known = suggest(shelf, SHELVES, f"allowed: {', '.join(SHELVES)}")
                raise Unusable([Fault(Place(file), f"{quoted(shelf)} is no part of a knowledge base", known)])
            if shelf == MANIFEST and (len(name.parts) > 1 or shelf in roots):
                hint = "put what stands here into it"
                raise Unusable([Fault(Place(file), f"there is one manifest, {MANIFEST}.yaml", hint)])
            root = parse(read_bytes(home / name), file)
            if root is not None:
                roots.setdefault(shelf, []).append((file, root))
            elif shelf == MANIFEST:
                hint = "it needs a title, a version, and the scales: dispositions, strengths, kinds …"
                raise Unusable([Fault(Place(file), "is empty", hint)])
        except Unusable as error:
            faults += error.faults
    if faults:
        raise Unusable(faults)
    return roots


def _require(home: Path) -> None:
    """Raise `Unusable` if `home` is no folder with a manifest, before anything else is looked at there."""
    if holds(home, MANIFEST):
        return
    if not home.is_dir():
        raise Unusable([Fault(Place(str(home)), "is not the folder of a knowledge base")])
    near = beside(home, MANIFEST)
    hint = f"did you mean {near}?" if near else "it is the file that makes a folder a knowledge base"
    raise Unusable([Fault(Place(str(home)), f"has no {MANIFEST}.yaml", hint)])


class _Reading:
    """The reading of all files: the faults and names met on the way, and the names of what could not be read."""

    def __init__(self, roots: Roots) -> None:
        self.roots = roots
        self.vocabulary: dict[str, Answerable] = {}
        self.readers: list[Reader] = []
        self.broken: set[str] = set()
        """Ids and traits of items with a fault: they exist, whatever else is wrong with them."""

    def all(self) -> tuple[list[model.Manifest], dict[str, list[Any]]]:
        """Return the manifests, of which there may be one, and shelf → its items; those without a fault."""
        manifests = [
            item for file, root in self.roots[MANIFEST] for item in self.item(model.Manifest, root, self.reader(file))
        ]
        shelves: dict[str, list[Any]] = {}
        for shelf in ("findings", "calculated"):
            shelves[shelf] = self.shelf(shelf)
            self.vocabulary.update({item.id: item for item in shelves[shelf]})
        shelves["findings"] = self.with_applies(shelves["findings"])
        for shelf in SHELVES:
            if shelf not in shelves:
                shelves[shelf] = self.shelf(shelf, with_conditions=True)
        shelves["rules"] += shelves.pop("red_flags")
        return manifests, shelves

    def faults(self) -> list[Fault]:
        """Return the faults met."""
        return [fault for reader in self.readers for fault in reader.faults]

    def mentions(self) -> list[Mention]:
        """Return the names met that must exist."""
        return [mention for reader in self.readers for mention in reader.mentions]

    def reader(self, file: str, with_conditions: bool = True) -> Reader:
        """Return a new reader of `file`; conditions wait for a second reading until all findings are known."""
        self.readers.append(Reader(file, self.vocabulary if with_conditions else None))
        return self.readers[-1]

    def shelf(self, shelf: str, with_conditions: bool = False) -> list[Any]:
        """Return the sound items of `shelf`."""
        noun, items = SHELVES[shelf], []
        for file, root in self.roots.get(shelf, ()):
            reader = self.reader(file, with_conditions)
            if isinstance(root, SequenceNode):
                items += [item for node in root.value for item in self.item(noun, node, reader)]
            else:
                message = f"must be a list of items, each {a(noun.__name__.lower())}"
                reader.fault(root, message, "begin each item with a dash")
                self.note(root)
        return items

    def item(self, noun: type, node: Node, reader: Reader) -> list[Any]:
        """Return the item in `node`, or nothing but a note of its names."""
        try:
            return [build(noun, node, reader, place=place_of(node, reader.file))]
        except Skip:
            self.note(node)
            return []

    def note(self, node: Node) -> None:
        """Note the names that stand in the broken `node`: its id and its traits, or without an id, every word."""
        name = value_of(node, "id")
        named = (name, value_of(node, "traits")) if name else (node,)
        self.broken.update(str(word.value).strip() for part in named if part for word in words(part))

    def with_applies(self, findings: list[model.Finding]) -> list[model.Finding]:
        """Return `findings` with their `applies`, which could not be read before all findings were known."""
        number = {finding.place: number for number, finding in enumerate(findings)}
        findings = list(findings)
        for file, root in self.roots.get("findings", ()):
            reader = self.reader(file)
            for node in listed(root):
                condition, place = value_of(node, "applies"), place_of(node, file)
                if condition is None or place not in number:
                    continue
                try:
                    applies = read_condition(reader, condition)
                except Skip:
                    continue
                findings[number[place]] = dataclasses.replace(findings[number[place]], applies=applies)
        return findings


def _duplicates(items: list[Any], places: Places) -> Iterator[Fault]:
    first: dict[str, Any] = {}
    for item in items:
        if hasattr(item, "id") and first.setdefault(item.id, item) is not item:
            hint = f"first at {places.of(first[item.id], 'id')}"
            yield Fault(places.of(item, "id"), f"the id {quoted(item.id)} stands twice", hint)


def _by_id(items: list[Any]) -> dict[str, Any]:
    return {item.id: item for item in sorted(items, key=lambda item: item.id)}
