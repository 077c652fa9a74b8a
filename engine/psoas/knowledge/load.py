"""A folder of YAML files → a checked `Knowledge`. All faults of all files are reported together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from yaml.nodes import MappingNode, Node, SequenceNode

from psoas.faults import Fault, Place, Unusable, quoted, suggest
from psoas.knowledge import model
from psoas.knowledge.check import check
from psoas.knowledge.home import knowledge_home
from psoas.knowledge.language import read_condition
from psoas.knowledge.model import Answerable, Knowledge
from psoas.knowledge.reader import Reader, Skip
from psoas.knowledge.shape import build
from psoas.yamltext import parse, place_of, read_bytes

T = TypeVar("T")

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
}
"""What a file holds, by the name of the file or of the folder it stands in."""

ELSEWHERE = ("cases", "invariants")
"""Parts of a knowledge base that are not knowledge to reason with; other modules read them."""


def load(folder: Path | None = None) -> Knowledge:
    """Return the knowledge base in `folder` (None: the shipped one).

    Raises `Unusable` with every fault found in it.
    """
    home = folder or knowledge_home()
    roots = _read_files(home, folder)
    readers: list[Reader] = []
    vocabulary: dict[str, Answerable] = {}
    shelves: dict[str, list[Any]] = {shelf: [] for shelf in (*SHELVES, MANIFEST)}

    def read(shelf: str, with_conditions: bool) -> None:
        for file, root in roots.get(shelf, ()):
            reader = Reader(file, vocabulary if with_conditions else None)
            readers.append(reader)
            shelves[shelf] += _items(SHELVES[shelf], root, reader)

    for file, root in roots.get(MANIFEST, ()):
        readers.append(Reader(file, vocabulary))
        shelves[MANIFEST] += _item(model.Manifest, root, readers[-1])
    for shelf in ("findings", "calculated"):
        read(shelf, with_conditions=False)
        vocabulary.update({item.id: item for item in shelves[shelf]})
    shelves["findings"] = [_with_applies(finding, roots, vocabulary, readers) for finding in shelves["findings"]]
    for shelf in SHELVES:
        if shelf not in ("findings", "calculated"):
            read(shelf, with_conditions=True)

    faults = [fault for reader in readers for fault in reader.faults]
    if not shelves[MANIFEST]:
        faults.append(Fault(Place(str(home)), f"has no usable {MANIFEST}.yaml"))
    shelves["rules"] += shelves.pop("red_flags")
    faults += [fault for shelf in shelves.values() for fault in _duplicates(shelf)]
    if faults:
        raise Unusable(faults)
    knowledge = Knowledge(
        manifest=shelves[MANIFEST][0],
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
    )
    check(knowledge, [mention for reader in readers for mention in reader.mentions])
    return knowledge


def _read_files(home: Path, folder: Path | None) -> dict[str, list[tuple[str, Node]]]:
    """Return shelf → (name of the file, its tree); files of the shipped knowledge base are named from its root."""
    if not home.is_dir():
        raise Unusable([Fault(Place(str(home)), "is not the folder of a knowledge base")])
    roots: dict[str, list[tuple[str, Node]]] = {}
    faults: list[Fault] = []
    for path in sorted(home.rglob("*.y*ml")):
        name = path.relative_to(home)
        shelf = name.parts[0] if len(name.parts) > 1 else path.stem
        if shelf in ELSEWHERE or any(part.startswith(".") for part in name.parts):
            continue
        shown = str(Path(home.name if folder is None else home) / name)
        if shelf not in SHELVES and shelf != MANIFEST:
            faults.append(
                Fault(Place(shown), f"{quoted(shelf)} is no part of a knowledge base", suggest(shelf, SHELVES))
            )
            continue
        try:
            root = parse(read_bytes(path), shown)
        except Unusable as error:
            faults += error.faults
            continue
        if root is not None:
            roots.setdefault(shelf, []).append((shown, root))
    if faults:
        raise Unusable(faults)
    return roots


def _items(cls: type[T], root: Node, reader: Reader) -> list[T]:
    if not isinstance(root, SequenceNode):
        reader.fault(root, f"must be a list of items, each a {cls.__name__.lower()}", "begin each item with a dash")
        return []
    return [item for node in root.value for item in _item(cls, node, reader)]


def _item(cls: type[T], node: Node, reader: Reader) -> list[T]:
    try:
        return [build(cls, node, reader, place=place_of(node, reader.file))]
    except Skip:
        return []


def _with_applies(
    finding: model.Finding,
    roots: Mapping[str, list[tuple[str, Node]]],
    vocabulary: Mapping[str, Answerable],
    readers: list[Reader],
) -> model.Finding:
    """Return `finding` with its `applies`, which could not be read before all findings were known."""
    node = _field(finding.place, roots["findings"], "applies")
    if node is None:
        return finding
    readers.append(Reader(finding.place.file, vocabulary))
    try:
        return dataclasses.replace(finding, applies=read_condition(readers[-1], node))
    except Skip:
        return finding


def _field(place: Place, roots: Iterable[tuple[str, Node]], key: str) -> Node | None:
    for file, root in roots:
        if file == place.file:
            for item in root.value:
                if isinstance(item, MappingNode) and place_of(item, file) == place:
                    return next((value for name, value in item.value if name.value == key), None)
    return None


def _duplicates(items: list[Any]) -> Iterable[Fault]:
    seen: dict[str, Place] = {}
    for item in items:
        if hasattr(item, "id"):
            if item.id in seen:
                yield Fault(item.place, f"the id {quoted(item.id)} stands twice", f"first at {seen[item.id]}")
            seen.setdefault(item.id, item.place)


def _by_id(items: list[Any]) -> dict[str, Any]:
    return {item.id: item for item in sorted(items, key=lambda item: item.id)}
