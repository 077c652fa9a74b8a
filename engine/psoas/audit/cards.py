"""The card of one item of a knowledge base: all that its expert needs to judge it → data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from psoas.audit.boundary import Boundary, Trials
from psoas.audit.checking import worked_cases
from psoas.audit.history import Changed, last_change
from psoas.audit.material import Worked
from psoas.audit.wording import shortened
from psoas.case import Case
from psoas.consultation import Consultant
from psoas.faults import Fault, Place, Unusable, quoted, suggest
from psoas.knowledge.citations import citations
from psoas.knowledge.conditions import Condition, Holds, Test, leaves
from psoas.knowledge.home import knowledge_home
from psoas.knowledge.model import (
    Calculated,
    Conclusion,
    Contradiction,
    Disagreement,
    Finding,
    Remedy,
    Rule,
    Source,
    Withholding,
)
from psoas.knowledge.program import withheld_by
from psoas.knowledge.signatures import Item, Signing, kind_of, signings
from psoas.memory import inputs_of
from psoas.readings.phrase import Phrases
from psoas.telling.asking import allowed_answers
from psoas.triage import natural


@dataclass(frozen=True, slots=True)
class Link:
    """Another item that feeds this one, or that it feeds: what it is, and what it says."""

    kind: str
    id: str
    says: str


@dataclass(frozen=True)
class Card:
    """One item of a knowledge base, with everything around it."""

    signing: Signing
    title: str
    says: str  # in English
    about: tuple[tuple[str, str], ...]  # (label, text): strength, evidence, how it is tested …
    steps: tuple[str, ...]
    sources: tuple[Source, ...]
    defaults: bool  # something in it rests on no source, but on an expert default
    fed_by: tuple[Link, ...]
    feeds: tuple[Link, ...]
    fires: tuple[str, ...]  # ids of worked cases
    cases: int  # of how many
    unread: tuple[str, ...]  # files of worked cases that cannot be read
    boundary: Boundary | None
    changed: Changed | None

    @property
    def item(self) -> Item:
        """What it is the card of."""
        return self.signing.item


class Cards:
    """The cards of one knowledge base."""

    def __init__(self, consultant: Consultant, folder: Path | None = None) -> None:
        """`folder` is where the knowledge base was loaded from; None: the shipped one."""
        self.consultant = consultant
        self.knowledge = consultant.knowledge
        self.home = folder or knowledge_home()
        self._shown = folder or Path(self.home.name)
        self.signings = signings(self.knowledge)
        self.phrases = Phrases(self.knowledge)
        self._vocabulary = self.knowledge.vocabulary

    @cached_property
    def worked(self) -> tuple[Worked, ...]:
        """The worked cases, and what of them cannot be read."""
        return tuple(worked_cases(self.knowledge, self.home / "cases", self._shown / "cases"))

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The worked cases that can be read."""
        return tuple(each.case for each in self.worked if each.case is not None)

    @cached_property
    def _sources(self) -> dict[int, list[str]]:
        """Item, by identity → the sources it cites."""
        cited: dict[int, list[str]] = {}
        for source, items in citations(self.knowledge).items():
            for item in items:
                cited.setdefault(id(item), []).append(source)
        return cited

    def find(self, name: str) -> Signing:
        """Return what `name` names: an id, or `finding:ID` where kinds share one. Raises `Unusable` for no name."""
        found = self.signings.get(name)
        if found is None and ":" in name:
            kind, _, bare = name.partition(":")
            found = next((s for s in self.signings.values() if s.item.id == bare and kind_of(s.item) == kind), None)
        if found is None:
            raise Unusable([self._no_card(name)])
        return found

    def _no_card(self, name: str) -> Fault:
        """Return the fault that `name` has no card, with what rests on it if it is a source or a level."""
        place, hint = Place("ID"), "psoas audit status lists the files; ids stand in them after id:"
        if name in self.knowledge.sources:
            source, on = self.knowledge.sources[name], [item.id for item in citations(self.knowledge).get(name, ())]
            hint = f"the cards of what rests on it show it: {', '.join(on)}" if on else "nothing rests on it"
            return Fault(place, f"{name} is a source, and has no card ({source.place}: {shortened(source.says)})", hint)
        if name in {level.id for level in self.knowledge.manifest.dispositions}:
            rules = [rule.id for rule in self.knowledge.rules.values() if rule.level == name]
            hint = f"the rules that give it have: {', '.join(sorted(rules, key=natural))}" if rules else ""
            return Fault(place, f"{name} is a level of urgency, and has no card", hint)
        near = suggest(name, self.signings, hint)
        return Fault(place, f"there is nothing called {quoted(name)} in the knowledge base", near)

    def card(self, name: str) -> Card:
        """Return the card of what `name` names. Raises `Unusable` for a name of nothing."""
        signing = self.find(name)
        item = signing.item
        trials = None if isinstance(item, Contradiction) else Trials(self.consultant, item)
        pair = None if trials is None or isinstance(item, Finding | Calculated) else trials.boundary(self.cases)
        sources = self._sources.get(id(item), [])
        return Card(
            signing,
            self._title(item),
            self.phrases.item(item),
            tuple((label, text) for label, text in self._about(item) if text),
            item.steps if isinstance(item, Remedy) else (),
            tuple(self.knowledge.sources[s] for s in sources if s in self.knowledge.sources),
            not set(sources) <= set(self.knowledge.sources),
            tuple(self._fed_by(item)),
            tuple(self._feeds(item)),
            trials.firing(self.cases) if trials else (),
            len(self.cases),
            tuple(each.file for each in self.worked if each.case is None),
            pair,
            last_change(self.home, self._shown, item, (s.item for s in self.signings.values())),
        )

    # what it says

    def _title(self, item: Item) -> str:
        if isinstance(item, Disagreement):
            return item.question
        return "" if isinstance(item, Contradiction) else getattr(item, "name", "")

    def _about(self, item: Item) -> Iterator[tuple[str, str]]:
        """Yield labelled lines on what only this kind of item has."""
        if isinstance(item, Rule):
            yield "kind", "triage rule" if item.level else item.kind
            yield from (("level", item.level), ("strength", item.strength))
        elif isinstance(item, Conclusion):
            yield from (("kind", item.kind), ("in chains", item.short))
        elif isinstance(item, Finding):
            yield "how", item.how
            yield from (("answer", answer) for answer in allowed_answers(item))
            yield "asked if", self.phrases.condition(item.applies) if item.applies else ""
        elif isinstance(item, Remedy):
            yield from self._about_remedy(item)
        elif isinstance(item, Disagreement):
            yield from (("side", f"{side.says} ({', '.join(side.sources)})") for side in item.sides)
            for number, part in enumerate(item.settled):
                where = f"if {self.phrases.condition(part.when)}: " if part.when else "otherwise: " if number else ""
                yield "settled", f"{where}{part.says}"
        yield "evidence", getattr(item, "evidence", "")
        yield "caveat", getattr(item, "caveat", "")

    def _about_remedy(self, item: Remedy) -> Iterator[tuple[str, str]]:
        manifest = self.knowledge.manifest
        named = {each.id: each.name for each in (*manifest.tiers, *manifest.occasions)}
        yield from (("tier", named[item.tier]), ("when", named[item.occasion]), ("purpose", item.purpose))
        for dose in item.dose:
            other = f" (if not known: {dose.otherwise})" if dose.otherwise else ""
            yield "dose", f"{dose.amount}{other} ({dose.source})"
        yield from (("easier", item.easier), ("harder", item.harder), ("feel", item.feel), ("stop", item.stop))

    # what stands around it

    def _fed_by(self, item: Item) -> Iterator[Link]:
        """Yield what `item` rests on: the findings it tests, the conclusions it needs, the rules that establish it."""
        told: list[Link] = []
        if isinstance(item, Calculated):
            told += (self._link(self.knowledge.findings[name]) for name in inputs_of(item))
        if isinstance(item, Conclusion):
            for rule in sorted(self.knowledge.rules.values(), key=lambda r: (r.kind == "against", natural(r.id))):
                if item.id in rule.then:
                    told.append(self._link(rule))
        for leaf in dict.fromkeys(leaf for part in _conditions(item) for leaf in leaves(part)):
            link = self._leaf(leaf)
            if link not in told:
                told.append(link)
        yield from told

    def _leaf(self, leaf: Test | Holds) -> Link:
        if isinstance(leaf, Test):
            return self._link(self._vocabulary[leaf.finding])
        known = self.knowledge.conclusions.get(leaf.symbol) or self.knowledge.remedies.get(leaf.symbol)
        kind = "kind" if leaf.symbol.startswith("any ") else "level"
        return self._link(known) if known else Link(kind, leaf.symbol, self.phrases.symbol(leaf.symbol))

    def _feeds(self, item: Item) -> Iterator[Link]:
        """Yield what rests on `item`: what it establishes, and what mentions it, or a rule's conclusions."""
        if isinstance(item, Rule):
            yield from (self._link(self.knowledge.conclusions[name]) for name in item.then)
            if item.level:
                yield Link("level", item.level, self.phrases.symbol(item.level))
        elif isinstance(item, Withholding):
            yield from (self._link(self.knowledge.remedies[name]) for name in withheld_by(item, self.knowledge))
        tested = isinstance(item, Finding | Calculated)
        wanted = {item.id, f"any {item.kind}"} if isinstance(item, Conclusion) else {item.id}
        for signing in self.signings.values():
            other = signing.item
            mentioned = _tested(other) if tested else _held(other)
            if not wanted.isdisjoint(mentioned) or (isinstance(item, Remedy) and self._withholds(other, item)):
                yield self._link(other)

    def _withholds(self, other: Item, remedy: Remedy) -> bool:
        return isinstance(other, Withholding) and remedy.id in withheld_by(other, self.knowledge)

    def _link(self, item: Item) -> Link:
        if isinstance(item, Rule):
            return Link("rule", item.id, self.phrases.rule(item))
        if isinstance(item, Withholding):  # its own card names all that it holds back
            return Link("withholding", item.id, f"If {self.phrases.condition(item.when)}: {item.because}.")
        return Link(kind_of(item), item.id, self._title(item) or getattr(item, "because", ""))


def _conditions(item: Item) -> Iterator[Condition]:
    """Yield every condition that stands in `item`."""
    if isinstance(item, Disagreement):
        yield item.bears
        yield from (part.when for part in item.settled if part.when is not None)
        return
    if isinstance(item, Remedy):
        yield from map(Holds, item.treats)
    for part in (getattr(item, "when", None), getattr(item, "applies", None), *(getattr(item, "unless", None) or ())):
        if part is not None:
            yield part


def _tested(item: Item) -> set[str]:
    """Return the findings that `item` tests, or is calculated from."""
    if isinstance(item, Calculated):
        return set(item.formula.inputs)
    return {leaf.finding for part in _conditions(item) for leaf in leaves(part) if isinstance(leaf, Test)}


def _held(item: Item) -> set[str]:
    """Return the conclusions, levels and remedies that `item` depends on."""
    return {leaf.symbol for part in _conditions(item) for leaf in leaves(part) if isinstance(leaf, Holds)}
