"""The nouns of the model as JSON Schemas, by which an editor completes and checks YAML while it is written.

What can be settled while typing is strict: keys, words of a scale, the form of a test. An id that another file may
define is only suggested, since a schema may be older than the file: `load` has the last word.
"""

from __future__ import annotations

import dataclasses
import inspect
import io
import json
import tokenize
import types
import typing
from collections.abc import Iterable
from typing import Any, Literal

from psoas.knowledge.check import known_names
from psoas.knowledge.conditions import NUMERIC, OPEN, Condition
from psoas.knowledge.formulas import Formula
from psoas.knowledge.load import MANIFEST, SHELVES
from psoas.knowledge.model import Alternatives, Answerable, Finding, Invariant, Knowledge, Manifest, Span

Schema = dict[str, Any]

SCALES = ("level", "strength", "kind", "evidence", "tier", "occasion")
"""Kinds of names that the manifest lists once and for all."""

DIALECT = "http://json-schema.org/draft-07/schema#"
TEXT: Schema = {"type": ["string", "number", "boolean"]}  # 2 and no are texts here, whatever YAML takes them for
CONDITION: Schema = {"$ref": "condition.json"}
NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?"


def schemas(knowledge: Knowledge) -> dict[str, str]:
    """Return file name → text of a JSON Schema (draft 7), one for each shelf, the manifest and the case files.

    They refer to each other by their file names, so they belong into one folder.
    """
    writer = _Writer(knowledge)
    made = {MANIFEST: writer.item(Manifest), "condition": _condition(knowledge)}
    made |= {"cases": _case(knowledge), "limits": _limits(knowledge)}
    for shelf, noun in {**SHELVES, "invariants": Invariant}.items():
        made[shelf] = {"type": "array", "items": writer.item(noun)}
    return {
        f"{name}.json": json.dumps({"$schema": DIALECT, "title": name, **schema}, indent=1, ensure_ascii=False) + "\n"
        for name, schema in made.items()
    }


class _Writer:
    """Turns nouns into schemas, by the annotations of their fields as `shape` reads them."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.names = known_names(knowledge)

    def item(self, noun: Any) -> Schema:
        """Return the schema of a mapping with the fields of `noun`."""
        hints, meanings = typing.get_type_hints(noun), _meanings(noun)
        properties, required = {}, []
        for field in dataclasses.fields(noun):
            if field.name == "place":
                continue
            key = field.metadata.get("key") or field.name
            schema = self.value(hints[field.name], field.metadata.get("names", ""))
            properties[key] = {**schema, "description": meanings[field.name]} if field.name in meanings else schema
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                required.append(key)
        return {
            "type": "object",
            "description": inspect.getdoc(noun),
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def value(self, hint: Any, kind: str) -> Schema:
        """Return the schema of what may stand where the model says `hint`; names are of `kind`."""
        if hint in _PLAIN:
            return self.name(kind) if kind else _PLAIN[hint]
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint == Condition or hint == Condition | None:
            return CONDITION
        if hint is Alternatives or hint == Alternatives | None:
            return _some(CONDITION)
        if origin in (typing.Union, types.UnionType):
            return self.value(next(part for part in arguments if part is not type(None)), kind)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is tuple:
            return _some(self.value(arguments[0], kind))
        if dataclasses.is_dataclass(hint):
            return self.item(hint)
        return {"type": "object", "additionalProperties": TEXT}

    def name(self, kind: str) -> Schema:
        """Return the schema of a name of `kind`."""
        known: Schema = {"enum": sorted(self.names[kind])}
        return known if kind in SCALES else {"anyOf": [known, {"type": "string"}]}


_PLAIN: dict[Any, Schema] = {
    str: TEXT,
    bool: {"enum": ["yes", "no"]},
    float: {"type": "number"},
    Span: {"type": "string", "pattern": f"^{NUMBER} to {NUMBER}$"},
    Formula: {"type": "string"},
}


def _some(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _meanings(noun: Any) -> dict[str, str]:
    """Return field → the comment behind it in the source of `noun`."""
    meanings, field = {}, ""
    for token in tokenize.generate_tokens(io.StringIO(inspect.getsource(noun)).readline):
        if token.type == tokenize.NAME and not token.line[: token.start[1]].strip():
            field = token.string
        elif token.type == tokenize.COMMENT:
            meanings[field] = token.string.lstrip("# ")
    return meanings


def _condition(knowledge: Knowledge) -> Schema:
    """Return the schema of the rule language, with a test for each finding."""
    condition = {"$ref": "#"}
    conditions = {"type": "array", "items": condition, "minItems": 1}
    at_least = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1}, "of": conditions},
        "required": ["n", "of"],
        "additionalProperties": False,
    }
    combinators: Schema = {"all": conditions, "any": conditions, "not": condition, "at least": at_least}
    tests = {name: _test(subject) for name, subject in knowledge.vocabulary.items()}
    symbols = {"enum": ["always", *sorted(known_names(knowledge)["symbol"])]}
    mapping = {"type": "object", "properties": {**combinators, **tests}, "minProperties": 1}
    return {"anyOf": [symbols, {"type": "string"}, mapping]}


def _test(subject: Answerable) -> Schema:
    answered: Schema = {"enum": ["answered"]}
    described = {"description": subject.question if isinstance(subject, Finding) else subject.name}
    if subject.type == "list of numbers":
        return {**answered, **described}
    if subject.type == "number":
        forms = "|".join([rf"({'|'.join(NUMERIC)}) {NUMBER}", rf"between {NUMBER} and {NUMBER}", NUMBER])
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^({forms})$"}, answered], **described}
    assert isinstance(subject, Finding)
    values = list(subject.values)
    if subject.type == "any of":
        several = {"type": "string", "pattern": "^includes "}
        listed = {"type": "object", "properties": {"includes": _some({"enum": values})}, "required": ["includes"]}
        return {"anyOf": [{"enum": [f"includes {value}" for value in values]}, several, listed, answered], **described}
    return {"anyOf": [_some({"enum": values}), answered], **described}


def _case(knowledge: Knowledge) -> Schema:
    """Return the schema of a case file; each answer is described by its question."""
    words = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
    reasons = {"anyOf": [*words["anyOf"], {"type": "object"}]}
    levels = {"enum": [level.id for level in knowledge.manifest.dispositions]}
    listed = dict.fromkeys(("causes", "not_causes", "include", "exclude", "ask_next"), reasons)
    words_of = {"anyOf": [{"enum": list(knowledge.manifest.certainty)}, {"type": "number", "minimum": 0, "maximum": 1}]}
    certain = {
        "type": "object",
        "properties": dict.fromkeys(knowledge.conclusions, words_of),
        "additionalProperties": False,
    }
    parts = {"disposition": levels, "chain": words, "certainty": certain, **listed}
    expect = {"type": "object", "properties": parts}
    answers = {name: _answer(finding) for name, finding in _in_order(knowledge)}
    return {
        "type": "object",
        "properties": {
            **dict.fromkeys(("id", "title", "story", "note"), TEXT),
            "answers": {"type": ["object", "null"], "properties": answers, "additionalProperties": False},
            "expect": {**expect, "additionalProperties": False},
        },
        "required": ["answers"],
        "additionalProperties": False,
    }


def _limits(knowledge: Knowledge) -> Schema:
    """Return the schema of a file of limits: worked cases with a few answers changed."""
    case = _case(knowledge)["properties"]
    properties = {
        "tries": {**TEXT, "description": "the rule, withholding or remedy whose limit it is"},
        "case": {**TEXT, "description": "the worked case it starts from"},
        "with": {**case["answers"], "description": "the answers that are other; nothing after one: it is not asked"},
        "expect": case["expect"],
    }
    item = {"type": "object", "properties": properties, "required": ["case", "expect"], "additionalProperties": False}
    return {"type": "array", "items": item}


def _in_order(knowledge: Knowledge) -> Iterable[tuple[str, Finding]]:
    return sorted(knowledge.findings.items(), key=lambda entry: knowledge.order_of_asking[entry[0]])


def _answer(finding: Finding) -> Schema:
    described = {"description": " ".join(filter(None, [finding.question, finding.how]))}
    if finding.range is None:
        word: Schema = {"enum": [*finding.values, OPEN]}
        return {"anyOf": [_some(word) if finding.type == "any of" else word, {"type": "null"}], **described}
    number: Schema = {"type": "number", "minimum": finding.range.low, "maximum": finding.range.high}
    if finding.length is not None:
        low, high = int(finding.length.low), int(finding.length.high)
        number = {"type": "array", "items": number, "minItems": low, "maxItems": high}
    return {"anyOf": [number, {"enum": [OPEN]}, {"type": "null"}], **described}
