"""The rule language as it is written in YAML → conditions, each test typed by the vocabulary."""

from __future__ import annotations

import re

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from psoas.faults import Hint, quoted, suggest
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
from psoas.knowledge.reader import Mention, Reader, Skip, listed, number, several, to_number, value_of


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
        hint = "write {all: [...]} where all of them must hold, {any: [...]} where one is enough"
        raise reader.fault(node, "a list is no condition here", hint)
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
        raise reader.fault(node, "must be a list of conditions", "such as [{finding: test}, conclusion]")
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
        reader.mentions.append(Mention("test", key.value, reader.file, key))
        raise Skip
    if isinstance(value, ScalarNode) and value.value.strip() == "answered":
        return Test(subject.id, "answered")
    if subject.type in ("number", "list of numbers"):
        return _numeric_test(reader, subject, value)
    assert isinstance(subject, Finding)
    words = _words(reader, subject, value)
    allowed = tuple(subject.values)
    for node, word in words:
        if word not in allowed:
            raise reader.fault(node, f"{quoted(word)} is no value of {subject.id}", _value(word, allowed))
    return Test(subject.id, "includes" if subject.type == "any of" else "is", frozenset(w for _, w in words))


def _value(word: str, allowed: tuple[str, ...]) -> Hint:
    """Return what may be meant by `word`, which is not `allowed`."""
    rest = word.removeprefix("includes ")
    return f"it has one value: write {rest}, without includes" if rest in allowed else suggest(word, allowed)


def _words(reader: Reader, subject: Finding, value: Node) -> list[tuple[Node, str]]:
    """Return the words a test of a choice names: `a`, `[a, b]`, `includes a or b`, `{includes: [a, b]}`."""
    if subject.type == "any of":
        return _included(reader, subject, value)
    if isinstance(value, MappingNode):
        raise reader.fault(
            value, f"is no test of {subject.id}", f"write one of its values: {', '.join(subject.values)}"
        )
    return [(part, reader.text(part)) for part in listed(value)]


def _included(reader: Reader, subject: Finding, value: Node) -> list[tuple[Node, str]]:
    inner = value_of(value, "includes")
    if inner is not None and len(value.value) == 1:
        return [(part, reader.text(part)) for part in listed(inner)]
    text = reader.text(value) if isinstance(value, ScalarNode) else ""
    if not text.startswith("includes "):
        written = [
            part.value for part in listed(value) if isinstance(part, ScalarNode) and part.value in subject.values
        ]
        example = " or ".join(written or list(subject.values)[:2])
        raise reader.fault(value, f"{subject.id} can have several values", f"write: includes {example}")
    words = text.removeprefix("includes ").strip(" []")
    return [(value, word.strip()) for word in re.split(r",| or ", words)]


def _numeric_test(reader: Reader, subject: Answerable, value: Node) -> Test:
    examples = "write: at least 5, at most 5, more than 5, less than 5, between 5 and 9, or answered"
    if subject.type == "list of numbers":
        raise reader.fault(value, f"{subject.id} is a list", "test a finding calculated from it, or write: answered")
    if not isinstance(value, ScalarNode):
        raise reader.fault(value, "is not a test of a number", examples)
    text = reader.text(value)
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
