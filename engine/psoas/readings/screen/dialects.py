"""The prelude of each engine: the few functions that the shared text uses and engines write differently."""

from __future__ import annotations

SPACE = "".join(
    chr(n) for n in (*range(9, 14), *range(28, 33), 133, 160, 5760, *range(8192, 8203), 8232, 8233, 8239, 8287, 12288)
)
"""What `str.strip` takes off both ends."""

FOREIGN_BAR = "¦"
"""What a bar inside a part of a list becomes, since bars stand between the parts. No word has either."""

NUMBER = "[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,2})?"


def _part(trimmed: str) -> str:
    """Return a part w of a list as it would be typed between bars. Most begin with a letter, and are quickly told."""
    plain = "w BETWEEN '!' AND '~' AND w NOT LIKE '%|%'"
    odd = f"WHEN coalesce({trimmed}, '') = '' THEN '\"\"' ELSE replace(w, '|', '{FOREIGN_BAR}')"
    return f"CASE WHEN {plain} THEN w {odd} END"


DUCKDB = (
    f"CREATE OR REPLACE TEMP MACRO tidy(x) AS trim(x, '{SPACE}')",
    "CREATE OR REPLACE TEMP MACRO as_word(x) AS replace(replace(lower(tidy(x)), '-', '_'), ' ', '_')",
    "CREATE OR REPLACE TEMP MACRO as_words(x) AS '|' || replace(replace(regexp_replace(lower(tidy(x)), "
    f"'[{SPACE}]*[|][{SPACE}]*', '|', 'g'), '-', '_'), ' ', '_') || '|'",
    "CREATE OR REPLACE TEMP MACRO place(x, words) AS list_position(string_split(words, '|'), x)",
    "CREATE OR REPLACE TEMP MACRO is_beside(x, words) AS "
    "list_position(list_append(string_split(words, '|'), NULL), x) IS NULL",
    "CREATE OR REPLACE TEMP MACRO has_form(x, form) AS regexp_full_match(x, form)",
    "CREATE OR REPLACE TEMP MACRO as_number(x) AS CASE "
    f"WHEN regexp_full_match(x, '{NUMBER}') THEN TRY_CAST(x AS DOUBLE) "
    f"WHEN regexp_full_match(tidy(x), '{NUMBER}') THEN TRY_CAST(tidy(x) AS DOUBLE) END",
    "CREATE OR REPLACE TEMP MACRO all_digits(x) AS ltrim(x, '0123456789') = ''",
    "CREATE OR REPLACE TEMP MACRO as_cell(list) AS CASE WHEN len(list) = 0 THEN '[]' "
    f"ELSE array_to_string(list_transform(list, lambda w: {_part('tidy(w)')}), '|') END",
    "CREATE OR REPLACE TEMP MACRO as_parts(x) AS string_split(x, '|')",
    "CREATE OR REPLACE TEMP MACRO as_numbers(parts) AS list_transform(parts, lambda w: as_number(w))",
    "CREATE OR REPLACE TEMP MACRO first_of(list) AS list[1]",
    "CREATE OR REPLACE TEMP MACRO how_many(list) AS len(list)",
    "CREATE OR REPLACE TEMP MACRO from_end(list, place) AS list[-place]",
    "CREATE OR REPLACE TEMP MACRO as_list(x) AS CASE WHEN x = '' THEN [] ELSE string_split(x, '|') END",
    "CREATE OR REPLACE TEMP MACRO in_order(x) AS list_sort(as_list(x))",
    "CREATE OR REPLACE TEMP MACRO without_rank(ranked) AS list_transform(ranked, lambda r: substr(r, 12))",
    "CREATE OR REPLACE TEMP MACRO certainty_in_rank(ranked) AS "
    "list_transform(ranked, lambda r: (10000 - CAST(substr(r, 6, 5) AS INT)) / 10000)",
    "CREATE OR REPLACE TEMP MACRO as_text(list) AS array_to_string(list, '|')",
)

_SPARK_SPACE = "".join(f"\\u{ord(sign):04x}" for sign in SPACE)


def _spark(head: str, body: str) -> str:
    return f"CREATE OR REPLACE TEMPORARY FUNCTION {head} RETURN {body}"


def _trimmed(x: str) -> str:
    return f"trim(BOTH '{_SPARK_SPACE}' FROM {x})"


def _numbered(x: str) -> str:
    """Return a text as a number. Functions of our own cannot be called where a list is transformed."""
    return f"CASE WHEN regexp_like({_trimmed(x)}, '^{NUMBER}\\\\z') THEN TRY_CAST({_trimmed(x)} AS DOUBLE) END"


SPARK = (
    _spark("tidy(x STRING) RETURNS STRING", _trimmed("x")),
    _spark("as_word(x STRING) RETURNS STRING", "translate(lower(tidy(x)), '- ', '__')"),
    _spark(
        "as_words(x STRING) RETURNS STRING",
        f"concat('|', translate(regexp_replace(lower(tidy(x)), '[{_SPARK_SPACE}]*[|][{_SPARK_SPACE}]*', '|'), "
        "'- ', '__'), '|')",
    ),
    _spark(
        "place(x STRING, words STRING) RETURNS INT",
        "CAST(nullif(array_position(split(words, '[|]'), x), 0) AS INT)",
    ),
    _spark(
        "is_beside(x STRING, words STRING) RETURNS BOOLEAN",
        "coalesce(array_position(split(words, '[|]'), x) = 0, FALSE)",
    ),
    _spark("has_form(x STRING, form STRING) RETURNS BOOLEAN", "regexp_like(x, concat('^(?:', form, ')\\\\z'))"),
    _spark("as_number(x STRING) RETURNS DOUBLE", _numbered("x")),
    _spark("all_digits(x STRING) RETURNS BOOLEAN", "regexp_like(x, '^[0-9]*\\\\z')"),
    _spark(
        "as_cell(list ARRAY<STRING>) RETURNS STRING",
        f"CASE WHEN size(list) = 0 THEN '[]' ELSE array_join(transform(list, w -> {_part(_trimmed('w'))}), '|') END",
    ),
    _spark("as_parts(x STRING) RETURNS ARRAY<STRING>", "split(x, '[|]')"),
    _spark("as_numbers(parts ARRAY<STRING>) RETURNS ARRAY<DOUBLE>", f"transform(parts, w -> {_numbered('w')})"),
    _spark("first_of(list ARRAY<STRING>) RETURNS STRING", "try_element_at(list, 1)"),
    _spark("how_many(list ARRAY<STRING>) RETURNS INT", "size(list)"),
    _spark("from_end(list ARRAY<DOUBLE>, place INT) RETURNS DOUBLE", "try_element_at(list, -place)"),
    _spark(
        "as_list(x STRING) RETURNS ARRAY<STRING>",
        "CASE WHEN x = '' THEN CAST(array() AS ARRAY<STRING>) ELSE split(x, '[|]') END",
    ),
    _spark("in_order(x STRING) RETURNS ARRAY<STRING>", "sort_array(as_list(x))"),
    _spark("without_rank(ranked ARRAY<STRING>) RETURNS ARRAY<STRING>", "transform(ranked, r -> substr(r, 12))"),
    _spark(
        "certainty_in_rank(ranked ARRAY<STRING>) RETURNS ARRAY<DOUBLE>",
        "transform(ranked, r -> CAST(10000 - CAST(substr(r, 6, 5) AS INT) AS DOUBLE) / 10000)",
    ),
    _spark("as_text(list ARRAY<STRING>) RETURNS STRING", "array_join(list, '|')"),
)
