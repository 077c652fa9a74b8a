"""The JSON Schemas in kb/schema are fresh, take everything the knowledge base says, and refuse what is wrong in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from conftest import CASES, ROOT
from psoas.case import read_case
from psoas.consultation import Consultant
from psoas.knowledge.load import ELSEWHERE
from psoas.knowledge.model import Knowledge
from psoas.knowledge.schema import schemas

KB = ROOT / "kb"
FILES = sorted(KB.rglob("*.yaml"))


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: `no` is a word."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
Core.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:null|~|)$"), ["n", "~", ""])
Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?[0-9]+$"), list("-+0123456789"))
Core.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]*\.[0-9]+$"), list("-+.0123456789"))


def shelf(path: Path) -> str:
    """Return the name of the schema for the file `path` of the knowledge base."""
    name = path.relative_to(KB)
    return name.parts[0] if len(name.parts) > 1 else name.stem


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft7Validator]:
    """Name of a shelf → its validator."""
    read = {path.name: json.loads(path.read_text()) for path in (KB / "schema").glob("*.json")}
    registry = Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in read.items())
    return {Path(name).stem: Draft7Validator(schema, registry=registry) for name, schema in read.items()}


def errors(validator: Draft7Validator, text: str) -> list[str]:
    """Return where and how `text`, YAML, breaks the schema."""
    found = validator.iter_errors(yaml.load(text, Core))
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def test_the_schemas_are_fresh(knowledge: Knowledge) -> None:
    """Where this fails: `psoas audit schema --kb kb`. Seen to fail with a finding renamed in one of them."""
    written = {path.name: path.read_text() for path in (KB / "schema").iterdir()}
    assert written == schemas(knowledge)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(KB).as_posix())
def test_a_file_names_its_schema_and_keeps_to_it(
    path: Path, validators: dict[str, Draft7Validator], consultant: Consultant
) -> None:
    """A worked case may hold an answer that is to be refused; the schema marks it too."""
    first, _, _ = path.read_text().partition("\n")
    assert first.startswith("# yaml-language-server: $schema=")
    named = (path.parent / first.partition("=")[2]).resolve()
    assert named == KB / "schema" / f"{shelf(path)}.json"
    refused = read_case(consultant.knowledge, path).rejected if path.parent == CASES else ()
    if not refused:
        assert errors(validators[shelf(path)], path.read_text()) == []


def test_every_part_of_a_knowledge_base_has_a_schema() -> None:
    assert {shelf(path) for path in FILES} <= {path.stem for path in (KB / "schema").iterdir()} | {*ELSEWHERE}


RULE = """
- id: sitting-shortens
  if: {{{test}}}
  then: tight_hip_flexors
  strength: {strength}
  because: sitting holds them short
  {key}: [S0-15]
"""


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, ""),
        ({"key": "sorces"}, "sorces"),
        ({"strength": "storng"}, "storng"),
        ({"test": "sitting_hours_day: over 8"}, "sitting_hours_day"),
        ({"test": "thomas_test: posiitve"}, "thomas_test"),
        ({"test": "bladder_change: retention"}, "bladder_change"),
        ({"test": "any: []"}, "any"),
        ({"test": "at least: {n: 0, of: [always]}"}, "at least"),
    ],
    ids=str,
)
def test_a_slip_in_a_rule_is_marked(change: dict[str, str], where: str, validators: dict[str, Draft7Validator]) -> None:
    slots = {"test": "sitting_hours_day: at least 8", "strength": "weak", "key": "sources", **change}
    found = errors(validators["rules"], RULE.format(**slots))
    assert bool(found) == bool(where)
    assert where in " ".join(found)


@pytest.mark.parametrize(
    "answer", ["thomas_test: posiitve", "age_years: 340", "weekly_km: [1]", "tomas_test: positive"]
)
def test_a_slip_in_a_case_is_marked(answer: str, validators: dict[str, Draft7Validator]) -> None:
    assert errors(validators["cases"], f"answers: {{{answer}}}")
    assert not errors(validators["cases"], "answers: {thomas_test: positive, age_years: unknown, weekly_km: [1, 2]}")


def test_a_new_id_is_not_marked(validators: dict[str, Draft7Validator]) -> None:
    """A schema is older than what is being written; the loader knows every file."""
    assert errors(validators["rules"], RULE.format(test="brand_new: yes", strength="weak", key="sources")) == []
