"""Reading YAML files: what every kind of node has in common, the faults and names met on the way, and their places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from psoas.faults import Fault, Hint, Place, quoted
from psoas.knowledge.model import Answerable
from psoas.yamltext import is_blank, place_of

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]{1,2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a file that must exist somewhere as a thing of some kind."""

    kind: str
    name: str
    file: str
    node: Node

    @property
    def place(self) -> Place:
        """Where it stands; worked out only for a message."""
        return place_of(self.node, self.file)


class Skip(Exception):
    """A node could not be read; its fault has been recorded."""


def to_number(text: str) -> float | None:
    """Return the number `text` writes in plain decimal notation, else None (`nan`, `1_000` and `0x1F` are none)."""
    return float(text) + 0.0 if _NUMBER.fullmatch(text.strip()) else None  # + 0.0: there is no -0


@dataclass
class Reader:
    """The reading of one file: its faults, and the ids it mentions that must exist somewhere."""

    file: str
    vocabulary: Mapping[str, Answerable] | None = None  # None: conditions are left for a second reading
    faults: list[Fault] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    def fault(self, node: Node, message: str, hint: Hint = "") -> Skip:
        """Record a fault at `node`; return the exception to raise."""
        self.faults.append(Fault(place_of(node, self.file), message, hint))
        return Skip()

    def text(self, node: Node) -> str:
        """Return the text of a scalar that is not blank."""
        if not isinstance(node, ScalarNode):
            raise self.fault(node, "must be a single text, not a list or a mapping", _taken_apart(node))
        if is_blank(node) or not node.value.strip():
            raise self.fault(node, "is empty", "write something, or leave it out")
        return str(node.value).strip()


def _taken_apart(node: Node) -> str:
    """Return why a text may have been taken for the list or mapping `node`."""
    if isinstance(node, CollectionNode) and node.flow_style:
        return f"if it is a text that begins with {'[' if isinstance(node, SequenceNode) else '{'}, put it in quotes"
    return "if it is a text with a colon in it, put it in quotes" if isinstance(node, MappingNode) else ""


def value_of(node: Node, key: str) -> Node | None:
    """Return what stands under `key` in `node`; None where nothing does, or it is no mapping."""
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def listed(node: Node) -> list[Node]:
    """Return the parts of a list, or the node itself, which stands for a list of one."""
    return node.value if isinstance(node, SequenceNode) else [node]


def number(reader: Reader, node: Node) -> float:
    """Return the number a scalar writes."""
    value = to_number(reader.text(node))
    if value is None:
        raise reader.fault(node, f"{quoted(node.value)} is not a number", "write it in digits")
    return value


def several(reader: Reader, node: Node, read: Callable[[Reader, Node], Any]) -> tuple[Any, ...]:
    """Return what `read` makes of each part of a list, or of a node that stands for a list of one."""
    values, bad = [], False
    for part in listed(node):
        try:
            values.append(read(reader, part))
        except Skip:
            bad = True
    if bad:
        raise Skip
    return tuple(values)


class Places:
    """Where the parts of items stand in their files. Nothing is looked up before a message needs it."""

    def __init__(self, roots: Iterable[tuple[str, Node]] = ()) -> None:
        self._roots = tuple(roots)

    def of(self, item: Any, *path: str | int, word: str = "") -> Place:
        """Return where the key, or the part, at `path` in `item` stands; as far as there is such a path.

        With a `word`, return where that stands below there.
        """
        at = node = self._nodes.get(item.place)
        for step in path:
            found = _step(node, step) if node else None
            if found is None:
                break
            at, node = found
        if node and word:
            at = next((part for part in words(node) if part.value == word), at)
        return place_of(at, item.place.file) if at else item.place

    @cached_property
    def _nodes(self) -> dict[Place, Node]:
        """Place of an item → its node."""
        items = ((file, node) for file, root in self._roots for node in listed(root))
        return {place_of(node, file): node for file, node in items}


def _step(node: Node, step: str | int) -> tuple[Node, Node] | None:
    """Return the key that `step` names in `node` and what is under it; in a list, twice the part it names."""
    if isinstance(step, int):
        return (listed(node)[step],) * 2
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    return next(((part, part) for part in listed(node) if part.value == step), None)


def words(node: Node) -> Iterator[Node]:
    """Yield the scalars in `node`, keys included, in the order written."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield from words(value)
    elif isinstance(node, SequenceNode):
        for part in node.value:
            yield from words(part)
    else:
        yield node
