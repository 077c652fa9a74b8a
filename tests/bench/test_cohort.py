"""Cohorts are measured, compared and told; a slow stand-in takes the place of `psoas screen`. No time is asserted."""

import json
from dataclasses import replace
from functools import cache

import pytest

from bench import cohort, peers, plots, report, run, screened, tables
from bench.programs import shipped
from psoas.consultation import Consultant

pytest.importorskip("duckdb", reason="duckdb, which writes the tables, is not installed (pip install 'psoas[bench]')")


@pytest.fixture(scope="module")
def cohorts():
    """Cohorts measured with a slow stand-in for `psoas screen`, so that nothing of the harness waits for it."""
    return cohort.measure(consultant(), run.QUICK.cohort, slowly)


@cache
def consultant():
    return Consultant(shipped(1)[0])


def slowly(knowledge):
    """Return what screens a table row by row: what `psoas screen` must do, done in Python."""
    return _screener(knowledge, lambda level: level)


def wrongly(knowledge):
    """Return the same, but for one disposition, of which it thinks better."""
    dispositions = [level.id for level in knowledge.manifest.dispositions]
    return _screener(knowledge, lambda level: dispositions[0] if level == dispositions[-1] else level)


def _screener(knowledge, said):
    import duckdb

    base = cohort._Base(knowledge)

    def screen(table, out):
        with duckdb.connect() as database:
            (rows,) = database.execute(f"SELECT count(*) FROM '{table}'").fetchone()
            columns = ", ".join(f'"{name}" BOOLEAN' for name in knowledge.conclusions)
            database.execute(f"CREATE TABLE screened (id BIGINT, disposition VARCHAR, {columns})")
            for number, row in tables.read(knowledge, table, rows).items():
                memory = base.memory(row)
                held = peers.established(base.program, memory).established()
                cells = [
                    number,
                    said(base.triage.judge(memory).level),
                    *(name in held for name in knowledge.conclusions),
                ]
                database.execute(f"INSERT INTO screened VALUES ({', '.join('?' * len(cells))})", cells)
            database.execute(f"COPY screened TO '{out}' (FORMAT parquet)")

    return screen


def test_the_same_rows_in_every_run_and_no_two_alike(tmp_path):
    knowledge, bank = consultant().knowledge, tables.likely(consultant(), 20, seed=1)
    files = tmp_path / "one.parquet", tmp_path / "other.parquet"
    for file in files:
        tables.write(knowledge, bank, 50, file)
    one, other = (tables.read(knowledge, file, 50) for file in files)
    assert one == other
    assert list(one) == list(range(50))
    assert len({json.dumps(row, sort_keys=True) for row in one.values()}) == 50


def test_a_row_of_the_table_is_what_was_written(tmp_path):
    """With a bank of one case every row is that case."""
    knowledge = consultant().knowledge
    for (case,) in (tables.likely(consultant(), 1, seed=seed) for seed in range(5)):
        tables.write(knowledge, [case], 2, tmp_path / "table.parquet")
        told = {
            name: [said] if isinstance(said, str) and tables._is_list(knowledge, name) else said
            for name, said in case.items()
        }
        assert list(tables.read(knowledge, tmp_path / "table.parquet", 2).values()) == [told, told]


def test_screen_and_peers_are_compared_row_by_row(cohorts):
    assert cohorts.agreeing == run.QUICK.cohort.checked
    for entrant in cohorts.entrants:
        assert entrant.agreeing == entrant.checked > 0, entrant.name
    for line in cohorts.rules:
        assert line.agreeing == line.checked > 0, line.name


@pytest.mark.parametrize(("screener", "wrong"), [(slowly, False), (wrongly, True)])
def test_a_screen_that_is_wrong_would_be_seen(tmp_path, screener, wrong):
    table, base = tmp_path / "table.parquet", cohort._Base(consultant().knowledge)
    tables.write(base.knowledge, [{"age_years": "40"}, {"saddle_numbness": "yes"}], 20, table)
    cases = {number: base.memory(row) for number, row in tables.read(base.knowledge, table, 20).items()}
    undetermined = sum(base.triage.judge(case).level == "undetermined" for case in cases.values())
    assert 0 < undetermined < 20
    agreeing = cohort._agreeing(base, screener(base.knowledge), table, tmp_path / "out.parquet", cases)
    assert agreeing == (20 - undetermined if wrong else 20)


def test_a_cohort_is_measured_and_told_without_screen():

    def absent(knowledge):
        raise screened.NotThere("it is not there")

    measured = cohort.measure(consultant(), replace(run.QUICK.cohort, rules=()), absent)
    page = report.markdown(report.Results(cohort=replace(measured, missing={peers.ZEN: "nor is zen"})))
    assert "\n\nNot measured: nor is zen.\n\n" in page
    assert "`screen` was not measured: it is not there." in page
    assert "not measured | open" in page


def test_the_page_tells_of_cohorts(cohorts):
    page = report.markdown(report.Results(cohort=cohorts))
    assert "## Cohorts\n" in page
    assert "**Where a peer is ahead.**" in page
    for name in (cohort.SCREEN, *(entrant.name for entrant in cohorts.entrants)):
        assert f"\n| {name} |" in page
    assert page.count("| at least 1,000 |") == page.count("| at least 100 |") == 1


def test_the_pictures_of_cohorts_show_every_engine_and_every_size(cohorts):
    from xml.etree import ElementTree

    title = "{http://www.w3.org/2000/svg}title"
    shown = [element.text for element in ElementTree.fromstring(plots.speeds(cohorts)).iter(title)][1:]
    assert len(shown) == 1 + 2 * len(cohorts.entrants)
    dots = [element.text for element in ElementTree.fromstring(plots.growths(cohorts)).iter(title)][1:]
    assert len(dots) == len(cohorts.rows.sizes) + sum(len(line.sizes) for line in cohorts.rules)
