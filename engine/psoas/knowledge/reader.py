"""Reading one YAML file: what every kind of node has in common, and the faults and names met on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yaml.nodes import Node, ScalarNode, SequenceNode

from psoas.faults import Fault, Place, quoted
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

    def fault(self, node: Node, message: str, hint: str = "") -> Skip:
        """Record a fault at `node`; return the exception to raise."""
        self.faults.append(Fault(place_of(node, self.file), message, hint))
        return Skip()

    def text(self, node: Node) -> str:
        """Return the text of a scalar that is not blank."""
        if not isinstance(node, ScalarNode):
            raise self.fault(node, "must be a single text, not a list or a mapping")
        if is_blank(node) or not node.value.strip():
            raise self.fault(node, "is empty")
        return str(node.value).strip()


def number(reader: Reader, node: Node) -> float:
    """Return the number a scalar writes."""
    value = to_number(reader.text(node))
    if value is None:
        raise reader.fault(node, f"{quoted(node.value)} is not a number")
    return value


def several(reader: Reader, node: Node, read: Callable[[Reader, Node], Any]) -> tuple[Any, ...]:
    """Return what `read` makes of each part of a list, or of a node that stands for a list of one."""
    parts = node.value if isinstance(node, SequenceNode) else [node]
    values, bad = [], False
    for part in parts:
        try:
            values.append(read(reader, part))
        except Skip:
            bad = True
    if bad:
        raise Skip
    return tuple(values)
