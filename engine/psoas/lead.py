"""Which cause will be named first, whatever the questions not yet asked bring? Bounds on certainty and urgency.

Certainty (docs/semantics.md, section 5) only rises with evidence for a conclusion and only falls with evidence
against it, so its bounds follow from the bounds of its parts, end by end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from psoas.knowledge.conditions import Condition, Holds, Not, Test
from psoas.knowledge.model import Knowledge, Rule
from psoas.knowledge.program import Program
from psoas.readings.outlook import TRUE, Outlook, needed
from psoas.reasoning import combined

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Lead:
    """The cause named first: settled, or what it still depends on."""

    cause: str  # "" where there is none, or it is open
    settled: bool
    rivals: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Causes that may lead, the likeliest first → the findings not asked on which their certainty depends."""

    @property
    def findings(self) -> frozenset[str]:
        """The findings not asked that decide between the rivals."""
        return frozenset().union(*self.rivals.values())


class Ranking:
    """The order of causes of one knowledge base, as far as it can be foreseen."""

    def __init__(self, knowledge: Knowledge, program: Program, rank: dict[str, int]) -> None:
        """`rank` gives each level of urgency its place, the mildest first."""
        self.program = program
        self._strength = {name: float(text) for name, text in knowledge.manifest.strengths.items()}
        self._rank = rank
        kinds = [kind.id for kind in knowledge.manifest.kinds if kind.heading]
        self.causes = {c.id: kinds.index(c.kind) for c in knowledge.conclusions.values() if c.kind in kinds}
        self._about: dict[str, list[int]] = {}  # conclusion → clauses for it and against it
        for number, clause in enumerate(program.clauses):
            if isinstance(clause.origin, Rule):
                for conclusion in clause.origin.then:
                    self._about.setdefault(conclusion, []).append(number)

    def lead(self, outlook: Outlook) -> Lead:
        """Return which cause leads in every way the open questions may be answered, or what decides between them."""
        view = _View(self, outlook)
        possible = [cause for cause in self.causes if outlook[cause] is not False]
        best = {cause: view.key(cause, best=True) for cause in possible}
        worst = {cause: view.key(cause, best=False) for cause in possible if outlook[cause]}
        if not possible:
            return Lead("", True)
        first = min(worst, key=worst.__getitem__) if worst else ""
        rivals = [cause for cause in possible if cause == first or not first or best[cause] < worst[first]]
        if rivals == [first]:
            return Lead(first, True)
        return Lead("", False, {cause: view.open_findings(cause) for cause in sorted(rivals, key=best.__getitem__)})

    def order(self, outlook: Outlook) -> dict[str, float]:
        """Return the causes with their certainty, the first first, of an outlook that leaves nothing open."""
        view = _View(self, outlook)
        named = sorted((cause for cause in self.causes if outlook[cause]), key=lambda cause: view.key(cause, best=True))
        return {cause: round(view.bounds(cause)[0], 4) for cause in named}


class _View:
    """The bounds of one outlook, each worked out once."""

    def __init__(self, ranking: Ranking, outlook: Outlook) -> None:
        self.ranking = ranking
        self.outlook = outlook
        self._bounds: dict[str, Bounds] = {}
        self._open: dict[str, frozenset[str]] = {}

    def key(self, cause: str, *, best: bool) -> tuple[float, float, float, str]:
        """Return what causes are sorted by, at its best or its worst."""
        urgency = -1
        for number in self.ranking._about.get(cause, ()):
            rule, value = self.ranking.program.clauses[number].origin, self.outlook.clauses[number]
            if isinstance(rule, Rule) and rule.level and (value or (best and value is None)):
                urgency = max(urgency, self.ranking._rank[rule.level])
        low, high = self.bounds(cause)
        return self.ranking.causes[cause], -urgency, -round(high if best else low, 4), cause

    def bounds(self, conclusion: str) -> Bounds:
        """Return the least and the greatest certainty `conclusion` can come to have."""
        if conclusion not in self._bounds:
            self._bounds[conclusion] = self._combined(conclusion)
        return self._bounds[conclusion]

    def _combined(self, conclusion: str) -> Bounds:
        if self.outlook[conclusion] is False:
            return 0.0, 0.0
        pro: list[Bounds] = []
        con: list[Bounds] = []
        for number in self.ranking._about.get(conclusion, ()):
            clause = self.ranking.program.clauses[number]
            if self.outlook.clauses[number] is False or not isinstance(clause.origin, Rule):
                continue
            strength = self.ranking._strength.get(clause.origin.strength, 1.0)
            low, high = self._degree(clause.origin.when)
            if self.outlook.clauses[number] is None:
                low = 0.0
            (con if clause.origin.kind == "against" else pro).append((strength * low, strength * high))
        least = combined([low for low, _ in pro], [high for _, high in con])
        most = combined([high for _, high in pro], [low for low, _ in con])
        return least, most

    def _degree(self, condition: Condition) -> Bounds:
        if isinstance(condition, Holds):
            return self.bounds(condition.symbol)
        if isinstance(condition, Test | Not):
            low, high = self.outlook.truth(condition)
            return float(low == TRUE), float(high == TRUE)
        if not condition.of:
            return 1.0, 1.0
        return needed(condition, [self._degree(part) for part in condition.of])

    def open_findings(self, conclusion: str) -> frozenset[str]:
        """Return the findings not asked on which the certainty or the urgency of `conclusion` still depends."""
        if conclusion not in self._open:
            self._open[conclusion] = frozenset(self._open_findings(conclusion))
        return self._open[conclusion]

    def _open_findings(self, conclusion: str) -> Iterator[str]:
        for number in self.ranking._about.get(conclusion, ()):
            if self.outlook.clauses[number] is not False:
                yield from self.outlook.open_findings(number)
                yield from self._open_degree(self.ranking.program.clauses[number].origin.when)

    def _open_degree(self, condition: Condition | None) -> Iterator[str]:
        """Yield the findings not asked on which the certainty of `condition` still depends."""
        if condition is None or len(set(self._degree(condition))) == 1:
            return
        if isinstance(condition, Holds):
            yield from self.open_findings(condition.symbol)
        elif isinstance(condition, Test | Not):
            yield from self.outlook.open_leaves(condition)
        else:
            for part in condition.of:
                yield from self._open_degree(part)
