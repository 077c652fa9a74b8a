"""The answers of an interview as it goes: kept in the order of asking, changed, dropped where they make no sense."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import groupby

from psoas.case import Case, Refused, Rejection, as_written, case_text, make_case, read_answer
from psoas.consultation import Consultant
from psoas.memory import Standing, State, WorkingMemory


@dataclass(frozen=True, slots=True)
class Change:
    """What came of new answers: questions that make no sense any more, answers that contradict others."""

    dropped: tuple[str, ...] = ()
    clashes: tuple[Rejection, ...] = ()


class Dossier:
    """What one person has answered so far, and on which sheets."""

    def __init__(self, consultant: Consultant, case: Case) -> None:
        """`case` holds what is known before the first question."""
        self.knowledge = consultant.knowledge
        self.asked: list[tuple[str, ...]] = []  # the sheets, in the order of asking
        self._vocabulary = consultant.vocabulary
        self._id, self._title, self._story = case.id, case.title, case.story
        self._written = {  # as in the file, and in its order
            name: case.written.get(name, as_written(case.answers[name]))
            for name in dict.fromkeys((*case.written, *case.answers))
        }
        self.answers: dict[str, State] = {name: self._read(name) for name in self._written}

    def _read(self, name: str) -> State:
        try:
            return read_answer(self.knowledge.findings[name], self._written[name])
        except Refused:
            return Standing.UNKNOWN

    @property
    def case(self) -> Case:
        """The case as answered so far, in which answers that contradict each other count as unknown."""
        case = make_case(self.knowledge, self._written, id=self._id, title=self._title)
        return dataclasses.replace(case, story=self._story)

    def text(self) -> str:
        """Return the case file, with the answers in the order of asking."""
        case = self.case
        return case_text(
            self.knowledge, dataclasses.replace(case, answers={name: case.answers[name] for name in self.answers})
        )

    def keep(self, given: Mapping[str, State]) -> Change:
        """Take the answers to a sheet, new ones or others; return what came of them."""
        before = {rejection.finding for rejection in self.case.rejected}
        for name, state in given.items():
            self.answers[name] = state
            self._written[name] = as_written(state)
        dropped = self._drop(given)
        asked = {name for sheet in self.asked for name in sheet}
        if not set(given) <= asked:
            self.asked.append(tuple(given))
        clashes = [item for item in self.case.rejected if item.finding not in before or item.finding in given]
        return Change(tuple(dropped), tuple(clashes))

    def _drop(self, changed: Collection[str]) -> list[str]:
        """Forget the answers that the answers to `changed` have made senseless; return their names."""
        dropped: list[str] = []
        hanging = {name for given in changed for name in self._vocabulary.hanging_on(given)} - set(changed)
        while gone := [name for name in self.answers if name in hanging and self.applies(name) is False]:
            for name in gone:
                del self.answers[name], self._written[name]
            dropped += gone
        self.asked = [left for sheet in self.asked if (left := tuple(n for n in sheet if n not in dropped))]
        return dropped

    def applies(self, name: str) -> bool | None:
        """Return whether the question `name` concerns this case; None where that hangs on open answers."""
        return WorkingMemory(self._vocabulary, self.answers).applies(self.knowledge.findings[name])

    def resume(self) -> None:
        """Take what is answered as asked, each run of answers that stand on one sheet together."""
        sheets = [together.findings for together in self.knowledge.manifest.interview]
        place = {name: number for number, sheet in enumerate(sheets) for name in sheet}
        runs = groupby(self.answers, key=lambda name: place.get(name, name))
        self.asked = [tuple(names) for _, names in runs]

    def named(self, wanted: str) -> tuple[str, ...]:
        """Return the answered findings that `wanted` may mean: a number in their list, an id, a name or part of it."""
        names = list(self.answers)
        if wanted.isdecimal():
            number = int(wanted) if len(wanted) < 10 else 0
            return (names[number - 1],) if 1 <= number <= len(names) else ()
        said = {name: (name, name.replace("_", " "), self.knowledge.findings[name].name.lower()) for name in names}
        exact = tuple(name for name, words in said.items() if wanted in words)
        return exact or tuple(name for name, words in said.items() if wanted and any(wanted in word for word in words))
