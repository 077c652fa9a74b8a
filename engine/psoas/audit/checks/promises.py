"""The sentences of invariants.yaml on urgency, held against the triage rules without a solver.

What is looked at are sentences of the form: where these answers are given, the level is one of these at least, unless
something else is answered. `psoas audit prove` decides all of them, and says in which case one fails.
"""

from __future__ import annotations

from collections.abc import Iterator

from psoas.audit.logic import Goal
from psoas.audit.material import Material
from psoas.audit.report import Flaw
from psoas.audit.sentences import TYPES
from psoas.knowledge.conditions import AtLeast, Condition, Test, leaves
from psoas.knowledge.model import Invariant
from psoas.readings.phrase import Phrases
from psoas.triage import natural


def lost_promise(material: Material) -> Iterator[Flaw]:
    """Yield the sentences that promise a level at least, and of which part no triage rule keeps any more."""
    phrases = Phrases(material.knowledge)
    for sentence in material.sentences:
        for part in _unkept(material, sentence):
            message = (
                f"{sentence.id} (“{sentence.says}”) holds no longer: where {phrases.condition(part)}, "
                "no triage rule of that level need fire"
            )
            findings = tuple(dict.fromkeys(leaf.finding for leaf in leaves(part) if isinstance(leaf, Test)))
            rules = _on(material, sentence, findings)
            message += f"; of the rules behind it, these ask for that: {', '.join(rules)}" if rules else ""
            yield Flaw(sentence.place, "lost-red-flag", "error", sentence.id, message, others=(*findings, *rules))


def _on(material: Material, sentence: Invariant, findings: tuple[str, ...]) -> list[str]:
    """Return the rules behind the levels that `sentence` promises which test one of `findings`: one may be weakened."""
    promised = _promised(sentence.then)
    behind = material.logic.program.behind(promised[0] if promised else ()).clauses
    rules = {clause.id for clause in behind if any(test.finding in findings for test in clause.tests())}
    return sorted(rules, key=natural)


def _unkept(material: Material, sentence: Invariant) -> Iterator[Condition]:
    """Yield the alternatives of the condition of `sentence` in which no rule of the levels it promises need fire."""
    when, promised = sentence.when, _promised(sentence.then)
    if when is None or promised is None or not _of_answers(material, when):
        return
    logic, (levels, excuses) = material.logic, promised
    if levels != frozenset(material.levels[material.levels.index(min(levels, key=material.levels.index)) :]):
        return
    silent = [logic.silent(clause) for level in sorted(levels) for clause in logic.concludes(level)]
    excused = [Goal(excuse, "not true") for excuse in excuses]
    for part in when.of if isinstance(when, AtLeast) and when.n == 1 else (when,):
        if logic.possible([Goal(part), *excused, *silent, *material.consistent]) is True:
            yield part


def _of_answers(material: Material, when: Condition) -> bool:
    """Tell whether `when` speaks of answers and conclusions, and not of what becomes of the case."""
    return not any(
        leaf.finding in TYPES if isinstance(leaf, Test) else leaf.symbol in material.levels for leaf in leaves(when)
    )


def _promised(then: Condition | None) -> tuple[frozenset[str], tuple[Condition, ...]] | None:
    """Return the levels that a sentence promises, and its excuses; None where it promises something else."""
    parts = then.of if isinstance(then, AtLeast) and then.n == 1 else (then,)
    verdicts = [part for part in parts if isinstance(part, Test) and part.finding == "disposition"]
    excuses = tuple(part for part in parts if part not in verdicts and part is not None)
    tested = {leaf.finding for excuse in excuses for leaf in leaves(excuse) if isinstance(leaf, Test)}
    return (verdicts[0].words, excuses) if len(verdicts) == 1 and not tested & TYPES.keys() else None
