"""Which questions next, in what order, and when to stop. It knows no terminal: it is asked, and answers with a step.

Safety comes first, in the order the knowledge base gives; then always what tells most; and nothing that can change
nothing (docs/semantics.md, sections 11 and 12). Every step follows from the answers alone, so an interview that was
broken off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from psoas.case import Case
from psoas.consultation import Consultant
from psoas.knowledge.model import Disposition, Finding, Rule
from psoas.knowledge.program import withheld
from psoas.lead import Ranking
from psoas.memory import Standing, State, WorkingMemory
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
    """What the findings not asked yet could still decide: finding → level or `PLAN` → what waits → its share."""

    shares: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)

    def wait(self, where: str, what: str, findings: Iterable[str]) -> None:
        findings = set(findings)
        for finding in findings:
            self.shares.setdefault(finding, {}).setdefault(where, {})[what] = 1 / len(findings)


class Interviewer:
    """Chooses the questions of one knowledge base."""

    def __init__(self, consultant: Consultant) -> None:
        self.consultant = consultant
        self.knowledge = consultant.knowledge
        self.program = consultant.program
        self.screen = consultant.screen
        self.ranking = Ranking(self.knowledge, self.program, self.screen.rank)
        manifest = self.knowledge.manifest
        self._levels = [level.id for level in reversed(self.screen.levels)]
        self._restricted = {tier.id for tier in manifest.tiers if tier.restricted}
        self._sheets = [Sheet(together.findings, together.asks) for together in manifest.interview]
        self._sheet_of = {name: number for number, sheet in enumerate(self._sheets) for name in sheet.findings}
        topics = {topic: number for number, topic in enumerate(manifest.topics)}
        self._place = {f.id: (topics.get(f.topic, 0), f.place.line) for f in self.knowledge.findings.values()}

    def step(self, answers: Mapping[str, State], *, only_safety: bool = False) -> Step:
        """Return what comes next for a case with these answers; `only_safety`: nothing but what safety needs."""
        memory = WorkingMemory(self.consultant.vocabulary, answers)
        stakes = self._stakes(memory, only_safety)
        if stakes.shares:
            return self._choose(stakes)
        if self._level(memory).alone:
            return Step(stopped="emergency")
        known = {name: state for name, state in answers.items() if state is not Standing.UNKNOWN}
        if len(known) == len(answers):
            return Step(stopped="settled")
        left = self._stakes(WorkingMemory(self.consultant.vocabulary, known), only_safety)
        return Step(stopped="exhausted" if left.shares else "settled")

    def waiting(self, sheet: Sheet, answers: Mapping[str, State]) -> dict[str, tuple[str, ...]]:
        """Return what waits for the answers to `sheet`: level → triage rules, `causes` and `remedies` → their ids."""
        memory = WorkingMemory(self.consultant.vocabulary, answers)
        stakes, outlook = self._stakes(memory, only_safety=False), Outlook(self.program, memory)
        found: dict[str, tuple[str, ...]] = {}
        for where in (*self._levels, PLAN):
            shares = [stakes.shares.get(name, {}).get(where, {}) for name in sheet.findings]
            found[where] = tuple(dict.fromkeys(what for each in shares for what in sorted(each)))
        found["remedies"] = tuple(name for name in found.pop(PLAN) if name in self.knowledge.remedies)
        asked = set(sheet.findings)
        found["causes"] = tuple(cause for cause in self.ranking.causes if asked & outlook.deciding(cause))
        return found

    def heading(self, findings: tuple[str, ...]) -> str:
        """Return what the sheet of these findings asks; "" for a single one."""
        return self._sheets[self._sheet_of[findings[0]]].asks if len(findings) > 1 else ""

    def retrace(self, answers: Mapping[str, State], *, only_safety: bool = False) -> list[tuple[str, ...]]:
        """Return the sheets by which an interview came to `answers`, as far as they can be told from them."""
        known: dict[str, State] = {}
        asked: list[tuple[str, ...]] = []
        while True:
            sheet = self.step(known, only_safety=only_safety).sheet
            if sheet is None or not set(sheet.findings) <= set(answers):
                return asked
            asked.append(sheet.findings)
            known.update((name, answers[name]) for name in sheet.findings)

    # what is at stake

    def _level(self, memory: WorkingMemory) -> Disposition:
        now, ahead = established(self.screen.program, memory), foreseen(self.screen.program, memory)
        return self.knowledge.level(self.screen.level(now, ahead))

    def _stakes(self, memory: WorkingMemory, only_safety: bool) -> _Stakes:
        """Return what the findings not asked yet could still decide."""
        now, ahead = established(self.screen.program, memory), foreseen(self.screen.program, memory)
        level = self.knowledge.level(self.screen.level(now, ahead))
        stakes = _Stakes()
        if level.alone:
            self._weigh_exceptions(level.id, now, ahead, stakes)
            return stakes
        restricted = self._weigh_levels(memory, stakes)
        if not only_safety:
            self._weigh_plan(Outlook(self.program, memory), stakes, restricted)
        return stakes

    def _weigh_exceptions(self, level: str, now: Evaluation, ahead: Evaluation, stakes: _Stakes) -> None:
        """Enter what could still show that the rules giving `level` do not apply; nothing where one does for sure."""
        memory = now.memory
        waiting: dict[str, list[str]] = {}
        for number, clause in enumerate(self.screen.program.clauses):
            if level in clause.heads and now.clauses[number]:
                findings = [f for f in ahead.open_findings(number) if memory[f] is Standing.UNASKED]
                if ahead.clauses[number] or not findings:
                    return
                waiting[clause.id] = findings
        for name, findings in waiting.items():
            stakes.wait(level, name, self._askable(findings, memory))

    def _weigh_levels(self, memory: WorkingMemory, stakes: _Stakes) -> bool:
        """Enter the triage rules that could still raise the level; return whether the plan is restricted for sure."""
        rank = self.screen.rank
        ahead, outlook = foreseen(self.screen.program, memory), Outlook(self.screen.program, memory)
        rules = [
            (number, clause.id, clause.origin.level)
            for number, clause in enumerate(self.screen.program.clauses)
            if isinstance(clause.origin, Rule) and clause.origin.level
        ]
        otherwise = self.knowledge.manifest.otherwise
        sure = max((level for number, _, level in rules if ahead.clauses[number]), key=rank.get, default="")  # type: ignore[arg-type]
        restricted = bool(sure) and self.knowledge.level(sure).plan == "restricted"
        open_rules = []
        for number, name, level in rules:
            if ahead.clauses[number] is not None or (sure and rank[level] <= rank[sure]):
                continue
            screened = self.knowledge.level(level).screened
            reading = ahead if screened else outlook
            findings = [f for f in reading.open_findings(number) if memory[f] is Standing.UNASKED]
            if screened and not findings:  # what keeps it open is unknown, and stays so
                restricted = True
                sure = sure or otherwise.unknown
            elif findings and reading.clauses[number] is None:
                open_rules.append((level, name, findings))
        for level, name, findings in open_rules:
            if not sure or rank[level] > rank[sure]:
                stakes.wait(level, name, self._askable(findings, memory))
        return restricted

    def _weigh_plan(self, outlook: Outlook, stakes: _Stakes, restricted: bool) -> None:
        """Enter the leading cause and the remedies as far as they are open."""
        memory = outlook.memory
        lead = self.ranking.lead(outlook)
        if not lead.settled:
            stakes.wait(PLAN, "lead", self._askable(lead.findings, memory))
        for remedy in self.knowledge.remedies.values():
            if restricted and remedy.tier not in self._restricted:
                continue
            blocked = withheld(remedy.id)
            if outlook[remedy.id] is False or outlook[blocked] is True:
                continue
            findings = {*outlook.deciding(remedy.id), *outlook.deciding(blocked)}
            if findings:
                stakes.wait(PLAN, remedy.id, self._askable(findings, memory))

    def _askable(self, findings: Iterable[str], memory: WorkingMemory) -> set[str]:
        """Return `findings`, without those of which another one that can be asked decides whether they apply."""
        found = set(findings)
        return {name for name in found if not (self._deciders(name, memory) & found)}

    def _deciders(self, finding: str, memory: WorkingMemory) -> set[str]:
        item = self.knowledge.findings[finding]
        if memory.applies(item) is not None:
            return set()
        return {name for name in self._inputs(item) if memory[name] is Standing.UNASKED}

    def _inputs(self, item: Finding) -> Iterator[str]:
        from psoas.memory import inputs_of

        for name in inputs_of(item):
            yield name
            yield from self._inputs(self.knowledge.findings[name])

    # the next sheet

    def _choose(self, stakes: _Stakes) -> Step:
        sheets = self._gathered(stakes.shares)
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
            for where in stakes.shares[name]
            if where != PLAN
        )

    def _order(self, sheet: Sheet, stakes: _Stakes) -> tuple[float, ...]:
        if self._is_safety(sheet, stakes):
            return (0, self._sheet_of.get(sheet.findings[0], len(self._sheets)), *self._place[sheet.findings[0]])
        sums = [
            -round(sum(sum(stakes.shares[name].get(where, {}).values()) for name in sheet.findings), 6)
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
    """Return the interview in which `case` answers instead of a person, `unknown` where it is silent."""
    answers: dict[str, State] = {}
    asked: list[tuple[str, ...]] = []
    while True:
        step = interviewer.step(answers)
        if step.sheet is None:
            return Interview(answers, tuple(asked), step.stopped)
        asked.append(step.sheet.findings)
        for name in step.sheet.findings:
            answers[name] = case.answers.get(name, Standing.UNKNOWN)
