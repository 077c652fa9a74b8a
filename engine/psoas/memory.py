"""Working memory: what a case says of every finding, whether it applies, and what is calculated from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from psoas.knowledge.conditions import OPEN, Kleene, Test, Value, evaluate, leaves
from psoas.knowledge.formulas import Undefined
from psoas.knowledge.model import Answerable, Calculated, Finding, Knowledge


class Standing(Enum):
    """How a finding stands that has no value."""

    UNASKED = "not asked"
    UNKNOWN = "unknown"
    INAPPLICABLE = "does not apply"


State: TypeAlias = Value | Standing


def is_open(state: State) -> bool:
    """Tell whether `state` is an answer that is unknown, or a set that is in part."""
    return state is Standing.UNKNOWN or (isinstance(state, frozenset) and OPEN in state)


class Vocabulary:
    """The findings of a knowledge base, and which of them hang on which."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.items: Mapping[str, Answerable] = knowledge.vocabulary
        self._direct: dict[str, list[str]] = {}
        for item in self.items.values():
            for source in dict.fromkeys(inputs_of(item)):
                self._direct.setdefault(source, []).append(item.id)

    def hanging_on(self, finding: str) -> set[str]:
        """Return `finding` and every finding whose state depends on its answer."""
        reached: set[str] = set()
        pending = [finding]
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending += self._direct.get(name, [])
        return reached


def inputs_of(item: Answerable) -> tuple[str, ...]:
    """Return the findings that decide whether `item` applies, or from which it is calculated."""
    if isinstance(item, Calculated):
        return item.formula.inputs
    return tuple(leaf.finding for leaf in leaves(item.applies) if isinstance(leaf, Test))


class WorkingMemory:
    """The state of every finding of one case. Immutable: `changed` returns another one."""

    def __init__(self, vocabulary: Vocabulary, answers: Mapping[str, State]) -> None:
        """`answers` holds what was asked: a value, or `Standing.UNKNOWN`."""
        self.vocabulary = vocabulary
        self.answers = answers
        self._states: dict[str, State] = {}

    def __getitem__(self, finding: str) -> State:
        state = self._states.get(finding)
        if state is None:
            state = self._states[finding] = self._work_out(self.vocabulary.items[finding])
        return state

    def changed(self, finding: str, state: State) -> tuple[WorkingMemory, set[str]]:
        """Return the memory with another state of `finding`, and the findings whose state may differ."""
        answers = {**self.answers, finding: state}
        if state is Standing.UNASKED:
            del answers[finding]
        other = WorkingMemory(self.vocabulary, answers)
        touched = self.vocabulary.hanging_on(finding)
        other._states = self._states.copy()
        for name in touched:
            other._states.pop(name, None)
        return other, touched

    def applies(self, finding: Finding) -> Kleene:
        """Return whether `finding` applies to this case; None where that is open."""
        if finding.applies is None:
            return True
        return evaluate(finding.applies, self.ahead, lambda symbol: None)

    def now(self, test: Test) -> Kleene:
        """Return what `test` says of the case as it stands: whether something was answered is definite."""
        state = self[test.finding]
        if isinstance(state, Standing):
            return False if state is Standing.INAPPLICABLE or test.operator == "answered" else None
        return test.of(state)

    def ahead(self, test: Test) -> Kleene:
        """Return what `test` says whatever the open answers turn out to be."""
        state = self[test.finding]
        if isinstance(state, Standing):
            asked = state is Standing.UNKNOWN and test.operator == "answered"
            return False if asked or state is Standing.INAPPLICABLE else None
        return test.of(state)

    def is_open(self, finding: str) -> bool:
        """Tell whether `finding` still has no valid answer, and could have one."""
        state = self[finding]
        return state is not Standing.INAPPLICABLE and self.now(Test(finding, "answered")) is False

    def _work_out(self, item: Answerable) -> State:
        if isinstance(item, Calculated):
            return self._calculate(item)
        if item.id in self.answers and self.answers[item.id] is not Standing.UNKNOWN:
            return self.answers[item.id]
        if self.applies(item) is False:
            return Standing.INAPPLICABLE
        return self.answers.get(item.id, Standing.UNASKED)

    def _calculate(self, item: Calculated) -> State:
        inputs = {name: self[name] for name in item.formula.inputs}
        if Standing.UNASKED in inputs.values():
            return Standing.UNASKED
        try:
            return item.formula.value(
                {name: state for name, state in inputs.items() if isinstance(state, float | tuple)}
            )
        except (Undefined, KeyError):
            return Standing.UNKNOWN
