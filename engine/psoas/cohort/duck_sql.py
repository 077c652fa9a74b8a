"""What DuckDB is asked in its own words: how tables and results are read, and cells as the shared text wants them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from psoas.cohort.tables import Column, Form, Match, Table


def name(of: str) -> str:
    """Return the name of a column as SQL writes it."""
    return '"' + of.replace('"', '""') + '"'


def text(of: str) -> str:
    """Return a literal."""
    return "'" + of.replace("'", "''") + "'"


def files(table: Table) -> str:
    """Return the list of the files of a table."""
    return f"[{', '.join(text(str(file)) for file in table.files)}]"


def source(table: Table) -> str:
    """Return what reads a table."""
    if table.form == "parquet":
        return f"read_parquet({files(table)})"
    columns = ", ".join(f"{text(column)}: 'VARCHAR'" for column in table.header)
    return (
        f"read_csv({files(table)}, header = true, auto_detect = false, delim = {text(table.delimiter)}, quote = '\"', "
        f"escape = '\"', columns = {{{columns}}})"
    )


def result(out: Path, form: Form) -> str:
    """Return what reads a result that was written."""
    if form == "parquet":
        return f"read_parquet({text(str(out))})"
    return f"read_csv({text(str(out))}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"


def paired(old: Path, new: Path) -> str:
    """Return the rows of two results side by side."""
    one, two = (f"(SELECT *, file_row_number AS place FROM {result(path, 'parquet')})" for path in (old, new))
    return f"{one} a JOIN {two} b USING (place)"


def rows_set_aside(out: Path, form: Form, *, numbered: bool) -> str:
    """Return the query for the rows of a result in which something is rejected: row, rejected.

    The result has the numbers of the rows, or else their order.
    """
    if form == "parquet":
        row = '"row"' if numbered else 'file_row_number + 1 AS "row"'
        return f"SELECT {row}, rejected FROM {result(out, form)} WHERE len(rejected) > 0"
    row = 'CAST("row" AS BIGINT) AS "row"' if numbered else 'row_number() OVER () AS "row"'
    rows = f"SELECT {row}, rejected FROM {result(out, form)}"
    return f"SELECT \"row\", as_list(rejected) AS rejected FROM ({rows}) WHERE rejected <> ''"


def having(rows: str, findings: Sequence[str]) -> str:
    """Return the query for those `rows` in which any of `findings` is rejected."""
    return f'SELECT "row" FROM {rows} WHERE list_has_any(rejected, [{", ".join(map(text, findings))}]::VARCHAR[])'


def contradictory(query: str) -> str:
    """Return the query for the rows of one in which contradictions hold, and which."""
    return f"SELECT \"row\", contradictions FROM ({query}) WHERE contradictions <> ''"


def refused_cells(table: Table, match: Match, row: str) -> str:
    """Return the query for the cells that `set_aside` names: row, finding, content, what is `contradictory` there.

    The content is a text or, in the column after it, a list of texts.
    """
    places = f"[{', '.join(map(text, match.answers))}]"
    cells = 'SELECT "row", unnest(rejected) AS finding FROM set_aside'
    content = f"{_cell(match, lists=False)}, {_cell(match, lists=True)}"
    return (
        f'SELECT "row", finding, {content}, contradictions FROM ({cells}) '
        f'LEFT JOIN contradictory USING ("row") JOIN ({_raw(table, match, row)}) USING ("row") '
        f'ORDER BY "row", list_position({places}, finding)'
    )


def _cell(match: Match, *, lists: bool) -> str:
    """Return the cell of `finding`, if it is a list or if it is none."""
    kind = "VARCHAR[]" if lists else "VARCHAR"
    whens = [
        f"WHEN {text(finding)} THEN CAST({name(match.carried[place])} AS {kind})"
        for finding, place in match.answers.items()
        if (match.columns[place].kind == "list") is lists
    ]
    return f"CASE finding {' '.join(whens)} END" if whens else "NULL"


def _raw(table: Table, match: Match, row: str) -> str:
    """Return the query for a table with its columns as they are called on their way, and, if it is given, the row."""
    chosen = [f"{name(column.name)} AS {name(as_)}" for column, as_ in zip(match.columns, match.carried, strict=True)]
    if row:
        chosen.insert(0, f'{row} AS "row"')
    return f"SELECT {', '.join(chosen)} FROM {source(table)}"


def dictionaries(table: Table) -> str:
    """Return the query for the columns of a Parquet table whose texts lie in a dictionary, all over the table."""
    whole = "dictionary_page_offset IS NOT NULL OR stats_null_count = num_values"
    return (
        f"SELECT path_in_schema FROM parquet_metadata({files(table)}) WHERE type = 'BYTE_ARRAY' "
        f"GROUP BY path_in_schema HAVING bool_and(coalesce({whole}, FALSE))"
    )


def answers(table: Table, match: Match, knows: Sequence[str], row: str = "", *, among: str = "") -> str:
    """Return the query behind `answers`: the columns as they are, each finding as it was typed, and `row`, if given.

    With `among`, only of the rows that the table of that name has the numbers of.
    """
    columns = list(zip(match.columns, match.carried, strict=True))
    chosen = [*(['"row"'] if row else []), *map(name, match.carried)]
    for finding in knows:
        place = match.answers.get(finding)
        typed = "CAST(NULL AS VARCHAR)" if place is None else _typed(*columns[place], match.forms.get(finding))
        chosen.append(f"{typed} AS {name(f'{finding} typed')}")
    only = f' SEMI JOIN {among} USING ("row")' if among else ""
    return f"SELECT {', '.join(chosen)} FROM ({_raw(table, match, row)}){only}"


def row_number(table: Table, rows: Sequence[int]) -> str:
    """Return the number of a row, from 1 on; `rows` is how many each file of a Parquet table has."""
    if table.form == "csv":
        return "row_number() OVER ()"
    before = [sum(rows[:place]) for place in range(len(rows))]
    return f"{before}[CAST(file_index AS BIGINT) + 1] + file_row_number + 1" if len(rows) > 1 else "file_row_number + 1"


def _typed(column: Column, carried: str, form: str | None) -> str:
    """Return a cell as it was typed."""
    cell = name(carried)
    if form == "number":  # by way of a text, since 37.8 as a FLOAT is not 37.8 as a DOUBLE
        single = f"typeof({cell}) = 'FLOAT'"
        return f"CASE WHEN {single} THEN CAST(CAST({cell} AS VARCHAR) AS DOUBLE) ELSE CAST({cell} AS DOUBLE) END"
    return f"CAST({cell} AS {'VARCHAR[]' if column.kind == 'list' else 'VARCHAR'})"
