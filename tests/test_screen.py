"""The SQL text: what it says of a row is what the other readings say of the case."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cohorts import FORMS, LISTS, SEVERAL, Expected, Screened, cell, in_form, screened, table_of, write_table
from conftest import ROOT
from psoas.case import as_written, make_case
from psoas.cohort.duck import Duck
from psoas.cohort.spark import Spark
from psoas.consultation import Consultant
from psoas.knowledge.conditions import All, Holds
from psoas.knowledge.load import load
from psoas.knowledge.model import Contradiction, Knowledge
from psoas.readings.screen.text import screen_text
from random_cases import (
    Writer,
    Written,
    made,
    random_condition,
    random_knowledge,
    random_states,
    rule,
    shipped,
    word,
    yes,
)

ROWS = 20_000


@pytest.fixture(scope="module")
def bicycle() -> Knowledge:
    return load(ROOT / "tests" / "kb_bicycle")


# Agreement


def agree(
    knowledge: Knowledge, cases: list[Written], found: Screened, expected: Expected, *, fired: bool = True
) -> None:
    """Check every row, and every value set aside, against the other readings."""
    assert len(found.rows) == len(cases)
    aside = []
    for number, (case, row) in enumerate(zip(cases, found.rows, strict=True)):
        assert row["number"] == str(number)
        wanted = expected.of(case, fired=fired)
        got = {name: row[name] for name in wanted}
        assert got == wanted, f"row {number}: {case}"
        aside += expected.rejects(number + 1, case)
    told = [(item["row"], item["column"], item["reason"]) for item in found.rejects]
    assert sorted(told) == sorted(aside)


def cases_of(count: int, seed: int) -> list[Written]:
    """Return random cases of the shipped knowledge base, half of them close to firing some triage rule."""
    writer = Writer(shipped())
    return [*writer.cases(count - count // 2, seed=seed), *writer.near(count // 2, seed=seed + 1)]


@pytest.mark.parametrize("form", FORMS)
def test_duckdb_and_the_other_readings_agree(form: str, tmp_path: Path) -> None:
    """Seen to fail with `unless` left out of clauses.py."""
    knowledge, cases = shipped().knowledge, cases_of(400, seed=21)
    table = in_form(form, table_of(tmp_path / "t.csv", knowledge, cases), knowledge)
    found = screened(knowledge, table, tmp_path, conclusions=True)
    agree(knowledge, cases, found, Expected(knowledge))


@pytest.mark.slow
def test_duckdb_and_the_other_readings_agree_on_20000_rows(tmp_path: Path) -> None:
    """In every form of a table."""
    knowledge, cases = shipped().knowledge, cases_of(ROWS, seed=22)
    table = table_of(tmp_path / "t.csv", knowledge, cases)
    found = screened(knowledge, table, tmp_path, conclusions=True)
    agree(knowledge, cases, found, Expected(knowledge))
    for form in FORMS[1:]:
        other = screened(knowledge, in_form(form, table, knowledge), tmp_path, conclusions=True)
        assert [_results(row) for row in other.rows] == [_results(row) for row in found.rows]
        assert other.rejects == found.rejects


def _results(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("number", "disposition", *LISTS)}


NO_JAVA = shutil.which("java") is None and os.environ.get("CI") != "true"


@pytest.mark.slow
@pytest.mark.skipif(NO_JAVA, reason="Spark needs java")
def test_spark_runs_the_same_text_to_the_same_result(bicycle: Knowledge, tmp_path: Path) -> None:
    """Rows, lists and values set aside. Seen to fail with regexp_like not anchored in has_form."""
    with Spark("local[2]") as spark, Duck(threads=1) as duck:
        writer = Writer(Consultant(bicycle))
        cases = [*writer.cases(150, seed=32), *writer.near(150, seed=33)]
        cases += [{"squeal_when": said.split("|"), "pad_mm": said, "brake_type": said} for said in SPELLINGS]
        for form in FORMS[::2]:
            (tmp_path / form).mkdir()
            table = in_form(form, table_of(tmp_path / f"{form}.csv", bicycle, cases), bicycle)
            _same(bicycle, table, tmp_path / form, spark, duck)


@pytest.mark.slow
@pytest.mark.skipif(NO_JAVA, reason="Spark needs java")
def test_spark_and_duckdb_agree_on_20000_rows(tmp_path: Path) -> None:
    """The rows on which DuckDB agrees with the other readings, above."""
    knowledge, cases = shipped().knowledge, cases_of(ROWS, seed=22)
    with Spark("local[2]") as spark, Duck() as duck:
        _same(knowledge, table_of(tmp_path / "t.csv", knowledge, cases), tmp_path, spark, duck)


def _same(knowledge: Knowledge, table: Path, folder: Path, spark: Spark, duck: Duck) -> None:
    results = []
    for engine in (spark, duck):
        (folder / engine.name).mkdir()
        found = screened(knowledge, table, folder / engine.name, engine=engine, form="parquet", conclusions=True)
        results.append((found.rows, found.rejects, dataclasses.replace(found.summary, seconds=0)))
    for one, two in zip(results[0][0], results[1][0], strict=True):
        assert one == two
    assert results[0] == results[1]


def test_causes_are_those_of_a_consultation_in_its_order(tmp_path: Path) -> None:
    """Seen to fail with the urgency left out of the rank."""
    consultant, cases = shipped(), cases_of(150, seed=24)
    found = screened(consultant.knowledge, table_of(tmp_path / "t.csv", consultant.knowledge, cases), tmp_path)
    for case, row in zip(cases, found.rows, strict=True):
        causes = consultant.consult(make_case(consultant.knowledge, case)).causes
        assert row["causes"] == [cause.id for cause in causes]
        certainties = [cause.certainty for cause in causes]  # rounding at a half may go either way
        assert [float(c) for c in row["certainties"]] == pytest.approx(certainties, abs=1.01e-4)


def test_a_conclusion_that_is_sure_waits_for_nothing(tmp_path: Path) -> None:
    """One rule for it holds and another is open by a question not asked; what keeps the alarm open was asked.

    Seen to fail, as `unclear`, with every open rule for a conclusion taken to be waited for.
    """
    findings = {name: word(name) for name in ("a", "b", "c")}
    rules = [
        rule("sure", yes("a"), "one"),
        rule("open", yes("b"), "one"),
        rule("alarm", All((Holds("one"), yes("c"))), "two", level="today"),
    ]
    knowledge = made(findings, ["one", "two", "three"], rules)
    cases: list[Written] = [{"a": "yes", "c": "unknown"}, {"c": "unknown"}, {"a": "yes", "c": "no"}]
    found = screened(knowledge, table_of(tmp_path / "t.csv", knowledge, cases), tmp_path, conclusions=True)
    agree(knowledge, cases, found, Expected(knowledge))
    assert [row["disposition"] for row in found.rows] == ["soon", "unclear", "calm"]


def random_cases(random: Random, knowledge: Knowledge, count: int) -> list[Written]:
    cases = []
    for _ in range(count):
        states = random_states(random, knowledge)
        cases.append({name: as_written(state) for name, state in states.items()})
    return cases


def with_contradictions(random: Random, knowledge: Knowledge) -> Knowledge:
    """Return the knowledge base with two contradictions of its own."""
    names = sorted(knowledge.findings)
    rules = {
        f"x{number}": Contradiction(
            id=f"x{number}",
            when=random_condition(random, knowledge.vocabulary, (), 2),
            refuse=tuple(random.sample(names, 2)),
            because=f"so {number}",
        )
        for number in range(2)
    }
    return dataclasses.replace(knowledge, contradictions=rules)


def test_random_knowledge_bases_are_screened_as_the_other_readings_say(tmp_path: Path) -> None:
    """Seen to fail with `at_least` taking an unknown part for false, and with `lacking` left out of a test."""
    random = Random(25)
    with Duck(threads=1) as duck:
        for number in range(60):
            knowledge = random_knowledge(random)
            if number % 2:
                knowledge = with_contradictions(random, knowledge)
            cases = random_cases(random, knowledge, 25)
            table = in_form(FORMS[number % 3], table_of(tmp_path / "t.csv", knowledge, cases), knowledge)
            found = screened(knowledge, table, tmp_path, engine=duck, conclusions=True)
            agree(knowledge, cases, found, Expected(knowledge))


@pytest.mark.slow
def test_many_random_knowledge_bases_are_screened_as_the_other_readings_say(tmp_path: Path) -> None:
    random = Random(26)
    with Duck(threads=1) as duck:
        for number in range(300):
            knowledge = with_contradictions(random, random_knowledge(random))
            cases = random_cases(random, knowledge, 40)
            table = in_form(FORMS[number % 3], table_of(tmp_path / "t.csv", knowledge, cases), knowledge)
            found = screened(knowledge, table, tmp_path, engine=duck, conclusions=True)
            agree(knowledge, cases, found, Expected(knowledge), fired=False)


def test_the_bicycle_is_screened_by_the_same_engine(bicycle: Knowledge, tmp_path: Path) -> None:
    writer = Writer(Consultant(bicycle))
    cases = [*writer.cases(150, seed=27), *writer.near(150, seed=28)]
    found = screened(bicycle, table_of(tmp_path / "t.csv", bicycle, cases), tmp_path, conclusions=True)
    agree(bicycle, cases, found, Expected(bicycle))


# Cells

SPELLINGS = [
    "yes", "YES", " Yes ", "y", "Y", "n", "true", "False", "no", "unknown", " UNKNOWN", "", " ", "\t", "\u00a0yes\u00a0",
    "1", "yes|no", "ja", "y e s", "wet", "Wet ", "wet|dry", "wet | dry", "WET|Dry|unknown", "never|wet", "never|never",
    "unknown|unknown", "unknown|never", "wet||dry", "|wet", "wet|", "|", "wet,dry", "rim", "RIM", "disc", "oily film",
    "3", " 3 ", "3.5", "1e1", "1E0", "+2", "-0", "-1", ".5", "5.", "1_0", "0x1", "nan", "inf", "1e400", "6", "6.0001",
    "3 mm", "3,5", "10|20", "10|20|30", "10", "10|x", "10||20", "10 | 20", "10|2000", "1|2|3|4|5|6", "1|2|3|4|5|6|7",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_cell_says_what_the_same_text_says_in_a_case_file(form: str, bicycle: Knowledge, tmp_path: Path) -> None:
    """Every spelling in every column; blank cells are not asked. Seen to fail with trim(x) in place of tidy(x)."""
    from psoas.cohort.rejects import written

    names = list(bicycle.findings)
    cases: list[Written] = []
    rows = []
    for said in SPELLINGS:
        for name in names:
            rows.append([str(len(rows)), *(said if other == name else "" for other in names)])
            split = form == "lists" and said and bicycle.findings[name].type in SEVERAL
            typed = written(bicycle.findings[name], tuple(said.split("|")) if split else said)
            cases.append({} if typed is None else {name: typed})
    table = in_form(form, write_table(tmp_path / "t.csv", ["number", *names], rows), bicycle)
    found = screened(bicycle, table, tmp_path, conclusions=True)
    agree(bicycle, cases, found, Expected(bicycle), fired=False)


# The text


def test_the_text_is_the_same_whatever_order_things_are_made_in(knowledge: Knowledge) -> None:
    assert screen_text(knowledge) == screen_text(load(ROOT / "kb"))


def test_every_column_is_worked_out_once_and_after_what_it_builds_on(knowledge: Knowledge) -> None:
    seen: set[str] = set()
    given = {f"{name} typed" for name in knowledge.findings}
    for layer in screen_text(knowledge).split(" AS (\nSELECT\n")[1:]:
        fresh = set()
        for line in layer.split("\nFROM ")[0].splitlines():
            made = re.fullmatch(r"  (.*) AS \"([^\"]+)\",?", line)
            assert set(re.findall(r'"([^"]+)"', made[1] if made else line)) <= seen | given
            if made:
                assert made[2] not in seen | fresh
                fresh.add(made[2])
        seen |= fresh
    assert len(seen) > 1000


def test_ids_that_differ_in_capitals_alone_are_told_apart(tmp_path: Path) -> None:
    """Engines do not tell them apart. Seen to fail with the loop in Columns.add left out."""
    findings = {name: word(name) for name in ("a", "b")}
    rules = [rule("TWIN", yes("a"), "one"), rule("twin", yes("b"), "two")]
    knowledge = made(findings, ["one", "two", "three"], rules)
    cases: list[Written] = [{"a": "yes", "b": "no"}, {"a": "no", "b": "yes"}]
    found = screened(knowledge, table_of(tmp_path / "t.csv", knowledge, cases), tmp_path, conclusions=True)
    assert [row["conclusions"] for row in found.rows] == [["one"], ["two"]]


def test_cells_of_lists_join_with_bars() -> None:
    assert (cell(["a", "b"]), cell("a"), cell(None)) == ("a|b", "a", "")
