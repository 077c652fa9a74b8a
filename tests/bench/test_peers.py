"""Every engine that is compared concludes the same from the same cases, whatever the rules may say."""

from functools import cache
from random import Random

import pytest

from bench import peers
from bench.programs import random_memories, shipped, synthetic
from psoas.consultation import Consultant
from psoas.knowledge.program import compile_program
from psoas.memory import Vocabulary, WorkingMemory
from random_cases import random_knowledge, random_states


@cache
def consultant():
    return Consultant(shipped(1)[0])


@pytest.fixture(params=peers.NAMES)
def peer(request):
    if request.param in peers.missing():
        pytest.skip(peers.missing()[request.param])
    return request.param


def test_every_peer_agrees_on_random_cases_of_the_shipped_knowledge(peer):
    cases = random_memories(consultant(), 4 if peer == peers.STOCK else 60)
    (engine,) = peers.engines(consultant().program, consultant().vocabulary, cases, [peer])
    assert engine.agreeing == len(cases)


@pytest.fixture(scope="module")
def programs():
    """Return random programs, each with its vocabulary and four cases."""
    random, made = Random(11), []
    for _ in range(30):
        knowledge = random_knowledge(random)
        vocabulary = Vocabulary(knowledge)
        cases = [WorkingMemory(vocabulary, random_states(random, knowledge)) for _ in range(4)]
        made.append((compile_program(knowledge), vocabulary, cases))
    return made


def test_every_peer_agrees_on_random_programs(peer, programs):
    """Counts, sets open in part, findings that do not apply, `answered`, numbers between: what the rules may say."""
    for number, (program, vocabulary, cases) in enumerate(programs):
        for conclude in (make() for make in peers._spellings(peer, program, vocabulary)):
            for case in cases:
                assert conclude(case) == peers.established(program, case).established(), f"program {number}"


def test_a_peer_that_disagrees_is_counted_and_not_hidden(monkeypatch):
    from bench.peer_loop import StraightLine

    monkeypatch.setattr(
        StraightLine,
        "__init__",
        lambda self, *rest: setattr(self, "conclude", lambda memory: frozenset({"something else"})),
    )
    subject = synthetic(40, 3)
    (engine,) = peers.engines(subject.program, subject.memories[0].vocabulary, subject.memories, [peers.STRAIGHT])
    assert (engine.agreeing, engine.checked) == (0, 3)


def test_a_peer_that_is_not_installed_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda module: None)
    assert peers.missing().keys() == {peers.CLIPS, peers.ZEN}
    assert "psoas[bench]" in peers.missing()[peers.ZEN]
    found = peers.engines(
        *[getattr(consultant(), part) for part in ("program", "vocabulary")], [], [peers.ZEN, peers.LOOP]
    )
    assert [engine.name for engine in found] == [peers.LOOP]
