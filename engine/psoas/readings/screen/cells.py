"""A cell of a table → how its finding stands: `case.read_answer`, in SQL.

`answers` gives each finding as it was typed: a text, several words with | between them, or a number. Words become
small whole numbers, sets sums of powers of two: engines compare those much faster than texts.
Whether what has no value was not asked, is unknown or was refused is asked of the cell only where it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from psoas.case import YES_NO
from psoas.knowledge.conditions import OPEN
from psoas.knowledge.model import Calculated, Finding, Knowledge
from psoas.readings.screen.sql import FALSE, Columns, double, every, negated, some, text

CellForm: TypeAlias = Literal["number", "entry", "list"]
"""What a cell may be but a text on its own: a number, an entry of a dictionary many rows share, a list of texts."""


class Cells:
    """The answers of a row as they stand in its cells, before contradictions."""

    def __init__(self, knowledge: Knowledge, columns: Columns, forms: Mapping[str, CellForm]) -> None:
        """`forms` says which findings come as something else than as a text on its own.

        Of an entry, what functions alone say is worked out once for all rows that share it. A text on its own is
        first looked at as it stands, since few cells are not written just as the finding has it.
        """
        self.knowledge = knowledge
        self.columns = columns
        self._forms = forms

    def _is(self, name: str, form: CellForm) -> bool:
        return self._forms.get(name) == form

    def typed(self, name: str) -> str:
        """Return the cell as it was typed: a number or a text, of a list one that is made where it may matter."""
        finding, cell = self.knowledge.findings[name], self._cell(name)
        if not self._is(name, "list"):
            return cell
        if finding.length is not None:
            wanted = f"NOT {self.value(name)} AND {cell} IS NOT NULL"
            return self.columns.add(f"{name} cell", lambda: f"CASE WHEN {wanted} THEN as_cell({cell}) END")
        if finding.type != "any of":
            return self.columns.add(f"{name} cell", f"as_cell({cell})")
        one = self._only_word(finding)
        wanted = f"{one} IS NULL AND {cell} IS NOT NULL"
        return self.columns.add(f"{name} cell", f"CASE WHEN {wanted} THEN as_cell({cell}) END")

    def _cell(self, name: str) -> str:
        return f'"{name} typed"'

    def asked(self, name: str) -> str:
        """Return that a finding was asked."""
        return self.columns.add(f"{name} asked", lambda: self._asked(name))

    def _asked(self, name: str) -> str:
        typed, finding = self.typed(name), self.knowledge.findings[name]
        if self._is(name, "number"):
            return f"({typed} IS NOT NULL)"
        if self._is(name, "entry"):
            return f"is_beside({self._as_word(name)}, '')"
        plain = f"{self._only_word(finding)} IS NOT NULL" if finding.type == "any of" else negated(self.without(name))
        return f"CASE WHEN {plain} THEN TRUE ELSE is_beside(as_word({typed}), '') END"

    def refused(self, name: str) -> str:
        """Return that a cell cannot be read: it has no value, and it is neither empty nor says that it is unknown."""
        return self.columns.add(f"{name} unreadable", lambda: self._refused(name))

    def _refused(self, name: str) -> str:
        typed, finding = self.typed(name), self.knowledge.findings[name]
        if self._is(name, "number"):
            return f"({self.without(name)} AND {typed} IS NOT NULL)"
        if self._is(name, "entry") and finding.values and finding.type != "any of":
            return f"is_beside({self._as_word(name)}, {text('|'.join((*self._spellings(finding), OPEN, '')))})"
        if self._is(name, "entry"):
            return f"({self.without(name)} AND is_beside({self._as_word(name)}, {text(f'{OPEN}|')}))"
        odd = f"is_beside(as_word({typed}), {text(f'{OPEN}|')})"
        return f"(CASE WHEN {self.without(name)} THEN {odd} ELSE FALSE END)"

    def value(self, name: str) -> str:
        """Return the value, or what stands for none (`none`).

        It is a number, the place of a word, or the sum of the bits of the words of a set; of a series, whether there
        is one.
        """
        finding = self.knowledge.findings[name]
        column = f"{name} as given"
        if finding.length is not None:
            return self.columns.add(column, lambda: self._series(finding))
        if finding.range is not None:
            return self.columns.add(column, lambda: self._number(finding))
        if finding.type == "any of":
            return self.columns.add(column, lambda: self._set(finding))
        return self.columns.add(column, lambda: self._word(finding))

    def none(self, finding: Finding) -> str:
        """Return what stands for no value: in a set, that it is open whether anything is in it."""
        if finding.length is not None:
            return FALSE
        if finding.range is not None:
            return "NULL"
        return str(self.bit_of(finding, OPEN)) if finding.type == "any of" else "0"

    def without(self, name: str) -> str:
        """Return that a cell has no value."""
        finding = self.knowledge.findings[name]
        if finding.type == "any of":
            return f"({self._read_set(finding)} IS NULL)"
        return without(self.value(name), finding)

    # words

    def _as_word(self, name: str) -> str:
        """Return an entry as a word: worked out once, so it costs nothing to have it for every row."""
        return self.columns.add(f"{name} word", f"as_word({self.typed(name)})")

    def _word(self, finding: Finding) -> str:
        """Return the place of the word among those the finding knows, all spellings of one next to each other."""
        typed, words = self.typed(finding.id), text("|".join(self._spellings(finding)))
        if self._is(finding.id, "entry"):
            return f"coalesce(place({self._as_word(finding.id)}, {words}), {self.none(finding)})"
        closer = f"CASE WHEN {typed} <> {text(OPEN)} THEN place(as_word({typed}), {words}) END"
        return f"coalesce(place({typed}, {words}), {closer}, {self.none(finding)})"

    def places_of(self, finding: Finding, word: str) -> tuple[int, int]:
        """Return between which values of `finding` a cell says `word`."""
        of = list(self._spellings(finding).values())
        return 1 + of.index(word), len(of) - of[::-1].index(word)

    def _spellings(self, finding: Finding) -> dict[str, str]:
        """Return the words that may stand in a cell → the value each stands for."""
        if finding.type != "yes-no":
            return {value: value for value in finding.values}
        return {word: value for value in finding.values for word, of in {value: value, **YES_NO}.items() if of == value}

    def bit_of(self, finding: Finding, word: str) -> int:
        """Return what stands for `word` in a set: a power of two."""
        return 1 << [*finding.values, OPEN].index(word)

    def _set(self, finding: Finding) -> str:
        return f"coalesce({self._read_set(finding)}, {self.none(finding)})"

    def _read_set(self, finding: Finding) -> str:
        return self.columns.add(f"{finding.id} read", lambda: self._reading_of_set(finding))

    def _reading_of_set(self, finding: Finding) -> str:
        """Return the value of a set: most have one word; the words of others stand between bars, as in |wet|dry|."""
        one, typed = self._only_word(finding), self.typed(finding.id)
        bits = {word: self.bit_of(finding, word) for word in (*finding.values, OPEN)}
        form = text(f"[|](({'|'.join(bits)})[|])+")
        plain, closer = f"concat('|', {typed}, '|')", f"as_words({typed})"
        whens = f"WHEN has_form({plain}, {form}) THEN {plain} WHEN has_form({closer}, {form}) THEN {closer}"
        said = self.columns.add(f"{finding.id} words", f"CASE WHEN {one} IS NULL THEN CASE {whens} END END")
        total = " + ".join(f"CASE WHEN contains({said}, {text(f'|{w}|')}) THEN {n} ELSE 0 END" for w, n in bits.items())
        crowded = [
            f"(contains({said}, {text(f'|{w}|')}) AND replace({said}, {text(f'|{w}')}, '') <> '|')"
            for w in finding.alone
        ]
        no_value = some([f"{said} = {text(f'|{OPEN}|')}", *crowded])
        value = f"CASE WHEN {said} IS NULL OR {no_value} THEN NULL ELSE {total} END"
        last = len(finding.values)
        return f"CASE WHEN {one} <= {last} THEN 1 << ({one} - 1) WHEN {one} IS NULL THEN {value} END"

    def _only_word(self, finding: Finding) -> str:
        """Return the place of the word of a set that has just one, written as the finding has it; open is the last."""
        cell, words = self._cell(finding.id), text("|".join((*finding.values, OPEN)))
        said = f"place({cell}, {words})"
        if self._is(finding.id, "list"):
            said = f"CASE WHEN how_many({cell}) = 1 THEN place(first_of({cell}), {words}) END"
        return self.columns.add(f"{finding.id} alone", said)

    # numbers

    def _number(self, finding: Finding) -> str:
        assert finding.range is not None
        name = finding.id
        typed = number = self.typed(name)
        if self._is(name, "entry"):
            said = f"CASE WHEN all_digits({typed}) THEN TRY_CAST({typed} AS DOUBLE) ELSE as_number({typed}) END"
            number = self.columns.add(f"{name} number", said)
        elif not self._is(name, "number"):
            number = self.columns.add(f"{name} number", f"as_number({typed})")
        within = f"BETWEEN {double(finding.range.low)} AND {double(finding.range.high)}"
        return f"CASE WHEN {number} {within} THEN {number} END"

    def _series(self, finding: Finding) -> str:
        assert finding.range is not None
        assert finding.length is not None
        cell = self._cell(finding.id)
        parts = cell if self._is(finding.id, "list") else f"as_parts({cell})"
        numbers = self.columns.add(f"{finding.id} numbers", f"as_numbers({parts})")
        count = self.columns.add(f"{finding.id} count", f"how_many({numbers})")
        within = f"BETWEEN {double(finding.range.low)} AND {double(finding.range.high)}"
        fits = [f"{count} BETWEEN {int(finding.length.low)} AND {int(finding.length.high)}"]
        fits += [
            f"({place} > {count} OR {number} {within})" for place, number in enumerate(self._typed_numbers(finding), 1)
        ]
        return f"CASE WHEN {every(fits)} THEN TRUE ELSE FALSE END"

    def _typed_numbers(self, finding: Finding) -> list[str]:
        assert finding.length is not None
        numbers = self.columns[f"{finding.id} numbers"]
        return [
            self.columns.add(f"{finding.id} typed {place}", f"from_end({numbers}, {place})")
            for place in range(1, int(finding.length.high) + 1)
        ]

    def numbers(self, name: str) -> list[str]:
        """Return the numbers of a series, the last one first, NULL beyond its length and where it is refused."""
        valid = self.value(name)
        return [
            self.columns.add(f"{name} {place} from the end", f"CASE WHEN {valid} THEN {number} END")
            for place, number in enumerate(self._typed_numbers(self.knowledge.findings[name]), 1)
        ]


def without(value: str, item: Finding | Calculated) -> str:
    """Return that `value` stands for none; not for a set, of which it may be open only what else is in it."""
    if isinstance(item, Finding):
        if item.length is not None:
            return negated(value)
        if item.range is None:
            return f"({value} = 0)"
    return f"({value} IS NULL)"
