"""What DuckDB is asked in its own words: how tables and results are read, and cells as the shared text wants them."""

from __future__ import annotations

from collections.abc import Sequence

from psoas.cohort.engine import Cohort, Result
from psoas.cohort.tables import Column, Match, Table

GROUP = 20_480
"""Rows a group of a Parquet file: whole groups are held until they are written, by each thread."""


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


def result(of: Result) -> str:
    """Return what reads a result that was written."""
    if of.form == "parquet":
        return f"read_parquet({text(str(of.path))})"
    return (
        f"read_csv({text(str(of.path))}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
    )


def target(of: Result) -> str:
    """Return where and how to write a result."""
    how = "FORMAT csv, HEADER true" if of.form == "csv" else f"FORMAT parquet, ROW_GROUP_SIZE {GROUP}"
    return f"{text(str(of.path))} ({how}, USE_TMP_FILE false)"


def paired(old: Result, new: Result) -> str:
    """Return the rows of two results side by side."""
    one, two = (f"(SELECT *, file_row_number AS place FROM {result(each)})" for each in (old, new))
    return f"{one} a JOIN {two} b USING (place)"


def rows_set_aside(of: Result, *, numbered: bool) -> str:
    """Return the query for the rows of a result in which something is rejected: row, rejected.

    The result has the numbers of the rows, or else their order.
    """
    if of.form == "parquet":
        row = '"row"' if numbered else 'file_row_number + 1 AS "row"'
        return f"SELECT {row}, rejected FROM {result(of)} WHERE len(rejected) > 0"
    row = 'CAST("row" AS BIGINT) AS "row"' if numbered else 'row_number() OVER () AS "row"'
    rows = f"SELECT {row}, rejected FROM {result(of)}"
    return f"SELECT \"row\", as_list(rejected) AS rejected FROM ({rows}) WHERE rejected <> ''"


def having(rows: str, findings: Sequence[str]) -> str:
    """Return the query for those `rows` in which any of `findings` is rejected."""
    return f'SELECT "row" FROM {rows} WHERE list_has_any(rejected, [{", ".join(map(text, findings))}]::VARCHAR[])'


def contradictory(query: str) -> str:
    """Return the query for the rows of one in which contradictions hold, and which."""
    return f"SELECT \"row\", contradictions FROM ({query}) WHERE contradictions <> ''"


def refused_cells(cohort: Cohort, row: str) -> str:
    """Return the query for the cells that `set_aside` names: row, place, finding, cell, parts, holding.

    What stands in the cell is a text or, as `parts`, a list; `holding` is what is `contradictory` in the row.
    """
    match = cohort.match
    places = f"[{', '.join(map(text, match.answers))}]"
    cells = 'SELECT "row", unnest(rejected) AS finding FROM set_aside'
    return (
        f'SELECT "row", list_position({places}, finding) AS place, finding, {_cell(match, lists=False)} AS cell, '
        f"{_cell(match, lists=True)} AS parts, as_list(coalesce(contradictions, '')) AS holding FROM ({cells}) "
        f'LEFT JOIN contradictory USING ("row") JOIN ({_raw(cohort.table, match, row)}) USING ("row")'
    )


ALIKE = "SELECT row_number() OVER () AS number, * FROM (SELECT DISTINCT finding, cell, parts, holding FROM refused)"
"""The query for the cells of `refused` that differ, numbered."""
REASONS = "(number BIGINT, turn INT, value VARCHAR, reason VARCHAR)"
"""The columns of `reasons`: of a cell of `alike` as it is shown, and each reason in its turn."""
INSERT_REASONS = "INSERT INTO reasons SELECT unnest($1), unnest($2), unnest($3), unnest($4)"
REJECTS = (
    'SELECT "row", a.finding AS "column", value, reason FROM refused r JOIN alike a ON r.finding = a.finding '
    "AND r.holding = a.holding AND r.cell IS NOT DISTINCT FROM a.cell AND r.parts IS NOT DISTINCT FROM a.parts "
    'JOIN reasons USING (number) ORDER BY "row", place, turn'
)
"""The query for the cells of `refused`, in the order of the table, with their reasons."""


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


def answers(cohort: Cohort, row: str = "", *, among: str = "") -> str:
    """Return the query behind `answers`: the columns as they are, each finding as it was typed, and `row`, if given.

    With `among`, only of the rows that the table of that name has the numbers of.
    """
    match = cohort.match
    columns = list(zip(match.columns, match.carried, strict=True))
    chosen = [*(['"row"'] if row else []), *map(name, match.carried)]
    for finding in cohort.findings:
        place = match.answers.get(finding)
        typed = "CAST(NULL AS VARCHAR)" if place is None else _typed(*columns[place], match.forms.get(finding))
        chosen.append(f"{typed} AS {name(f'{finding} typed')}")
    only = f' SEMI JOIN {among} USING ("row")' if among else ""
    return f"SELECT {', '.join(chosen)} FROM ({_raw(cohort.table, match, row)}){only}"


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
