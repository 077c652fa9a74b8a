"""Calculated findings: a small arithmetic over answers, undefined wherever an input or a base is missing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

Number: TypeAlias = float | tuple[float, ...]


class Undefined(ArithmeticError):
    """The formula has no value for these answers (a zero base, too few numbers)."""


def _rise(new: float, old: float) -> float:
    if old == 0:
        raise Undefined("the base is 0")
    return 100 * (new - old) / old


def _mean(numbers: tuple[float, ...]) -> float:
    if not numbers:
        raise Undefined("no numbers to take the mean of")
    return sum(numbers) / len(numbers)


def _latest(numbers: tuple[float, ...], n: float) -> tuple[float, ...]:
    return numbers[max(0, len(numbers) - int(n)) :]


FUNCTIONS: dict[str, tuple[int, Callable[..., Number]]] = {
    "first": (1, lambda numbers: numbers[0]),
    "last": (1, lambda numbers: numbers[-1]),
    "latest": (2, _latest),
    "before_last": (2, lambda numbers, n: _latest(numbers[:-1], n)),
    "mean": (1, _mean),
    "largest": (1, max),
    "smallest": (2, min),
    "rise": (2, _rise),
}
"""Name → number of arguments, meaning. `rise(new, old)` is a change in per cent of `old`."""

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


@dataclass(frozen=True)
class Formula:
    """A parsed formula: its text and the findings it needs."""

    text: str
    tree: ast.expr
    inputs: tuple[str, ...]

    def value(self, answers: Mapping[str, Number]) -> float:
        """Return the value for `answers` (each input present). Raises `Undefined` where there is none."""
        try:
            result = _evaluate(self.tree, answers)
        except (IndexError, ValueError, TypeError, OverflowError, ZeroDivisionError) as error:
            raise Undefined(str(error)) from error
        if not isinstance(result, float) or not isfinite(result):
            raise Undefined("no number comes of it")
        return result


def parse_formula(text: str) -> Formula:
    """Return `text` as a formula. Raises `ValueError`, saying what is wrong, for anything but plain arithmetic."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"is not a formula: {error.msg}") from error
    inputs: list[str] = []
    _check(tree, inputs)
    return Formula(text, tree, tuple(dict.fromkeys(inputs)))


def _check(node: ast.expr, inputs: list[str]) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        _check(node.left, inputs)
        _check(node.right, inputs)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id not in FUNCTIONS:
            raise ValueError(f"has no function {node.func.id}; there are {', '.join(FUNCTIONS)}")
        if len(node.args) != FUNCTIONS[node.func.id][0]:
            raise ValueError(f"{node.func.id} takes {FUNCTIONS[node.func.id][0]} argument(s)")
        for argument in node.args:
            _check(argument, inputs)
    elif isinstance(node, ast.Name):
        inputs.append(node.id)
    elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
        raise ValueError(f"may hold names, numbers, + - * / and functions, not {ast.unparse(node)}")


def _evaluate(node: ast.expr, answers: Mapping[str, Number]) -> Number:
    if isinstance(node, ast.Name):
        return answers[node.id]
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int | float)
        return float(node.value)
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return FUNCTIONS[node.func.id][1](*(_evaluate(argument, answers) for argument in node.args))
    assert isinstance(node, ast.BinOp)
    left, right = _evaluate(node.left, answers), _evaluate(node.right, answers)
    if isinstance(left, tuple) or isinstance(right, tuple):
        raise Undefined("a list is no number")
    return _OPERATORS[type(node.op)](left, right)
