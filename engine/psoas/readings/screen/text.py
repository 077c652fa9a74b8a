"""A knowledge base → the SQL text that screens a table by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from psoas.knowledge.model import Knowledge
from psoas.readings.screen.cells import CellForm, Cells
from psoas.readings.screen.certainty import Certainties
from psoas.readings.screen.clauses import Clauses
from psoas.readings.screen.sql import Column, Columns, text, uses
from psoas.readings.screen.states import States

ANSWERS = "answers"
"""The table the text reads: a column `x typed` for every finding x, and those that are carried through."""


@dataclass(frozen=True, slots=True)
class Output:
    """A column that comes out: a text, or words with | between them that may be made a list."""

    name: str
    several: bool


OUTPUTS = (
    Output("disposition", False),
    Output("triage_rules", True),
    Output("causes", True),
    Output("certainties", True),
    Output("remedies", True),
    Output("withheld", True),
    Output("rejected", True),
)


NO_FORMS: Mapping[str, CellForm] = {}

FLAGGED = (Output("disposition", False), Output("rejected", True))


def outputs_of(knowledge: Knowledge, *, conclusions: bool = False, flags: bool = False) -> tuple[Output, ...]:
    """Return what comes out: with every conclusion established as a list more, or instead of all lists as `flags`."""
    if flags:
        return (*FLAGGED, *(Output(name, False) for name in knowledge.conclusions))
    return (*OUTPUTS, Output("conclusions", True)) if conclusions else OUTPUTS


class Screening:
    """A knowledge base ready to be written as SQL."""

    def __init__(self, knowledge: Knowledge, forms: Mapping[str, CellForm] = NO_FORMS) -> None:
        """`forms` says which findings come as something else than texts."""
        self.knowledge = knowledge
        columns = self.columns = Columns()
        cells = Cells(knowledge, columns, forms)
        self.states = States(knowledge, cells, before=States(knowledge, cells))
        self.clauses = Clauses(knowledge, self.states)
        self.certainties = Certainties(self.clauses)

    def flags(self) -> dict[str, str]:
        """Return the level, what is refused, and of every conclusion whether it is established: name → expression."""
        said = {name: self.clauses.holds(name) for name in self.knowledge.conclusions}
        return {"disposition": self.clauses.level, "rejected": self.rejected(), **said}

    def rejected(self) -> str:
        """Return which findings are refused."""
        return self._those("rejected", self.knowledge.findings, self.states.refused)

    def _those(self, name: str, ids: Iterable[str], holds: Callable[[str], str]) -> str:
        """Return a column with those `ids` that something holds of."""
        return self.columns.joined(name, [(holds(id), text(id)) for id in ids])

    def outputs(self) -> dict[str, str]:
        """Return what comes out of a row: name → expression."""
        knowledge, clauses = self.knowledge, self.clauses
        ranked = self._ranked()
        return {
            "disposition": clauses.level,
            "triage_rules": self.columns.joined(
                "triage rules", [(clauses.fires(clause), text(clause.id)) for clause in clauses.triage]
            ),
            "causes": f"without_rank({ranked})",
            "certainties": f"certainty_in_rank({ranked})",
            "remedies": self._those("remedies", knowledge.remedies, clauses.given),
            "withheld": self._those("withheld", knowledge.remedies, clauses.kept_back),
            "rejected": self.rejected(),
        }

    def conclusions(self) -> str:
        """Return every conclusion established, named as a cause or not."""
        return self._those("conclusions", self.knowledge.conclusions, self.clauses.holds)

    def _ranked(self) -> str:
        """Return the causes, each after a number of ten digits that sorts them: by kind, urgency and certainty."""
        kinds = [kind.id for kind in self.knowledge.manifest.kinds if kind.heading]
        named = [c for c in self.knowledge.conclusions.values() if c.kind in kinds]
        parts = []
        for conclusion in named:
            fixed = 1_000_000_000 + kinds.index(conclusion.kind) * 10_000_000 + 10_000
            certainty = f"CAST(round({self.certainties.of(conclusion.id)} * 10000e0) AS INT)"
            key = f"CAST({fixed} + {self._calm(conclusion.id)} - {certainty} AS STRING)"
            parts.append((self.clauses.holds(conclusion.id), f"concat({key}, {text(' ' + conclusion.id)})"))
        return self.columns.add("ranked", f"in_order({self.columns.joined('unranked', parts)})")

    def _calm(self, conclusion: str) -> str:
        """Return how little urgent the most urgent triage rule is that fired and names a conclusion, times 100000."""
        screen = self.clauses.screen
        most = len(screen.levels)
        whens = [
            f"WHEN {self.clauses.fires(clause)} THEN {(most - screen.rank[level]) * 100_000}"
            for _, clause, level in screen.rules
            if conclusion in clause.heads
        ]
        rest = f"{(most + 1) * 100_000}"
        return f"CASE {' '.join(whens)} ELSE {rest} END" if whens else rest


def screen_text(
    knowledge: Knowledge,
    carried: Iterable[str] = (),
    *,
    forms: Mapping[str, CellForm] = NO_FORMS,
    lists: bool = True,
    conclusions: bool = False,
    flags: bool = False,
) -> str:
    """Return the SQL text that reads the table `answers` and yields the columns `carried` and those of `outputs_of`."""
    screening = Screening(knowledge, forms)
    outputs = screening.flags() if flags else screening.outputs()
    if conclusions and not flags:
        outputs["conclusions"] = screening.conclusions()
    several = {out.name for out in outputs_of(knowledge, conclusions=conclusions, flags=flags) if out.several}
    chosen = {name: f'"{name}"' for name in carried}
    chosen |= {name: _as(said, name in several, lists) for name, said in outputs.items()}
    layers = screening.columns.layers(outputs.values())
    return "\n".join(_written(layers, chosen)) + "\n"


def rejects_text(
    knowledge: Knowledge, carried: Iterable[str], forms: Mapping[str, CellForm] = NO_FORMS, *, rejected: bool = True
) -> str:
    """Return the SQL text that says of `answers` which `contradictions` hold and, if wanted, what is `rejected`.

    Both are words with | between them; the columns `carried` come out too.
    """
    screening = Screening(knowledge, forms)
    rules = knowledge.contradictions.values()
    parts = [(screening.states.contradiction(rule), text(rule.id)) for rule in rules]
    holding = screening.columns.joined("contradictions", parts)
    outputs = {"rejected": screening.rejected()} if rejected else {}
    outputs["contradictions"] = holding
    chosen = {name: f'"{name}"' for name in carried} | outputs
    return "\n".join(_written(screening.columns.layers(outputs.values()), chosen)) + "\n"


def _as(expression: str, several: bool, lists: bool) -> str:
    """Return an output as a list, or as words with | between them."""
    ranked = expression.startswith(("without_rank", "certainty_in_rank"))
    if not several or ranked is lists:
        return expression
    return f"as_list({expression})" if lists else f"as_text({expression})"


def _written(layers: list[list[Column]], chosen: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the text that yields `chosen`, name → expression.

    Each layer hands on what a later one still needs, and no more.
    """
    needed = [set(uses(" ".join(chosen.values())))]
    for layer in reversed(layers):
        made = {column.name for column in layer}
        needed.append((needed[-1] - made).union(*(column.uses() for column in layer)))
    source = ANSWERS
    for number, (layer, kept) in enumerate(zip(layers, needed[-2::-1], strict=True)):
        made = {column.name for column in layer}
        yield f"{'WITH' if number == 0 else ','} layer_{number} AS ("
        yield "SELECT"
        if kept - made:
            yield f"  {', '.join(f'{chr(34)}{name}{chr(34)}' for name in sorted(kept - made))},"
        yield ",\n".join(f'  {column.expression} AS "{column.name}"' for column in layer)
        yield f"FROM {source})"
        source = f"layer_{number}"
    yield "SELECT"
    yield ",\n".join(f"  {said}" if said == f'"{name}"' else f'  {said} AS "{name}"' for name, said in chosen.items())
    yield f"FROM {source}"
