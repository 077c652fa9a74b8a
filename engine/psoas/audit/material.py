"""What the checks look at: a knowledge base, its worked cases, and what can be worked out from them once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from psoas.audit.casework.outcome import Judge
from psoas.audit.logic import Goal, Logic
from psoas.audit.report import Flaw, Severity
from psoas.case import Case
from psoas.consultation import Consultant
from psoas.faults import Fault, Place
from psoas.knowledge.model import Conclusion, Invariant, Knowledge, Rule


@dataclass(frozen=True, slots=True)
class Worked:
    """A worked case or a limit, and where it stands; without the case, why it cannot be read."""

    name: str
    file: str
    case: Case | None = None
    faults: tuple[Fault, ...] = ()
    line: int = 0  # of a limit, which shares its file with others

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.file, self.line, 1 if self.line else 0)


@dataclass(frozen=True, eq=False)
class Material:
    """What is audited: the knowledge, its worked cases, and the sentences that must hold of every case."""

    knowledge: Knowledge
    cases: tuple[Worked, ...] = ()
    sentences: tuple[Invariant, ...] = ()

    @property
    def counted(self) -> tuple[int, int]:
        """How many worked cases there are, and how many limits."""
        limits = sum(bool(worked.line) for worked in self.cases)
        return len(self.cases) - limits, limits

    @cached_property
    def logic(self) -> Logic:
        """What is possible in it."""
        return Logic(self.knowledge, also=(part for item in self.sentences for part in (item.when, item.then)))

    @cached_property
    def consultant(self) -> Consultant:
        """It, ready to be asked."""
        return Consultant(self.knowledge)

    @cached_property
    def judge(self) -> Judge:
        """It, ready to say quickly what a case comes to."""
        return Judge(self.knowledge)

    @cached_property
    def consistent(self) -> tuple[Goal, ...]:
        """That no answers contradict each other."""
        return tuple(Goal(item.when, "not true") for item in self.knowledge.contradictions.values())

    @cached_property
    def levels(self) -> list[str]:
        """The levels of urgency, the mildest first."""
        manifest = self.knowledge.manifest
        return [level.id for level in manifest.dispositions if level.id != manifest.otherwise.unasked]

    @cached_property
    def screened(self) -> frozenset[str]:
        """The levels that are not to be missed."""
        return frozenset(d.id for d in self.knowledge.manifest.dispositions if d.screened)

    @cached_property
    def headed(self) -> frozenset[str]:
        """The kinds of conclusion that are named as causes."""
        return frozenset(kind.id for kind in self.knowledge.manifest.kinds if kind.heading)

    @cached_property
    def causes(self) -> tuple[Conclusion, ...]:
        """The conclusions that are named as causes."""
        return tuple(c for c in self.knowledge.conclusions.values() if c.kind in self.headed)

    @cached_property
    def weighed(self) -> tuple[Conclusion, ...]:
        """The causes that are told with a certainty and a chain, and that some rule other than triage shows."""
        kinds = {kind.id for kind in self.knowledge.manifest.kinds if kind.weighed}
        return tuple(c for c in self.causes if c.kind in kinds and not self._only_triaged(c.id))

    def _only_triaged(self, conclusion: str) -> bool:
        rules = list(self.concluding(conclusion))
        return bool(rules) and all(rule.level for rule in rules)

    def concluding(self, conclusion: str) -> Iterator[Rule]:
        """Yield the rules that establish `conclusion`."""
        for rule in self.knowledge.rules.values():
            if rule.kind != "against" and conclusion in rule.then:
                yield rule


Check: TypeAlias = Callable[[Material], Iterator[Flaw]]


def flaw(check: str, severity: Severity, item: Any, message: str, mend: str = "", others: tuple[str, ...] = ()) -> Flaw:
    """Return a flaw of `item`, any noun of the model that has an id."""
    return Flaw(item.place, check, severity, item.id, message, mend, others)
