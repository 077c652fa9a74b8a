"""Calculated findings in SQL: NULL wherever `formulas.Formula.value` has no value."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from psoas.knowledge.formulas import Formula
from psoas.readings.screen.sql import double

_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
LARGEST = "1.7976931348623157e308"


def figure(formula: Formula, number: Callable[[str], str], series: Callable[[str], Sequence[str]]) -> str:
    """Return the value of `formula`; `series` gives the numbers of a list from its end, NULL beyond its length."""
    value = _Writer(number, series).number(formula.tree)
    if not any(isinstance(node, ast.BinOp | ast.Call) for node in ast.walk(formula.tree)):
        return value
    return f"CASE WHEN abs({value}) <= {LARGEST} THEN {value} END"  # neither infinite nor NaN


class _Writer:
    def __init__(self, number: Callable[[str], str], series: Callable[[str], Sequence[str]]) -> None:
        self._number, self._series = number, series

    def number(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, int | float)
            return double(float(node.value))
        if isinstance(node, ast.Name):
            return self._number(node.id)
        if isinstance(node, ast.BinOp):
            left, right = self.number(node.left), self.number(node.right)
            if isinstance(node.op, ast.Div):
                return f"({left} / nullif({right}, 0e0))"
            return f"({left} {_SIGNS[type(node.op)]} {right})"
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        return self._call(node.func.id, node.args)

    def _call(self, name: str, arguments: list[ast.expr]) -> str:
        if name == "rise":
            new, old = map(self.number, arguments)
            return f"(100e0 * ({new} - {old}) / nullif({old}, 0e0))"
        if name == "smallest":
            one, two = map(self.number, arguments)
            return f"(CASE WHEN {one} <= {two} THEN {one} WHEN {two} < {one} THEN {two} END)"
        numbers = self._list(arguments[0])
        if not numbers:
            return "CAST(NULL AS DOUBLE)"
        if name == "last" or len(numbers) == 1:
            return numbers[0]
        if name == "first":
            return f"coalesce({', '.join(reversed(numbers))})"
        if name == "largest":
            return f"greatest({', '.join(numbers)})"
        total = " + ".join(f"coalesce({number}, 0e0)" for number in reversed(numbers))
        count = " + ".join(f"CASE WHEN {number} IS NULL THEN 0e0 ELSE 1e0 END" for number in numbers)
        return f"(({total}) / nullif({count}, 0e0))"

    def _list(self, node: ast.expr) -> list[str]:
        """Return the numbers of a list from its end; it may be shorter, and the rest is then NULL."""
        if isinstance(node, ast.Name):
            return list(self._series(node.id))
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        numbers = self._list(node.args[0])
        kept = numbers[1:] if node.func.id == "before_last" else numbers
        return kept[: ast.literal_eval(node.args[1])]
