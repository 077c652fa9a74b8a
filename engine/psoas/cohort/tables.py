"""A table: its files, its columns, and which of them answer which finding."""

from __future__ import annotations

import csv
import glob
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from psoas.faults import Fault, Place, Unusable, nearest, quoted
from psoas.knowledge.conditions import Test, leaves
from psoas.knowledge.model import Calculated, Knowledge
from psoas.knowledge.program import compile_program
from psoas.readings.screen.cells import CellForm
from psoas.triage import Screen

Form = Literal["csv", "parquet"]
Keeps = Literal["everything", "the rest", "nothing"]
"""What of a table comes out: all its columns, those that answer nothing, or none."""
SUFFIXES: dict[str, Form] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
DELIMITERS = ",;\t"
LONGEST_HEADER = 10_000_000
SHORTEST = 4
"""A name of so many letters may be close to a finding's by more than chance."""


@dataclass(frozen=True, slots=True)
class Table:
    """The files of a table, read one after the other; of a CSV, the columns and what stands between them."""

    files: tuple[Path, ...]
    form: Form
    header: tuple[str, ...] = ()
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and what its cells are. An entry is a text that is stored once for many rows."""

    name: str
    kind: Literal["text", "entry", "number", "list", "other"]


@dataclass(frozen=True)
class Match:
    """How the columns of a table fit a knowledge base."""

    columns: tuple[Column, ...]
    answers: Mapping[str, int]  # finding → place of its column
    forms: Mapping[str, CellForm]  # the findings whose cells are something else than texts on their own
    unanswered: tuple[str, ...]  # findings that no column answers, and that the screened levels depend on
    close: Mapping[str, str]  # column that answers nothing → the finding its name is close to
    numbered: bool = False  # the number of a row comes out, as `row`
    keeps: Keeps = "everything"

    @property
    def carried(self) -> tuple[str, ...]:
        """What the columns are called on their way through the SQL text, whatever their names hold."""
        return tuple(f"column {place}" for place in range(1, len(self.columns) + 1))

    @property
    def passed_on(self) -> list[str]:
        """What the SQL text passes on: `kept`, and the row if it is numbered."""
        return [*(["row"] if self.numbered else []), *self.kept]

    @property
    def kept(self) -> dict[str, Column]:
        """What of `carried` comes out, and which column it is."""
        places = set(range(len(self.columns))) if self.keeps != "nothing" else set()
        places -= set(self.answers.values()) if self.keeps == "the rest" else set()
        every = zip(self.carried, self.columns, strict=True)
        return {as_: column for place, (as_, column) in enumerate(every) if place in places}


def find_table(name: str) -> Table:
    """Return the table in the file, folder or files (a pattern) called `name`. Raises `Unusable`."""
    path = Path(name)
    if path.is_dir():
        found = [file for suffix in SUFFIXES for file in path.glob(f"*{suffix}")]
    else:
        found = [path] if path.exists() else [Path(file) for file in glob.glob(name, recursive=True)]
    files = sorted(file for file in found if file.is_file())
    if not files:
        raise Unusable([Fault(Place(name), "there is no such file", "a table is a CSV or Parquet file, or a pattern")])
    forms = {file: _form(file) for file in files}
    wrong = [file for file, form in forms.items() if form != forms[files[0]] or form is None]
    if wrong:
        hint = "its name ends in .csv, .tsv, .txt (all of them may end in .gz), .parquet or .pq; all files alike"
        raise Unusable(Fault(Place(str(file)), "is not known to be a table of that kind", hint) for file in wrong)
    return Table(tuple(files), "parquet") if forms[files[0]] == "parquet" else _with_header(files)


def _form(file: Path) -> Form | None:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes[-1:] == [".gz"]:
        return "csv" if SUFFIXES.get(suffixes[-2] if len(suffixes) > 1 else "") == "csv" else None
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def _with_header(files: Sequence[Path]) -> Table:
    headers = {file: _header(file) for file in files}
    first, delimiter = headers[files[0]]
    faults = list(_header_faults(files[0], first))
    for file, (header, _) in headers.items():
        if header != first:
            odd = sorted(set(header) ^ set(first)) or ["their order"]
            faults.append(Fault(Place(str(file), 1, 1), f"has other columns than {files[0]}: {', '.join(odd)}"))
    if faults:
        raise Unusable(faults)
    return Table(tuple(files), "csv", first, delimiter)


def _header(file: Path) -> tuple[tuple[str, ...], str]:
    """Return the names in the first line of a CSV, and what stands between them."""
    try:
        open_ = gzip.open if file.suffix.lower() == ".gz" else open
        with open_(file, "rb") as stream:
            data = stream.readline(LONGEST_HEADER)
            while data.count(b'"') % 2 and (more := stream.readline(LONGEST_HEADER)):
                data += more
        line = data.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        raise Unusable([Fault(Place(str(file)), f"cannot be read: {error}")]) from error
    except UnicodeDecodeError as error:
        raise Unusable([Fault(Place(str(file)), "is not UTF-8", "save it as CSV UTF-8")]) from error
    delimiter = max(DELIMITERS, key=line.count)
    names = next(csv.reader([line], delimiter=delimiter), [])
    return tuple(name.strip() for name in names), delimiter


def _header_faults(file: Path, header: Sequence[str]) -> Iterator[Fault]:
    place = Place(str(file), 1, 1)
    if not header:
        yield Fault(place, "is empty", "its first line names the columns")
    for name in dict.fromkeys(header):
        if not name:
            yield Fault(place, f"column {header.index('') + 1} has no name")
        elif header.count(name) > 1:
            yield Fault(place, f"{header.count(name)} columns are called {quoted(name)}")


def matched(knowledge: Knowledge, columns: Sequence[Column], outputs: Sequence[str], source: str) -> Match:
    """Return how `columns` answer the findings. Raises `Unusable` where one is called like one of `outputs`."""
    hint = "rename it: the result has a column of that name"
    clashes = [
        Fault(Place(source), f"a column is called {quoted(c.name)}", hint) for c in columns if _in(c.name, outputs)
    ]
    doubled = [c.name for place, c in enumerate(columns) if _in(c.name, [other.name for other in columns[:place]])]
    clashes += [Fault(Place(source), f"two columns are called {quoted(name)}, but for capitals") for name in doubled]
    if clashes:
        raise Unusable(clashes)
    answers = {column.name: place for place, column in enumerate(columns) if column.name in knowledge.findings}
    forms: dict[str, CellForm] = {}
    for name, place in answers.items():
        kind = columns[place].kind
        if kind in ("entry", "list") or (kind == "number" and _is_number(knowledge, name)):
            forms[name] = kind
    needed = screening_findings(knowledge)
    close = {c.name: near for c in columns if c.name not in answers for near in _close(c.name, knowledge, answers)}
    return Match(tuple(columns), answers, forms, tuple(n for n in needed if n not in answers), close)


def _in(name: str, names: Sequence[str]) -> bool:
    return name.lower() in {other.lower() for other in names}


def _is_number(knowledge: Knowledge, name: str) -> bool:
    finding = knowledge.findings[name]
    return finding.range is not None and finding.length is None


def _close(name: str, knowledge: Knowledge, answers: Mapping[str, int]) -> tuple[str, ...]:
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    if plain in knowledge.findings:
        near: tuple[str, ...] = (plain,)
    else:
        near = nearest(plain, knowledge.findings) if len(plain) >= SHORTEST else ()
    return tuple(finding for finding in near if finding not in answers)  # what has a column is not missed


def screening_findings(knowledge: Knowledge) -> tuple[str, ...]:
    """Return the findings that the screened levels depend on, those included that decide whether one applies."""
    pending = list(Screen(knowledge, compile_program(knowledge)).findings)
    found: dict[str, None] = {}
    while pending:
        name = pending.pop()
        item = knowledge.vocabulary[name]
        if isinstance(item, Calculated):
            pending += item.formula.inputs
        elif name not in found:
            found[name] = None
            pending += [leaf.finding for leaf in leaves(item.applies) if isinstance(leaf, Test)]
    return tuple(sorted(found))
