"""YAML nodes → the nouns of the model, by the annotations of their fields. Every fault is collected, none raised."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from psoas.faults import Fault, Place, quoted, suggest
from psoas.knowledge.conditions import (
    ALWAYS,
    NUMERIC,
    All,
    AtLeast,
    Condition,
    Holds,
    Not,
    Test,
    all_of,
    any_of,
    leaves,
)
from psoas.knowledge.formulas import Formula, parse_formula
from psoas.knowledge.model import Alternatives, Answerable, Finding, Span
from psoas.yamltext import is_blank, place_of

T = TypeVar("T")
WORDS = {"yes-no": ("yes", "no")}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d{1,2})?", re.IGNORECASE)


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
    return float(text) if _NUMBER.fullmatch(text.strip()) else None


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


def build(cls: type[T], node: Node, reader: Reader, **extra: Any) -> T:
    """Return a `cls` read from the mapping `node`. Raises `Skip` after recording every fault in it."""
    if not isinstance(node, MappingNode):
        raise reader.fault(node, f"must be a mapping with the keys of a {cls.__name__.lower()}")
    keys = _fields(typing.cast(Any, cls))
    values: dict[str, Any] = dict(extra)
    bad = False
    for key_node, value_node in node.value:
        entry = keys.get(key_node.value)
        if entry is None:
            reader.fault(key_node, f"unknown key {quoted(key_node.value)}", suggest(key_node.value, keys))
            bad = True
            continue
        try:
            values[entry.name] = entry.read(reader, value_node)
        except Skip:
            bad = True
            values[entry.name] = None
    for key, entry in keys.items():
        if entry.required and entry.name not in values:
            reader.fault(node, f"the key {quoted(key)} is missing")
            bad = True
    if bad:
        raise Skip
    return cls(**values)


@dataclass(frozen=True)
class _Entry:
    name: str
    required: bool
    read: Callable[[Reader, Node], Any]


@cache
def _fields(cls: Any) -> dict[str, _Entry]:
    hints = typing.get_type_hints(cls)
    entries = {}
    for item in dataclasses.fields(cls):
        if item.name == "place":
            continue
        read = _converter(hints[item.name])
        if item.metadata.get("names"):
            read = _mentioning(item.metadata["names"], read)
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        entries[item.metadata.get("key") or item.name] = _Entry(item.name, required, read)
    return entries


def _mentioning(kind: str, read: Callable[[Reader, Node], Any]) -> Callable[[Reader, Node], Any]:
    def reading(reader: Reader, node: Node) -> Any:
        value = read(reader, node)
        for part in node.value if isinstance(node, SequenceNode) else [node]:
            reader.mentions.append(Mention(kind, str(part.value).strip(), reader.file, part))
        return value

    return reading


def _converter(hint: Any) -> Callable[[Reader, Node], Any]:
    """Return the function that reads a node as `hint`, one of the kinds of annotation the model uses."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint == Condition or hint == Condition | None:
        return read_condition
    if origin in (typing.Union, types.UnionType):
        return _converter(next(part for part in arguments if part is not type(None)))
    if origin is Literal:
        return lambda reader, node: _choice(reader, node, arguments)
    if origin is tuple:
        return lambda reader, node: _several(reader, node, _converter(arguments[0]))
    if dataclasses.is_dataclass(hint):
        return lambda reader, node: build(typing.cast(type, hint), node, reader)
    return _texts


def _choice(reader: Reader, node: Node, allowed: tuple[str, ...]) -> str:
    text = reader.text(node)
    if text not in allowed:
        raise reader.fault(node, f"{quoted(text)} is not one of {', '.join(allowed)}", suggest(text, allowed))
    return text


def _several(reader: Reader, node: Node, read: Callable[[Reader, Node], Any]) -> tuple[Any, ...]:
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


def _texts(reader: Reader, node: Node) -> dict[str, str]:
    if not isinstance(node, MappingNode):
        raise reader.fault(node, "must be a mapping from names to texts")
    return {key.value: reader.text(value) for key, value in node.value}


def _flag(reader: Reader, node: Node) -> bool:
    return _choice(reader, node, WORDS["yes-no"]) == "yes"


def _number(reader: Reader, node: Node) -> float:
    number = to_number(reader.text(node))
    if number is None:
        raise reader.fault(node, f"{quoted(node.value)} is not a number")
    return number


def _span(reader: Reader, node: Node) -> Span:
    low, found, high = reader.text(node).partition(" to ")
    numbers = to_number(low), to_number(high)
    if not found or numbers[0] is None or numbers[1] is None or numbers[0] > numbers[1]:
        raise reader.fault(node, f"{quoted(node.value)} is not a range", "write it as: 0 to 10")
    return Span(numbers[0], numbers[1])


def _formula(reader: Reader, node: Node) -> Formula:
    try:
        formula = parse_formula(reader.text(node))
    except ValueError as error:
        raise reader.fault(node, str(error)) from error
    reader.mentions += [Mention("input", name, reader.file, node) for name in formula.inputs]
    return formula


def _alternatives(reader: Reader, node: Node) -> Alternatives:
    return Alternatives(_several(reader, node, read_condition))


_PLAIN: dict[Any, Callable[[Reader, Node], Any]] = {
    str: Reader.text,
    bool: _flag,
    float: _number,
    Span: _span,
    Formula: _formula,
    Alternatives: _alternatives,
}


# Conditions


def read_condition(reader: Reader, node: Node) -> Condition | None:
    """Return `node` as a condition; None on the first reading, when the vocabulary is not known yet."""
    if reader.vocabulary is None:
        return None
    if isinstance(node, ScalarNode):
        text = reader.text(node)
        if text == "always":
            return ALWAYS
        reader.mentions.append(Mention("symbol", text, reader.file, node))
        return Holds(text)
    if isinstance(node, SequenceNode):
        raise reader.fault(node, "a list is no condition here", "say whether all: or any: of them must hold")
    parts, bad = [], False
    for key, value in node.value:
        try:
            parts.append(_clause(reader, key, value))
        except Skip:
            bad = True
    if bad:
        raise Skip
    if not parts:
        raise reader.fault(node, "is an empty condition", "write always where nothing is required")
    return all_of(parts)


def _clause(reader: Reader, key: Node, value: Node) -> Condition:
    if key.value in ("all", "any"):
        parts = _parts(reader, value)
        return All(parts) if key.value == "all" else any_of(parts)
    if key.value == "at least":
        return _at_least(reader, value)
    if key.value == "not":
        inner = read_condition(reader, value)
        assert inner is not None
        if any(isinstance(leaf, Holds) for leaf in leaves(inner)):
            raise reader.fault(value, "'not' takes findings only", "put a conclusion that must be absent under unless:")
        return Not(inner)
    return read_test(reader, key, value)


def _parts(reader: Reader, node: Node) -> tuple[Condition, ...]:
    if not isinstance(node, SequenceNode) or not node.value:
        raise reader.fault(node, "must be a list of conditions")
    return _several(reader, node, read_condition)


def _at_least(reader: Reader, node: Node) -> Condition:
    entries = {key.value: value for key, value in node.value} if isinstance(node, MappingNode) else {}
    if set(entries) != {"n", "of"}:
        raise reader.fault(node, "must be written {n: 2, of: [...]}")
    count, parts = _number(reader, entries["n"]), _parts(reader, entries["of"])
    if not (count == int(count) and 1 <= count <= len(parts)):
        raise reader.fault(entries["n"], f"must be a whole number from 1 to {len(parts)}")
    return AtLeast(int(count), parts)


def read_test(reader: Reader, key: Node, value: Node) -> Test:
    """Return the test of one finding, written `finding: test`."""
    assert reader.vocabulary is not None
    subject = reader.vocabulary.get(key.value)
    if subject is None:
        raise reader.fault(key, f"there is no finding {quoted(key.value)}", suggest(key.value, reader.vocabulary))
    if isinstance(value, ScalarNode) and value.value.strip() == "answered":
        return Test(subject.id, "answered")
    if subject.type in ("number", "list of numbers"):
        return _numeric_test(reader, subject, value)
    assert isinstance(subject, Finding)
    words = _words(reader, subject, value)
    allowed = WORDS.get(subject.type) or tuple(subject.values)
    for node, word in words:
        if word not in allowed:
            raise reader.fault(node, f"{quoted(word)} is no value of {subject.id}", suggest(word, allowed))
    return Test(subject.id, "includes" if subject.type == "any of" else "is", frozenset(w for _, w in words))


def _words(reader: Reader, subject: Finding, value: Node) -> list[tuple[Node, str]]:
    """Return the words a test of a choice names: `a`, `[a, b]`, `includes a or b`, `{includes: [a, b]}`."""
    if subject.type != "any of":
        return [(part, reader.text(part)) for part in (value.value if isinstance(value, SequenceNode) else [value])]
    if isinstance(value, MappingNode) and [key.value for key, _ in value.value] == ["includes"]:
        inner = value.value[0][1]
        return [(part, reader.text(part)) for part in (inner.value if isinstance(inner, SequenceNode) else [inner])]
    text = reader.text(value)
    if not text.startswith("includes "):
        raise reader.fault(value, f"{subject.id} can have several values", f"write: includes {text}")
    listed = text.removeprefix("includes ").strip(" []")
    return [(value, word.strip()) for word in re.split(r",| or ", listed)]


def _numeric_test(reader: Reader, subject: Answerable, value: Node) -> Test:
    text = reader.text(value)
    examples = "write: at least 5, at most 5, more than 5, less than 5, between 5 and 9, or answered"
    if subject.type == "list of numbers":
        raise reader.fault(value, f"{subject.id} is a list", "test a finding calculated from it, or write: answered")
    for operator in NUMERIC:
        if text.startswith(operator + " "):
            return Test(
                subject.id,
                operator,
                numbers=_bounds(reader, value, subject, [text[len(operator) :]], examples),
            )
    if text.startswith("between "):
        low, _, high = text.removeprefix("between ").partition(" and ")
        return Test(subject.id, "between", numbers=_bounds(reader, value, subject, [low, high], examples))
    return Test(subject.id, "is", numbers=_bounds(reader, value, subject, [text], examples))


def _bounds(reader: Reader, node: Node, subject: Answerable, texts: list[str], examples: str) -> tuple[float, ...]:
    bounds = [to_number(text) for text in texts]
    numbers = tuple(bound for bound in bounds if bound is not None)
    if len(numbers) != len(texts) or list(numbers) != sorted(numbers):
        raise reader.fault(node, f"{quoted(node.value)} is not a test of a number", examples)
    if isinstance(subject, Finding) and subject.range:
        for number in numbers:
            if number not in subject.range:
                low, high = subject.range.low, subject.range.high
                raise reader.fault(node, f"{number:g} lies outside the range of {subject.id}, {low:g} to {high:g}")
    return numbers
