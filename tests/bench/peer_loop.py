"""No engine at all: a plain loop over the clauses; and the clauses as straight-line Python, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import compress

from bench.spelling import Spelling, compared
from psoas.knowledge.conditions import Test
from psoas.knowledge.program import Program
from psoas.memory import Standing, Vocabulary, WorkingMemory
from psoas.readings.foresee import established


class Loop:
    """The loop of `readings/foresee.py`: every clause in order, its condition walked as the tree it is."""

    def __init__(self, program: Program, vocabulary: Vocabulary) -> None:
        self._program = program

    def conclude(self, memory: WorkingMemory) -> frozenset[str]:
        """Return the symbols that hold in the case."""
        return established(self._program, memory).established()


class StraightLine:
    """The program as one Python function: a line for each finding, a line for each symbol, no call in between."""

    def __init__(self, program: Program, vocabulary: Vocabulary) -> None:
        spelling = _Python(program, vocabulary)
        lines = ["def conclude(memory):", " state = memory.__getitem__"]
        lines += [f" {variable} = state({finding!r})" for finding, variable in spelling.findings.items()]
        lines += [f" {variable} = {formula}" for variable, formula in spelling.definitions()]
        lines.append(f" return frozenset(compress(SYMBOLS, ({', '.join(spelling.symbols.values())},)))")
        scope = {
            "SYMBOLS": tuple(spelling.symbols),
            "compress": compress,
            "Standing": Standing,
            "AWAY": Standing.INAPPLICABLE,
        }
        exec(compile("\n".join(lines), "<program>", "exec"), scope)
        self.conclude: Callable[[WorkingMemory], frozenset[str]] = scope["conclude"]  # type: ignore[assignment]


class _Python(Spelling):
    true, false = "True", "False"

    def known(self, test: Test, wanted: bool) -> str:
        it, kind = self.findings[test.finding], self.kinds[test.finding]
        if test.operator == "answered":
            said = f"type({it}) is not Standing" + (f" and 'unknown' not in {it}" if kind == "words" else "")
            return said if wanted else f"not ({said})"
        if kind == "words":
            words = set(test.words)
            if wanted:
                return f"type({it}) is frozenset and not {it}.isdisjoint({words})"
            return f"{it} is AWAY or type({it}) is frozenset and {it}.isdisjoint({words | {'unknown'}})"
        holds = compared(it, test) if kind == "number" else f"{it} in {tuple(sorted(test.words))}"
        if not wanted:
            return f"{it} is AWAY or type({it}) is not Standing and not {holds}"
        return f"type({it}) is float and {holds}" if kind == "number" else holds

    def count(self, parts: Iterable[str]) -> str:
        return " + ".join(parts)
