"""A case → its `Consultation`: the one result, from which text, JSON and drawings are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from psoas.case import Case
from psoas.knowledge.conditions import Condition, evaluate
from psoas.knowledge.digest import knowledge_digest
from psoas.knowledge.model import Disagreement, Disposition, Knowledge, Remedy, Rule, Withholding
from psoas.knowledge.program import compile_program, withheld
from psoas.knowledge.signatures import signings
from psoas.memory import Vocabulary, WorkingMemory
from psoas.nearmiss import NearMisses, Turn
from psoas.plan import Given, planned
from psoas.prospect import Prospect, Question
from psoas.readings.fire import Inference
from psoas.reasoning import Reasoning
from psoas.triage import Screen, Triage


@dataclass(frozen=True, slots=True)
class Cause:
    """A conclusion named as a cause: how certain, by which rules, along which chain to the outcome."""

    id: str
    kind: str
    rank: int
    certainty: float
    rules: tuple[str, ...]
    reported: tuple[str, ...]  # the findings behind it
    chain: tuple[str, ...]
    evidence: str  # the weakest on the chain
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A remedy that would be indicated, and the rules that keep it back."""

    id: str
    because: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A disagreement between the sources that bears on the case."""

    id: str
    question: str
    sides: tuple[tuple[str, tuple[str, ...]], ...]
    settled: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signatures:
    """How much of the knowledge experts have signed, and how much of that has changed since."""

    signed: int
    stale: int
    total: int


@dataclass(frozen=True)
class Consultation:
    """What the knowledge base says of one case, and why."""

    knowledge: Knowledge
    case: Case
    memory: WorkingMemory
    triage: Triage
    reasoning: Reasoning
    causes: tuple[Cause, ...]
    remedies: tuple[Given, ...]
    withheld: tuple[Withheld, ...]
    disputes: tuple[Dispute, ...]
    signatures: Signatures
    _prospect: Prospect
    _near_misses: NearMisses

    @property
    def level(self) -> Disposition:
        """The disposition."""
        return self.knowledge.level(self.triage.level)

    @property
    def restricted(self) -> bool:
        """Whether only remedies of the restricted tiers may be given."""
        return self.level.plan == "restricted" or not self.triage.settled

    @property
    def screened(self) -> frozenset[str]:
        """The findings on which the disposition depends."""
        return frozenset(self._prospect.screen.findings)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The open questions that could still change something; none where the disposition stands alone."""
        return () if self.level.alone else self._prospect.questions(self.memory)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The smallest changes of answers that would turn the disposition."""
        return self._near_misses.turns(self.memory)

    @cached_property
    def digest(self) -> str:
        """The digest of the knowledge base."""
        return knowledge_digest(self.knowledge)


class Consultant:
    """A knowledge base ready to be consulted, case after case. One instance a thread."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.vocabulary = Vocabulary(knowledge)
        self.program = compile_program(knowledge)
        self.screen = Screen(knowledge, self.program)
        self.prospect = Prospect(knowledge, self.program, self.screen)
        self.near_misses = NearMisses(knowledge, self.screen)
        self._inference = Inference(self.program)
        self._kinds = [kind.id for kind in knowledge.manifest.kinds if kind.heading]
        self._signatures = signatures(knowledge)

    def consult(self, case: Case) -> Consultation:
        """Return the consultation of `case`."""
        memory = WorkingMemory(self.vocabulary, case.answers)
        triage = self.screen.judge(memory)
        # where no triage rule fired the level is known all the same, and remedies may depend on it
        reasoning = Reasoning(self.knowledge, self.program, memory, self._inference.fire(memory, [triage.level]))
        causes = self._causes(reasoning, triage)
        level = self.knowledge.level(triage.level)
        restricted = level.plan == "restricted" or not triage.settled
        given, held = self._divide(reasoning, triage, restricted)
        return Consultation(
            self.knowledge,
            case,
            memory,
            triage,
            reasoning,
            causes,
            planned(self.knowledge, given, {cause.id: cause.rank for cause in causes}, memory),
            tuple(held),
            tuple(self._disputes(reasoning, restricted)),
            self._signatures,
            self.prospect,
            self.near_misses,
        )

    # causes

    def _causes(self, reasoning: Reasoning, triage: Triage) -> tuple[Cause, ...]:
        listed = [
            conclusion
            for conclusion in self.knowledge.conclusions.values()
            if conclusion.id in reasoning.established and conclusion.kind in self._kinds
        ]
        urgency = self._urgency(triage)
        listed.sort(
            key=lambda c: (
                self._kinds.index(c.kind),
                -urgency.get(c.id, -1),
                -reasoning.certainty(c.id),
                c.id,
            )
        )
        return tuple(self._cause(reasoning, c.id, c.kind, rank) for rank, c in enumerate(listed, 1))

    def _urgency(self, triage: Triage) -> Mapping[str, int]:
        """Return for each conclusion the rank of the most urgent fired triage rule that suspects it."""
        urgency: dict[str, int] = {}
        for rule in (self.knowledge.rules[name] for name in triage.fired):
            for conclusion in rule.then:
                urgency[conclusion] = max(urgency.get(conclusion, -1), self.screen.rank[rule.level])
        return urgency

    def _cause(self, reasoning: Reasoning, conclusion: str, kind: str, rank: int) -> Cause:
        rules = reasoning.rules_for(conclusion, "sign", "mechanism")
        chain, links = reasoning.chain(conclusion)
        sources = [
            *self.knowledge.conclusions[conclusion].sources,
            *(s for rule in rules for s in rule.sources),
        ]
        return Cause(
            conclusion,
            kind,
            rank,
            reasoning.certainty(conclusion),
            tuple(rule.id for rule in rules),
            reasoning.reported(f"conclusion:{conclusion}"),
            tuple(chain),
            reasoning.weakest_evidence(links),
            tuple(dict.fromkeys(sources)),
        )

    # remedies

    def _divide(self, reasoning: Reasoning, triage: Triage, restricted: bool) -> tuple[list[Remedy], list[Withheld]]:
        """Return the indicated remedies: those given, and those kept back with the reason."""
        allowed = {tier.id for tier in self.knowledge.manifest.tiers if tier.restricted}
        given: list[Remedy] = []
        held: list[Withheld] = []
        for remedy in self.knowledge.remedies.values():
            if remedy.id not in reasoning.established:
                continue
            blockers = self._blockers(reasoning, remedy.id)
            if blockers:
                held.append(blockers)
            elif restricted and remedy.tier not in allowed:
                held.append(Withheld(remedy.id, *self._restriction(triage)))
            else:
                given.append(remedy)
        return given, held

    def _restriction(self, triage: Triage) -> tuple[tuple[str, ...], str]:
        """Return the rules that restrict the plan, and the reason: what was decided, or else what is still open."""
        decisive = tuple(rule for rule in triage.fired if self.knowledge.rules[rule].level == triage.level)
        if decisive and self.knowledge.level(triage.level).plan == "restricted":
            return decisive, "it waits for the assessment"
        return triage.unsettled, "it waits for the open safety questions"

    def _blockers(self, reasoning: Reasoning, remedy: str) -> Withheld | None:
        if withheld(remedy) not in reasoning.established:
            return None
        rules = [
            self.knowledge.withholdings[firing.rule]
            for firing in reasoning.firings.values()
            if withheld(remedy) in firing.established
        ]
        reasons = dict.fromkeys(rule.because for rule in rules)
        return Withheld(remedy, tuple(rule.id for rule in rules), "; ".join(reasons))

    # disagreements

    def _disputes(self, reasoning: Reasoning, restricted: bool) -> Iterable[Dispute]:
        def holds(condition: Condition) -> bool:
            return bool(evaluate(condition, reasoning.memory.now, reasoning.holds))

        for item in self.knowledge.disagreements.values():
            if holds(item.bears):
                settled = next(s.says for s in item.settled if s.when is None or holds(s.when))
                if restricted and not item.safety:
                    settled = "To be settled after the assessment: until then nothing of the kind is advised."
                yield _dispute(item, settled)


def _dispute(item: Disagreement, settled: str) -> Dispute:
    sides = tuple((side.says, side.sources) for side in item.sides)
    cited = [*(source for _, sources in sides for source in sources), *item.sources]
    return Dispute(item.id, item.question, sides, settled, tuple(dict.fromkeys(cited)))


def signatures(knowledge: Knowledge) -> Signatures:
    """Return how many rules and remedies carry a valid signature, and how many only an outdated one."""
    kinds = (Rule, Withholding, Remedy)
    states = [signing.state for signing in signings(knowledge).values() if isinstance(signing.item, kinds)]
    return Signatures(states.count("signed"), states.count("stale"), len(states))
