"""The rule language as it is written in YAML → conditions, each test typed by the vocabulary."""

from __future__ import annotations

import re

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from psoas.faults import quoted, suggest
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
from psoas.knowledge.model import Answerable, Finding
from psoas.knowledge.reader import Mention, Reader, Skip, number, several, to_number


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
    return several(reader, node, read_condition)


def _at_least(reader: Reader, node: Node) -> Condition:
    entries = {key.value: value for key, value in node.value} if isinstance(node, MappingNode) else {}
    if set(entries) != {"n", "of"}:
        raise reader.fault(node, "must be written {n: 2, of: [...]}")
    count, parts = number(reader, entries["n"]), _parts(reader, entries["of"])
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
    allowed = tuple(subject.values)
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
