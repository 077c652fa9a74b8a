"""Limits: worked cases with a few answers changed, and what must then come of them; limits/*.yaml.

A worked case is a person. A limit moves that person up to an edge of a rule, and pins on which side of it they stand,
so that nobody shifts the edge without noticing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from yaml.nodes import Node, ScalarNode, SequenceNode

from psoas.audit.material import Worked
from psoas.case import Case, CaseReader, Expectation, make_case
from psoas.faults import Fault, Unusable, quoted, suggest
from psoas.knowledge.files import found
from psoas.knowledge.model import Knowledge
from psoas.yamltext import parse, place_of, read_bytes

LIMITS = "limits"
"""The folder of limits, beside that of the worked cases."""

KEYS = ("tries", "case", "with", "expect")


def read_limits(knowledge: Knowledge, folder: Path, shown: Path, cases: Mapping[str, Case]) -> Iterator[Worked]:
    """Yield the limits in `folder`, which messages call `shown`, of the worked `cases` by id; none if there is none.

    One that cannot be read is yielded without a case, with its faults.
    """
    if not folder.is_dir():
        return
    for name in found(folder, ()):
        file = str(shown / name)
        try:
            root = parse(read_bytes(folder / name), file)
        except Unusable as error:
            yield Worked(name.stem, file, None, error.faults, 1)
            continue
        if root is not None and not isinstance(root, SequenceNode):
            yield Worked(name.stem, file, None, (Fault(place_of(root, file), "is no list of limits"),), 1)
            continue
        for node in root.value if root is not None else ():
            yield _limit(knowledge, node, file, cases)


def _limit(knowledge: Knowledge, node: Node, file: str, cases: Mapping[str, Case]) -> Worked:
    reader, place = CaseReader(knowledge, file), place_of(node, file)
    parts = reader.mapping(node, KEYS, "a limit")
    base = reader.text(parts["case"]) if "case" in parts else ""
    if not reader.faults and base not in cases:
        there = parts.get("case", node)
        reader.fault(there, f"there is no worked case {quoted(base)}", suggest(base, cases, "name one under case:"))
    changed = reader.entries(parts["with"]) if "with" in parts else {}
    tries = parts["tries"].value if isinstance(parts.get("tries"), ScalarNode) else ""
    known = {*knowledge.rules, *knowledge.withholdings, *knowledge.remedies}
    if tries and tries not in known:
        reader.fault(parts["tries"], f"there is no rule or remedy {quoted(tries)}", suggest(tries, known))
    expect = reader.expectation(parts["expect"]) if "expect" in parts else Expectation()
    if reader.faults:
        return Worked(base or Path(file).stem, file, None, tuple(reader.faults), place.line)
    case = with_changes(knowledge, cases[base], changed)
    return Worked(case.id, file, dataclasses.replace(case, expect=expect), (), place.line)


def with_changes(knowledge: Knowledge, base: Case, changed: Mapping[str, str | list[str] | None]) -> Case:
    """Return the case `base` with other answers; None takes an answer away, as if it had not been asked."""
    written = {**base.written, **changed}
    said = ", ".join(f"{name} {_said(value)}" for name, value in changed.items())
    answers = {name: value for name, value in written.items() if value is not None}
    return make_case(knowledge, answers, id=f"{base.id} with {said}" if said else base.id, title=base.title)


def _said(value: object) -> str:
    return "not asked" if value is None else " and ".join(value) if isinstance(value, list) else str(value)
