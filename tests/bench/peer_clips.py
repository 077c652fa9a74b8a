"""The same productions on CLIPS, through clipspy: built once, reset and told the facts of each case.

What was tried, in microseconds a case with the states at hand (shipped knowledge base; where it turns, 5000 rules):

- one wide fact 101, a fact for each finding 115; with 5000 rules the second is ahead, 18,000 to 30,000. Both are kept;
- `assert_string` 1300, `Template.assert_fact` 160, and its C functions (`clips._clips.lib`) called from here, each
  word carried over once and kept, 100. A kept word must be one that CLIPS keeps too: slots declare what they allow;
- declared types and allowed symbols, against none: 142 to 167;
- reading what holds: `Template.facts()` 590, a deffunction that returns it 117, the C functions 101;
- a template for each symbol instead of one for all: no better, and slower with many rules;
- a salience for each layer and one for each production: the same here, the first ahead with 5000 rules. One for each
  layer is enough: within a layer nothing is negated that is concluded there;
- `reset` takes 1 for an empty working memory and 6 for a full one, so there is nothing to gain by retracting.

Not tried: many rows in one working memory, kept apart by a number.
"""

from __future__ import annotations

from typing import Any

import clips
from clips.common import environment_builder

from bench.spelling import kinds
from psoas.knowledge.conditions import Test
from psoas.knowledge.program import Program
from psoas.memory import Standing, State, Vocabulary, WorkingMemory
from psoas.readings.fire import FindingFact, SymbolFact, _Compilation

# isort: split
import experta
from clips._clips import ffi, lib

COMPARED = {"is": "=", "at least": ">=", "at most": "<=", "more than": ">", "less than": "<"}


class ClipsInference:
    """Fires the productions of `readings/fire.py` on CLIPS; with `wide`, a case is one fact."""

    def __init__(self, program: Program, vocabulary: Vocabulary, *, wide: bool = True) -> None:
        compiled = _Compilation(program)
        self._tests = {id(pattern): made for made, pattern in compiled._patterns.items()}
        self._wide = wide
        self._kinds = kinds(program, vocabulary)
        self._slots = {finding: f"f{number}" for number, finding in enumerate(self._kinds)}
        self._symbols = list(compiled.symbols)
        self._numbers = {kind: number for number, kind in enumerate(compiled.symbols.values())}
        self._parts: dict[type, int] = {}
        self._environment = clips.Environment()
        for text in (*self._templates(vocabulary), *self._rules(compiled.productions)):
            self._environment.build(text)
        self._connect()

    # what CLIPS is told once

    def _templates(self, vocabulary: Vocabulary) -> list[str]:
        slots = {finding: self._slot(finding, vocabulary.items[finding]) for finding in self._slots}
        if self._wide:
            return [f"(deftemplate case {' '.join(slots.values())})"]
        return [f"(deftemplate {self._slots[finding]} {slot})" for finding, slot in slots.items()]

    def _slot(self, finding: str, item: Any) -> str:
        name, kind = self._name(finding), self._kinds[finding]
        if kind == "numbers":  # nothing is asked of a series but whether it is there
            return f"(slot {name} (type SYMBOL) (allowed-symbols nil away given) (default nil))"
        if kind == "number":
            return f"(slot {name} (type FLOAT SYMBOL) (allowed-symbols nil away) (default nil))"
        words = f"(type SYMBOL) (allowed-symbols nil away unknown {' '.join(item.values)})"
        return f"(multislot {name} {words})" if kind == "words" else f"(slot {name} {words} (default nil))"

    def _name(self, finding: str) -> str:
        return self._slots[finding] if self._wide else "v"

    def _rules(self, productions: list[Any]) -> list[str]:
        rules, layer = [], 0
        for number, production in reversed(list(enumerate(productions))):
            if production.clause is not None:
                layer = production.clause.layer
            salience = -2 * layer + (production.clause is None)  # a part comes before the clause it is a part of
            rules.append(self._rule(number, salience, production))
        return rules[::-1]

    def _rule(self, number: int, salience: int, production: Any) -> str:
        wanted: list[tuple[str, str]] = []
        facts: list[str] = []
        absent: list[str] = []
        for place, pattern in enumerate(production):
            negated = isinstance(pattern, experta.NOT)
            inner = pattern[0] if negated else pattern
            if isinstance(inner, FindingFact):
                slot = (inner.finding, self._constraint(f"?x{place}", *self._tests[id(inner)]))
                absent.append(f"(not {self._told([slot])})") if negated else wanted.append(slot)
            elif not isinstance(inner, experta.InitialFact):
                (absent if negated else facts).append(
                    f"(not {self._fact(type(inner))})" if negated else self._fact(type(inner))
                )
        told = (
            [self._told(wanted)] if wanted and self._is_one_pattern(wanted) else [self._told([slot]) for slot in wanted]
        )
        heads = " ".join(map(self._fact, production.heads))
        left = " ".join((*told, *facts, *absent))
        return f"(defrule r{number} (declare (salience {salience})) {left} => {f'(assert {heads})' if heads else ''})"

    def _is_one_pattern(self, wanted: list[tuple[str, str]]) -> bool:
        return self._wide and len({finding for finding, _ in wanted}) == len(wanted)

    def _told(self, wanted: list[tuple[str, str]]) -> str:
        fields = " ".join(f"({self._name(finding)} {constraint})" for finding, constraint in wanted)
        return f"({'case' if self._wide else self._slots[wanted[0][0]]} {fields})"

    def _fact(self, kind: type) -> str:
        if issubclass(kind, SymbolFact):
            return f"(holds {self._numbers[kind]})"
        return f"(part {self._parts.setdefault(kind, len(self._parts))})"

    def _constraint(self, it: str, test: Test, wanted: bool) -> str:
        """Return what a slot must satisfy for `test` to be known to be `wanted`."""
        kind = self._kinds[test.finding]
        if kind == "words":
            given = f"(> (length$ {it}) 0) (not (member$ unknown {it})) (not (member$ away {it}))"
            if test.operator == "answered":
                return f"$?{it[1:]}&:(and {given})"
            named = f"(or {' '.join(f'(member$ {word} {it})' for word in sorted(test.words))} FALSE)"
            away = f"(member$ away {it})"
            return f"${it}&:{named}" if wanted else f"${it}&:(or {away} (and {given} (not {named})))"
        if test.operator == "answered":
            return "~nil&~away"
        if kind == "word":
            words = sorted(test.words)
            return "|".join(words) if wanted else "~nil&" + "&".join(f"~{word}" for word in words)
        if test.operator == "between":
            holds = f"(<= {test.numbers[0]} {it} {test.numbers[1]})"
        else:
            holds = f"(or {' '.join(f'({COMPARED[test.operator]} {it} {n})' for n in test.numbers)} FALSE)"
        return f"{it}&:(and (floatp {it}) {holds})" if wanted else f"{it}&~nil&:(or (eq {it} away) (not {holds}))"

    # a case

    def _connect(self) -> None:
        """Find once what each case needs again: builders, names as bytes, words as values of CLIPS."""
        self._c = self._environment._env
        self._builder = environment_builder(self._c, "fact")
        self._multifield = environment_builder(self._c, "multifield")
        self._holds = lib.FindDeftemplate(self._c, b"holds")
        self._value = ffi.new("CLIPSValue *")
        self._words: dict[str, Any] = {}
        carried = {"word": self._as_word, "words": self._as_words, "number": self._as_number, "numbers": self._as_given}
        self._inputs = [
            (finding, name.encode(), self._name(finding).encode(), carried[self._kinds[finding]])
            for finding, name in self._slots.items()
        ]

    def conclude(self, memory: WorkingMemory) -> frozenset[str]:
        """Return the symbols that hold in the case."""
        lib.Reset(self._c)
        self._tell(memory)
        lib.Run(self._c, -1)
        held, value, none = [], self._value, ffi.NULL
        fact = lib.GetNextFactInTemplate(self._holds, none) if self._holds != none else none
        while fact != none:
            lib.GetFactSlot(fact, none, value)
            held.append(self._symbols[value.multifieldValue.contents[0].integerValue.contents])
            fact = lib.GetNextFactInTemplate(self._holds, fact)
        return frozenset(held)

    def _tell(self, memory: WorkingMemory) -> None:
        builder = self._builder
        if self._wide:
            lib.FBSetDeftemplate(builder, b"case")
        for finding, template, slot, carried in self._inputs:
            state = memory[finding]
            if state is Standing.UNASKED or state is Standing.UNKNOWN:
                continue
            if not self._wide:
                lib.FBSetDeftemplate(builder, template)
            if lib.FBPutSlot(builder, slot, carried(state)):
                raise ValueError(f"CLIPS does not take {state!r} for {finding}")
            if not self._wide:
                lib.FBAssert(builder)
        if self._wide:
            lib.FBAssert(builder)

    # a state as a value of CLIPS; all but words are good until the next one is asked for

    def _as_word(self, state: State) -> Any:
        word = "away" if state is Standing.INAPPLICABLE else state
        value = self._words.get(word)
        if value is None:
            value = self._words[word] = ffi.new("CLIPSValue *")
            value.lexemeValue = lib.CreateSymbol(self._c, word.encode())
        return value

    def _as_words(self, state: State) -> Any:
        lib.MBReset(self._multifield)
        for word in state if isinstance(state, frozenset) else (state,):
            lib.MBAppend(self._multifield, self._as_word(word))
        self._value.multifieldValue = lib.MBCreate(self._multifield)
        return self._value

    def _as_number(self, state: State) -> Any:
        if state is Standing.INAPPLICABLE:
            return self._as_word(state)
        self._value.floatValue = lib.CreateFloat(self._c, state)
        return self._value

    def _as_given(self, state: State) -> Any:
        return self._as_word(state if state is Standing.INAPPLICABLE else "given")
