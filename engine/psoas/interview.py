"""Which questions next, in what order, and when to stop. It knows no terminal: it is asked, and answers with a step.

Safety comes first, in the order the knowledge base gives; then always what tells most; and nothing that can change
nothing (docs/semantics.md, sections 11 and 12). Every step follows from the answers alone, so an interview that was
broken off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Literal

from psoas.case import Case
from psoas.consultation import Consultant
from psoas.knowledge.conditions import Kleene
from psoas.knowledge.program import withheld
from psoas.lead import Ranking
from psoas.memory import Standing, State, WorkingMemory, inputs_of, is_open
from psoas.readings.foresee import Evaluation, established, foreseen
from psoas.readings.outlook import Outlook

Stop = Literal["", "emergency", "settled", "exhausted", "enough"]
"""Why an interview ended: an emergency; nothing open matters; only unknown answers do; the person had enough."""
PLAN = "plan"
"""What a question may decide beside the levels of urgency: the leading cause and the remedies."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Questions that are asked at once."""

    findings: tuple[str, ...]
    asks: str = ""  # the heading, where there are several


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next: ask a sheet, or stop and why."""

    sheet: Sheet | None = None
    stopped: Stop = ""
    safety: bool = False  # whether the sheet is about urgency
    left: int = 0  # sheets that may still be asked, this one included


@dataclass
class _Stakes:
    """What the findings not asked yet could still decide: finding → level or `PLAN` → what waits → for how many."""

    waits: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)

    def wait(self, where: str, what: str, findings: set[str]) -> None:
        """Enter that `what` waits for `findings`."""
        for finding in findings:
            self.waits.setdefault(finding, {}).setdefault(where, {})[what] = len(findings)


def share(n: int) -> float:
    """Return what each of `n` findings is worth to a rule that waits for all of them."""
    return 1 / n


class Interviewer:
    """Chooses the questions of one knowledge base."""

    def __init__(self, consultant: Consultant, weight: Callable[[int], float] = share) -> None:
        """`weight` says what a finding is worth to a rule that waits for so many: what tells most is asked first."""
        self.consultant = consultant
        self.weight = weight
        self.knowledge = consultant.knowledge
        self.program = consultant.program
        self.screen = consultant.screen
        self.ranking = Ranking(self.knowledge, self.program, self.screen.rank)
        manifest = self.knowledge.manifest
        self._levels = [level.id for level in reversed(self.screen.levels)]
        self._restricted = {tier.id for tier in manifest.tiers if tier.restricted}
        self._sheets = [Sheet(together.findings, together.asks) for together in manifest.interview]
        self._sheet_of = {name: number for number, sheet in enumerate(self._sheets) for name in sheet.findings}
        self._place = self.knowledge.order_of_asking

    def step(self, answers: Mapping[str, State], *, only_safety: bool = False) -> Step:
        """Return what comes next for a case with these answers; `only_safety`: nothing but what safety needs."""
        memory = WorkingMemory(self.consultant.vocabulary, answers)
        stakes = self._stakes(memory, only_safety)
        if stakes.waits:
            return self._choose(stakes)
        if self.knowledge.level(self.screen.level(*self._verdicts(memory))).alone:
            return Step(stopped="emergency")
        known = {name: state for name, state in answers.items() if not is_open(state)}
        if len(known) == len(answers):
            return Step(stopped="settled")
        left = self._stakes(WorkingMemory(self.consultant.vocabulary, known), only_safety)
        return Step(stopped="exhausted" if left.waits else "settled")

    def waiting(self, sheet: Sheet, answers: Mapping[str, State]) -> dict[str, tuple[str, ...]]:
        """Return what waits for the answers to `sheet`: level → triage rules, `causes` and `remedies` → their ids."""
        memory = WorkingMemory(self.consultant.vocabulary, answers)
        stakes, outlook = self._stakes(memory, only_safety=False), Outlook(self.program, memory)
        found: dict[str, tuple[str, ...]] = {}
        for where in (*self._levels, PLAN):
            waits = [stakes.waits.get(name, {}).get(where, {}) for name in sheet.findings]
            found[where] = tuple(dict.fromkeys(what for each in waits for what in sorted(each)))
        found["remedies"] = tuple(name for name in found.pop(PLAN) if name in self.knowledge.remedies)
        asked, rivals = set(sheet.findings), self.ranking.lead(outlook).rivals
        causes = [cause for cause, findings in rivals.items() if asked & findings]
        causes += [cause for cause in self.ranking.causes if asked & outlook.deciding(cause)]
        found["causes"] = tuple(dict.fromkeys(causes))
        return found

    def heading(self, findings: tuple[str, ...]) -> str:
        """Return what the sheet of these findings asks; "" for a single one."""
        return self._sheets[self._sheet_of[findings[0]]].asks if len(findings) > 1 else ""

    # what is at stake

    def _verdicts(self, memory: WorkingMemory) -> tuple[Evaluation, Evaluation]:
        return established(self.screen.program, memory), foreseen(self.screen.program, memory)

    def _stakes(self, memory: WorkingMemory, only_safety: bool) -> _Stakes:
        """Return what the findings not asked yet could still decide."""
        now, ahead = self._verdicts(memory)
        level, outlook, stakes = self.screen.level(now, ahead), Outlook(self.screen.program, memory), _Stakes()
        if self.knowledge.level(level).alone:
            self._weigh_exceptions(level, now, outlook, stakes)
            return stakes
        sure = max((of for number, _, of in self.screen.rules if outlook.clauses[number]), key=self._rank, default="")
        restricted = self._weigh_levels(sure, ahead, outlook, stakes)
        if not only_safety:
            assumed: dict[str, Kleene] = {sure or level: True}
            if stakes.waits and not sure:  # which level it will be where no rule gives one is open
                otherwise = self.knowledge.manifest.otherwise
                assumed = dict.fromkeys((otherwise.settled, otherwise.unknown, otherwise.unasked))
            self._weigh_plan(Outlook(self.program, memory, assumed), stakes, restricted)
        return stakes

    def _weigh_exceptions(self, level: str, now: Evaluation, outlook: Outlook, stakes: _Stakes) -> None:
        """Enter what could still show that the rules giving `level` do not apply; nothing where one does for sure."""
        fired = [(number, rule.id) for number, rule, of in self.screen.rules if of == level and now.clauses[number]]
        waiting = {name: self._askable(outlook.open_findings(number), outlook.memory) for number, name in fired}
        if all(waiting.values()):
            for name, findings in waiting.items():
                stakes.wait(level, name, findings)

    def _weigh_levels(self, sure: str, ahead: Evaluation, outlook: Outlook, stakes: _Stakes) -> bool:
        """Enter the triage rules that could still decide the level or restrict the plan; return whether it is for sure.

        `sure` is the level that some rule gives whatever is answered. A screened rule that is open restricts the plan,
        also if it cannot fire any more because of what is unknown (docs/semantics.md, section 8).
        """
        memory = outlook.memory
        unsettled = {
            number: {f for f in ahead.open_findings(number) if memory[f] is Standing.UNASKED}
            for number, _, level in self.screen.rules
            if self.knowledge.level(level).screened and ahead.clauses[number] is None and not outlook.clauses[number]
        }
        for_good = not all(unsettled.values())
        restricted = for_good or (bool(sure) and self.knowledge.level(sure).plan == "restricted")
        for number, rule, level in self.screen.rules:
            findings: set[str] = set()
            if not (sure and restricted):
                findings |= unsettled.get(number, set())
            if self._rank(level) > self._rank(sure) if sure else not (for_good and self._is_unknown(level)):
                findings |= set(outlook.open_findings(number))
            stakes.wait(level, rule.id, self._askable(findings, memory))
        return restricted

    def _rank(self, level: str) -> int:
        return self.screen.rank[level]

    def _is_unknown(self, level: str) -> bool:
        return level == self.knowledge.manifest.otherwise.unknown

    def _weigh_plan(self, outlook: Outlook, stakes: _Stakes, restricted: bool) -> None:
        """Enter the leading cause and the remedies as far as they are open."""
        memory = outlook.memory
        stakes.wait(PLAN, "lead", self._askable(self.ranking.lead(outlook).findings, memory))
        for remedy in self.knowledge.remedies.values():
            if restricted and remedy.tier not in self._restricted:
                continue
            blocked = withheld(remedy.id)
            if outlook[remedy.id] is not False and outlook[blocked] is not True:
                findings = outlook.deciding(remedy.id) | outlook.deciding(blocked)
                stakes.wait(PLAN, remedy.id, self._askable(findings, memory))

    def _askable(self, findings: Iterable[str], memory: WorkingMemory) -> set[str]:
        """Return `findings`, without those of which another one that can be asked decides whether they apply."""
        found = set(findings)
        return {name for name in found if not any(other in found for other in self._deciders(name, memory))}

    def _deciders(self, finding: str, memory: WorkingMemory) -> Iterator[str]:
        """Yield the findings that decide whether `finding` applies, where that is open."""
        item = self.knowledge.findings[finding]
        if memory.applies(item) is None:
            for name in inputs_of(item):
                yield name
                yield from self._deciders(name, memory)

    # the next sheet

    def _choose(self, stakes: _Stakes) -> Step:
        sheets = self._gathered(stakes.waits)
        best = min(sheets, key=lambda sheet: self._order(sheet, stakes))
        return Step(best, "", self._is_safety(best, stakes), len(sheets))

    def _gathered(self, findings: Iterable[str]) -> list[Sheet]:
        """Return the sheets on which `findings` stand, each with only those of its findings."""
        wanted = set(findings)
        sheets = []
        for sheet in self._sheets:
            here = tuple(name for name in sheet.findings if name in wanted)
            if here:
                sheets.append(Sheet(here, sheet.asks if len(here) > 1 else ""))
                wanted -= set(here)
        return [*sheets, *(Sheet((name,)) for name in sorted(wanted, key=self._place.__getitem__))]

    def _is_safety(self, sheet: Sheet, stakes: _Stakes) -> bool:
        return any(
            self.knowledge.level(where).screened
            for name in sheet.findings
            for where in stakes.waits[name]
            if where != PLAN
        )

    def _order(self, sheet: Sheet, stakes: _Stakes) -> tuple[float | str, ...]:
        if self._is_safety(sheet, stakes):
            return (0, self._sheet_of.get(sheet.findings[0], len(self._sheets)), *self._place[sheet.findings[0]])
        waits = [stakes.waits[name] for name in sheet.findings]
        sums = [
            -fsum(self.weight(n) for wait in waits for n in wait.get(where, {}).values())
            for where in (*self._levels, PLAN)
        ]
        return (1, *sums, *self._place[sheet.findings[0]])


@dataclass(frozen=True, slots=True)
class Interview:
    """An interview that was held: the sheets in the order they were asked, and why it stopped."""

    answers: Mapping[str, State]
    asked: tuple[tuple[str, ...], ...]
    stopped: Stop


def replay(interviewer: Interviewer, case: Case) -> Interview:
    """Return the interview in which `case` answers instead of a person, `unknown` where it is silent.

    A value it has for a question that does not concern it counts (docs/semantics.md, section 6) but would never be
    asked for; it is taken as said beforehand.
    """
    findings = interviewer.knowledge.findings
    given = {name: case.answers.get(name, Standing.UNKNOWN) for name in findings}
    memory = WorkingMemory(interviewer.consultant.vocabulary, given)
    answers: dict[str, State] = {
        name: state
        for name, state in given.items()
        if state is not Standing.UNKNOWN and memory.applies(findings[name]) is False
    }
    asked: list[tuple[str, ...]] = []
    while True:
        step = interviewer.step(answers)
        if step.sheet is None:
            return Interview(answers, tuple(asked), step.stopped)
        asked.append(step.sheet.findings)
        answers.update((name, given[name]) for name in step.sheet.findings)
