"""A cell of a table → how its finding stands: `case.read_answer`, in SQL.

`answers` gives each finding as it was typed: a text, several words with | between them, or (those in `numeric`) a
number. Words become small whole numbers, sets sums of powers of two: engines compare those much faster than texts.
"""

from __future__ import annotations

from collections.abc import Collection

from psoas.case import YES_NO
from psoas.knowledge.conditions import OPEN
from psoas.knowledge.model import Finding, Knowledge
from psoas.readings.screen.sql import FALSE, Columns, double, every, text

UNKNOWN, REFUSED, GIVEN = 0, -1, 1
"""How a cell reads that has no value: asked and open, and refused. A number that has one reads 1."""


class Cells:
    """The answers of a row as they stand in its cells, before contradictions."""

    def __init__(self, knowledge: Knowledge, columns: Columns, numeric: Collection[str]) -> None:
        self.knowledge = knowledge
        self.columns = columns
        self.numeric = numeric
        self._read: dict[str, str] = {}

    def read(self, name: str) -> str:
        """Return how a cell reads: NULL not asked, 0 unknown, -1 refused, else that there is a value."""
        if name not in self._read:
            finding = self.knowledge.findings[name]
            if finding.length is not None:
                self._read[name] = self._series(finding)
            elif finding.range is not None:
                self._read[name] = self._number(finding)
            else:
                self._read[name] = self._words(finding)
        return self._read[name]

    def asked(self, name: str) -> str:
        """Return that a finding was asked."""
        return f"({self.read(name)} IS NOT NULL)"

    def refused(self, name: str) -> str:
        """Return that a cell cannot be read; NULL where it is empty."""
        return f"({self.read(name)} = {REFUSED})"

    def value(self, name: str) -> str:
        """Return the value: a number, the number of a word, or a sum of them; of a series, that there is one."""
        read = self.read(name)
        finding = self.knowledge.findings[name]
        if finding.range is not None and finding.length is None:
            return self.columns[f"{name} in range"]
        return self.columns.add(f"{name} as given", f"CASE WHEN {read} > 0 THEN {read} END")

    def number_of(self, finding: Finding, word: str) -> int:
        """Return what stands for `word` among the values of `finding`."""
        place = [*finding.values, OPEN].index(word)
        return 1 << place if finding.type == "any of" else place + 1

    def typed(self, name: str) -> str:
        """Return the cell as it was typed."""
        return f'"{name} typed"'

    # words

    def _words(self, finding: Finding) -> str:
        numbers = {word: self.number_of(finding, word) for word in finding.values}
        numbers[OPEN] = UNKNOWN
        name, typed = finding.id, self.typed(finding.id)
        whens = " ".join(f"WHEN {text(word)} THEN {number}" for word, number in numbers.items())
        plain = self.columns.add(f"{name} plain", f"CASE {typed} {whens} END")
        other = f"CASE WHEN {plain} IS NULL AND {typed} IS NOT NULL"
        if finding.type == "any of":
            return self._set(finding, plain, f"{other} THEN as_words({typed}) END")
        word = self.columns.add(f"{name} word", f"{other} THEN as_word({typed}) END")
        if finding.type == "yes-no":
            spellings = {w: numbers[v] for w, v in YES_NO.items() if v in numbers}
            whens = " ".join(f"WHEN {text(w)} THEN {n}" for w, n in {**spellings, OPEN: UNKNOWN}.items())
        read = f"CASE {word} WHEN '' THEN NULL {whens} ELSE {REFUSED} END"
        return self.columns.add(f"{name} read", f"coalesce({plain}, CASE WHEN {word} IS NOT NULL THEN {read} END)")

    def _set(self, finding: Finding, plain: str, words: str) -> str:
        """Return how a set reads. Its words stand between bars, as in |wet|dry|."""
        said = self.columns.add(f"{finding.id} words", words)
        numbers = {word: self.number_of(finding, word) for word in (*finding.values, OPEN)}
        total = " + ".join(
            f"CASE WHEN contains({said}, {text(f'|{w}|')}) THEN {n} ELSE 0 END" for w, n in numbers.items()
        )
        any_word = "|".join(numbers)
        alone = [
            f"(contains({said}, {text(f'|{w}|')}) AND replace({said}, {text(f'|{w}')}, '') <> '|')"
            for w in finding.alone
        ]
        crowded = f"WHEN {' OR '.join(alone)} THEN {REFUSED} " if alone else ""
        read = (
            f"CASE WHEN {said} IS NULL OR {said} = '||' THEN NULL WHEN {said} = {text(f'|{OPEN}|')} THEN {UNKNOWN} "
            f"WHEN NOT has_form({said}, {text(f'[|](({any_word})[|])+')}) THEN {REFUSED} {crowded}ELSE {total} END"
        )
        return self.columns.add(f"{finding.id} read", f"coalesce({plain}, {read})")

    # numbers

    def _number(self, finding: Finding) -> str:
        assert finding.range is not None
        name, typed = finding.id, self.typed(finding.id)
        within = f"BETWEEN {double(finding.range.low)} AND {double(finding.range.high)}"
        if name in self.numeric:
            value = self.columns.add(f"{name} in range", f"CASE WHEN {typed} {within} THEN {typed} END")
            return self.columns.add(
                f"{name} read",
                f"CASE WHEN {value} IS NOT NULL THEN {GIVEN} WHEN {typed} IS NOT NULL THEN {REFUSED} END",
            )
        number = self.columns.add(f"{name} number", f"as_number({typed})")
        value = self.columns.add(f"{name} in range", f"CASE WHEN {number} {within} THEN {number} END")
        return self._or_a_word(name, f"{value} IS NOT NULL")

    def _or_a_word(self, name: str, valid: str) -> str:
        """Return how a cell reads that has a number where `valid`."""
        typed = self.typed(name)
        word = f"CASE as_word({typed}) WHEN '' THEN NULL WHEN {text(OPEN)} THEN {UNKNOWN} ELSE {REFUSED} END"
        return self.columns.add(
            f"{name} read", f"CASE WHEN {valid} THEN {GIVEN} WHEN {typed} IS NULL THEN NULL ELSE {word} END"
        )

    def _series(self, finding: Finding) -> str:
        assert finding.range is not None
        assert finding.length is not None
        parts = self.columns.add(f"{finding.id} parts", f"as_pieces({self.typed(finding.id)})")
        count = self.columns.add(f"{finding.id} count", f"how_many({parts})")
        within = f"BETWEEN {double(finding.range.low)} AND {double(finding.range.high)}"
        fits = [f"{count} BETWEEN {int(finding.length.low)} AND {int(finding.length.high)}"]
        fits += [
            f"({place} > {count} OR {number} {within})" for place, number in enumerate(self._typed_numbers(finding), 1)
        ]
        valid = self.columns.add(f"{finding.id} valid", f"coalesce({every(fits)}, {FALSE})")
        return self._or_a_word(finding.id, valid)

    def _typed_numbers(self, finding: Finding) -> list[str]:
        assert finding.length is not None
        parts = self.columns[f"{finding.id} parts"]
        return [
            self.columns.add(f"{finding.id} typed {place}", f"as_number(from_end({parts}, {place}))")
            for place in range(1, int(finding.length.high) + 1)
        ]

    def numbers(self, name: str) -> list[str]:
        """Return the numbers of a series, the last one first, NULL beyond its length and where it is refused."""
        self.read(name)
        valid = self.columns[f"{name} valid"]
        return [
            self.columns.add(f"{name} {place} from the end", f"CASE WHEN {valid} THEN {number} END")
            for place, number in enumerate(self._typed_numbers(self.knowledge.findings[name]), 1)
        ]
