"""YAML nodes → the nouns of the model, by the annotations of their fields. Every fault is collected, none raised."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from yaml.nodes import MappingNode, Node, SequenceNode

from psoas.faults import Hint, a, nearest, quoted, suggest
from psoas.knowledge.conditions import Condition
from psoas.knowledge.formulas import Formula, parse_formula
from psoas.knowledge.language import read_condition
from psoas.knowledge.model import Alternatives, Span
from psoas.knowledge.reader import Mention, Reader, Skip, listed, number, several, to_number
from psoas.yamltext import is_blank

T = TypeVar("T")


def build(cls: type[T], node: Node, reader: Reader, **extra: Any) -> T:
    """Return a `cls` read from the mapping `node`. Raises `Skip` after recording every fault in it."""
    if not isinstance(node, MappingNode):
        hint = "write each on a line of its own, as key: text"
        raise reader.fault(node, f"must be a mapping with the keys of {a(cls.__name__.lower())}", hint)
    keys = _fields(typing.cast(Any, cls))
    values: dict[str, Any] = dict(extra)
    bad, unknown = False, []
    for key_node, value_node in node.value:
        entry = keys.get(key_node.value)
        if entry is None:
            _unknown(reader, key_node, value_node, keys)
            unknown.append(key_node.value)
            continue
        try:
            values[entry.name] = entry.read(reader, value_node)
            if entry.required and values[entry.name] == ():
                raise reader.fault(value_node, f"{quoted(key_node.value)} must name at least one")
        except Skip:
            bad = True
            values[entry.name] = None
    missing = [key for key, entry in keys.items() if entry.required and entry.name not in values]
    if bad or unknown or missing:
        misspelt = {key for word in unknown for key in nearest(word, missing)} if missing else ()
        for key in missing:
            if key not in misspelt:
                reader.fault(node, f"the key {quoted(key)} is missing")
        raise Skip
    return cls(**values)


def _unknown(reader: Reader, key: Node, value: Node, keys: Mapping[str, _Entry]) -> None:
    hint: Hint = suggest(key.value, keys, f"allowed: {', '.join(sorted(keys))}")
    if " " in key.value and is_blank(value):
        hint = "if it belongs to the text before it: a text with a comma needs quotes inside braces"
    reader.fault(key, f"unknown key {quoted(key.value)}", hint)


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
        read = _identifier if item.name == "id" else _converter(hints[item.name])
        if item.metadata.get("names"):
            read = _mentioning(item.metadata["names"], read)
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        entries[item.metadata.get("key") or item.name] = _Entry(item.name, required, read)
    return entries


def _identifier(reader: Reader, node: Node) -> str:
    text = reader.text(node)
    if not re.fullmatch(r"[\w][\w.-]*", text):
        raise reader.fault(node, f"{quoted(text)} is no id", "an id is one word of letters, digits, - and _")
    return text


def _mentioning(kind: str, read: Callable[[Reader, Node], Any]) -> Callable[[Reader, Node], Any]:
    def reading(reader: Reader, node: Node) -> Any:
        value = read(reader, node)
        for part in listed(node):
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
        return lambda reader, node: several(reader, node, _converter(arguments[0]))
    if dataclasses.is_dataclass(hint):
        return lambda reader, node: build(typing.cast(type, hint), node, reader)
    return _texts


def _choice(reader: Reader, node: Node, allowed: tuple[str, ...]) -> str:
    text = reader.text(node)
    if text not in allowed:
        raise reader.fault(node, f"{quoted(text)} is not one of {', '.join(allowed)}", suggest(text, allowed))
    return text


def _texts(reader: Reader, node: Node) -> dict[str, str]:
    if not isinstance(node, MappingNode):
        raise reader.fault(node, "must be a mapping from names to texts", "write it as {name: text, other_name: text}")
    return {key.value: reader.text(value) for key, value in node.value}


def _flag(reader: Reader, node: Node) -> bool:
    return _choice(reader, node, ("yes", "no")) == "yes"


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
        raise reader.fault(node, str(error), _lacks(str(node.value))) from error
    reader.mentions += [Mention("input", name, reader.file, node) for name in formula.inputs]
    return formula


def _lacks(formula: str) -> str:
    """Return what `formula`, which cannot be read, may lack."""
    end = formula.rstrip()[-1:]
    return f"something is missing after the last {end}" if end in "+-*/,(" else "write it like: (a + last(b)) / 2"


def _alternatives(reader: Reader, node: Node) -> Alternatives:
    if isinstance(node, SequenceNode) and not node.value:
        raise reader.fault(node, "is an empty list", "leave unless: out where nothing blocks the rule")
    return Alternatives(several(reader, node, read_condition))


_PLAIN: dict[Any, Callable[[Reader, Node], Any]] = {
    str: Reader.text,
    bool: _flag,
    float: number,
    Span: _span,
    Formula: _formula,
    Alternatives: _alternatives,
}
