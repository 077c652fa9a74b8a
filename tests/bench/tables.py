"""Tables of made-up people: as many rows as wanted, written as Parquet by DuckDB, the same ones in every run.

A few thousand whole cases are drawn in Python (the bank). A row then takes each group of findings that belong
together (one decides whether the other applies, or both go into one calculation, or they may contradict each other)
from a case of its own: so no row is like another, every answer fits those it hangs on, and ten million rows are a
matter of seconds. Every cell is text as somebody typed it, a list where several values may be given, and NULL where
nothing was asked. The column `id` counts the rows from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from psoas.case import as_written, make_case
from psoas.consultation import Consultant
from psoas.knowledge.conditions import leaves
from psoas.knowledge.model import Knowledge
from psoas.memory import Vocabulary, WorkingMemory, inputs_of
from random_cases import MOODS, Mood, Writer, Written

LIKELY = (
    *3 * [Mood(skipped=0.02, unknown=0.02, refused=0.001, partly=0.01, quiet=0.995)],
    Mood(skipped=0.10, unknown=0.05, refused=0.005, partly=0.05, quiet=0.98),
)
"""Three in four nearly complete, one in four with gaps; few answers are alarming, a few cannot be used."""

ODD = 0.02  # of the bank: cases with nothing likely about them
GROUPS = 48  # at most: each is one more join


def likely(consultant: Consultant, count: int, seed: int) -> list[Written]:
    """Return a bank of cases as people would fill in the form of a knowledge base."""
    random, writer, knowledge = Random(seed), Writer(consultant), consultant.knowledge
    bank, reasons = [], {item.because for item in knowledge.contradictions.values()}
    for _ in range(count):
        written = writer.case(random, random.choice(MOODS[:3] if random.random() < ODD else LIKELY))
        case = make_case(knowledge, written)
        memory = WorkingMemory(consultant.vocabulary, case.answers)
        # people seldom contradict themselves; answers drawn one by one do all the time
        odd = {item.finding for item in case.rejected if item.reason in reasons}
        bank.append(
            {
                name: said
                for name, said in written.items()
                if name not in odd and memory.applies(knowledge.findings[name]) is not False
            }
        )
    return bank


def retold(memories: Sequence[WorkingMemory]) -> list[Written]:
    """Return cases at hand as a bank."""
    return [{name: as_written(state) for name, state in memory.answers.items()} for memory in memories]  # type: ignore[arg-type]


def write(knowledge: Knowledge, bank: Sequence[Written], rows: int, target: Path) -> None:
    """Write a table of `rows` rows drawn from `bank` to the Parquet file `target`."""
    import duckdb

    groups = _groups(knowledge)
    with duckdb.connect() as database:
        columns = ", ".join(f"{_quoted(f)} {_type(knowledge, f)}" for f in knowledge.findings)
        database.execute(f"CREATE TABLE bank (number BIGINT, {columns})")
        _fill(database, knowledge, bank)
        joins = [
            f"JOIN bank g{n} ON g{n}.number = CAST(hash(r.id, {n}) % {len(bank)} AS BIGINT)" for n in range(len(groups))
        ]
        cells = [f"g{n}.{_quoted(finding)}" for n, group in enumerate(groups) for finding in group]
        database.execute(
            f"COPY (SELECT r.id, {', '.join(cells)} FROM (SELECT range AS id FROM range({rows})) r {' '.join(joins)}) "
            f"TO '{target}' (FORMAT parquet)"
        )


def _fill(database: Any, knowledge: Knowledge, bank: Sequence[Written]) -> None:
    import json
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:  # far quicker than INSERT
        for number, written in enumerate(bank):
            cells = {
                f: said if isinstance(said, str) or _is_list(knowledge, f) else said[0] for f, said in written.items()
            }
            cells = {
                f: [said] if isinstance(said, str) and _is_list(knowledge, f) else said for f, said in cells.items()
            }
            file.write(json.dumps({"number": number, **cells}) + "\n")
        file.flush()
        shape = {"number": "BIGINT", **{f: _type(knowledge, f) for f in knowledge.findings}}
        columns = ", ".join(f"{_quoted(name)}: '{kind}'" for name, kind in shape.items())
        database.execute(
            f"INSERT INTO bank BY NAME SELECT * FROM read_json('{file.name}', format = 'newline_delimited', "
            f"columns = {{{columns}}})"
        )


def read(knowledge: Knowledge, table: Path, count: int) -> dict[int, Written]:
    """Return `count` rows of a table, evenly spread: id → the answers as written."""
    import duckdb

    with duckdb.connect() as database:
        (rows,) = database.execute(f"SELECT count(*) FROM '{table}'").fetchone() or (0,)
        step = max(1, rows // count)
        cursor = database.execute(f"SELECT * FROM '{table}' WHERE id % {step} = 0 ORDER BY id LIMIT {count}")
        names = [column[0] for column in cursor.description]
        return {cells[0]: written(names, cells) for cells in cursor.fetchall()}


def written(names: Sequence[str], cells: Sequence[Any]) -> Written:
    """Return a row as answers; what is NULL was not asked."""
    return {name: cell for name, cell in zip(names[1:], cells[1:], strict=True) if cell is not None}


def memory_of(knowledge: Knowledge, vocabulary: Vocabulary, row: Mapping[str, Any]) -> WorkingMemory:
    """Return a row as the working memory every engine starts from: typed, refused where refused, nothing worked out."""
    return WorkingMemory(vocabulary, make_case(knowledge, row).answers)


def _groups(knowledge: Knowledge) -> list[list[str]]:
    """Return the findings in groups that belong together, at most `GROUPS` of them."""
    leader: dict[str, str] = {}

    def leading(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    bonds = [(item.id, *inputs_of(item)) for item in knowledge.vocabulary.values()]
    for rule in knowledge.contradictions.values():
        tested = (leaf.finding for leaf in leaves(rule.when) if hasattr(leaf, "finding"))
        bonds.append((*rule.refuse, *tested))
    for first, *others in bonds:
        for other in others:
            leader[leading(other)] = leading(first)
    together: dict[str, list[str]] = {}
    for finding in knowledge.findings:
        together.setdefault(leading(finding), []).append(finding)
    groups: list[list[str]] = [[] for _ in range(min(GROUPS, len(together)))]
    for number, members in enumerate(together.values()):
        groups[number % len(groups)] += members
    return groups


def _is_list(knowledge: Knowledge, finding: str) -> bool:
    return knowledge.findings[finding].type in ("any of", "list of numbers")


def _type(knowledge: Knowledge, finding: str) -> str:
    return "VARCHAR[]" if _is_list(knowledge, finding) else "VARCHAR"


def _quoted(name: str) -> str:
    return f'"{name}"'
