"""Every benchmark runs, tiny, and the engines it compares give the same results. No time is asserted anywhere."""

import json
import math

import pytest

from bench import firing, foresight, peers, report, run, startup
from bench.measure import growth, interleaved, ratio
from bench.programs import shipped, synthetic
from psoas.consultation import Consultant


@pytest.fixture(scope="module")
def results():
    return run.measure(run.QUICK, [section for section in run.SECTIONS if section != "cohort"])


def test_every_command_was_measured(results):
    commands = {row.command for row in results.startup.rows}
    assert {"python -m psoas_cli consult V12.yaml", "python -m psoas_cli --help"} <= commands


def test_the_accounts_add_up_to_the_whole(results):
    accounts = dict(results.startup.accounts)
    whole = accounts.pop(report.WHOLE)
    assert sum(accounts.values()) == pytest.approx(whole)
    assert {account for _, _, account in startup_steps()} <= set(accounts)


def startup_steps():
    from bench.ledger import STEPS

    return STEPS


def test_the_engines_agree(results):
    for row in (*results.firing.rows, results.firing.plain):
        assert row.agreeing == row.cases > 0, row.name


def test_triage_agrees_with_firing(results):
    assert results.foresight.agreeing == results.foresight.cases > 0


@pytest.mark.parametrize("negation", [True, False])
def test_the_engines_agree_on_a_program_in_which_much_fires(negation):
    fired = firing.compare(synthetic(60, 4, negation=negation), cases=4, rounds=1)
    assert fired.agreeing == 4
    assert fired.fired > 1


def test_a_disagreement_would_be_seen(monkeypatch):
    from bench.stock import StockInference

    monkeypatch.setattr(StockInference, "fire", lambda self, memory: ((), frozenset({"something else"})))
    assert firing.compare(synthetic(20, 2), cases=2, rounds=1).agreeing == 0


HEADINGS = (
    *("Method", "Machine", "Targets", "Start-up", "One case through `fire`", "Growth", "Looking ahead"),
    *("A case at a time", "Interviews"),
)


def test_the_page_has_every_section_and_names_no_machine(results):
    import platform

    page = report.markdown(results)
    for heading in HEADINGS:
        assert f"## {heading}\n" in page
    assert "All ratios on this page are from one run" in page
    assert str(run.ROOT) not in page
    assert not platform.node() or f" {platform.node()} " not in page


def test_the_same_size_makes_the_same_program():
    one, other = synthetic(30, 2), synthetic(30, 2)
    assert one.program.clauses == other.program.clauses
    assert [memory.answers for memory in one.memories] == [memory.answers for memory in other.memories]


def test_the_shipped_knowledge_has_cases():
    knowledge, subject = shipped(1)
    assert knowledge.rules
    assert len(subject.memories) == 1


def test_foresight_runs_on_its_own():
    assert foresight.measure(*shipped(1), rounds=1).tried > 0


def test_tasks_take_turns():
    order: list[str] = []
    interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2)
    assert order == ["a", "b", "a", "b", "a", "b"]


def test_a_ratio_is_of_neighbours_and_growth_is_an_exponent():
    assert ratio([2.0, 40.0, 6.0], [1.0, 20.0, 3.0]).median == 2.0
    assert growth([10, 100, 1000], [1.0, 10.0, 100.0]) == pytest.approx(1.0)
    assert math.isnan(growth([10], [1.0]))


def test_the_ledger_runs_as_a_process_of_its_own():
    import sys

    printed = json.loads(startup.process((sys.executable, str(startup.LEDGER), str(startup.CASE)))())
    assert printed["characters"] > 500


def test_interviews_come_to_the_same_advice(results):
    for held in results.questions.held:
        assert held.agreeing == len(held.entries) == sum(held.stops.values()) > 0, held.name


def test_the_fixed_order_is_one_of_the_measures_compared(results):
    means = [measured.entries for measured in results.questions.measured]
    assert len(means) == 4
    assert len(set(means)) > 1


def test_the_picture_has_a_bar_for_every_number_of_entries(results):
    from xml.etree import ElementTree

    from bench.questions import histogram

    picture = ElementTree.fromstring(histogram(results.questions))
    bars = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")][1:]
    expected = [(n, held.entries.count(n)) for held in results.questions.held for n in sorted(set(held.entries))]
    assert bars == [f"{entries} entries: {count}" for entries, count in expected]


def test_every_peer_agrees_on_the_cases_it_is_timed_on(results):

    lane = results.lane
    assert {*peers.NAMES} == {*lane.missing} | {entrant.name for entrant in lane.entrants if entrant.checked}
    for entrant in lane.entrants:
        assert entrant.agreeing == entrant.checked, entrant.name


def test_interviews_counted_in_other_processes_are_the_same():
    from bench import questions
    from psoas.case import read_case

    one = Consultant(shipped(1)[0])
    cases = [read_case(one.knowledge, file) for file in sorted(run.ROOT.glob("kb/cases/V*.yaml"))[:2]]
    with questions._workers(one, 0) as here, questions._workers(one, questions.FEW) as elsewhere:
        name = next(iter(questions.WEIGHTS))
        assert here(questions._held, name, cases) == elsewhere(questions._held, name, cases)
