"""Calculated findings: a small arithmetic over answers, undefined wherever an input or a base is missing."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import reduce
from math import isfinite
from typing import TypeAlias

Number: TypeAlias = float | tuple[float, ...]


MAX_LENGTH = 500


class Undefined(ArithmeticError):
    """The formula has no value for these answers (a zero base, too few numbers)."""


def _rise(new: float, old: float) -> float:
    if old == 0:
        raise Undefined("the base is 0")
    return 100 * (new - old) / old


def _mean(numbers: tuple[float, ...]) -> float:
    if not numbers:
        raise Undefined("no numbers to take the mean of")
    return reduce(operator.add, numbers) / len(numbers)  # sum() rounds otherwise from Python 3.12 on, and unlike SQL


def _latest(numbers: tuple[float, ...], n: float) -> tuple[float, ...]:
    return numbers[max(0, len(numbers) - int(n)) :]


FUNCTIONS: dict[str, tuple[str, Callable[..., Number]]] = {
    "first": ("l", lambda numbers: numbers[0]),
    "last": ("l", lambda numbers: numbers[-1]),
    "latest": ("lc", _latest),
    "before_last": ("lc", lambda numbers, n: _latest(numbers[:-1], n)),
    "mean": ("l", _mean),
    "largest": ("l", max),
    "smallest": ("nn", min),
    "rise": ("nn", _rise),
}
"""Name → what it takes (l a list, n a number, c a whole number from 1 on), meaning.

`rise(new, old)` is a change in per cent of `old`.
"""

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
        if len(text) > MAX_LENGTH:
            raise ValueError(f"is longer than {MAX_LENGTH} characters")
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
        takes = FUNCTIONS[node.func.id][0]
        if len(node.args) != len(takes):
            raise ValueError(f"{node.func.id} takes {len(takes)} argument(s)")
        for kind, argument in zip(takes, node.args, strict=True):
            whole = isinstance(argument, ast.Constant) and type(argument.value) is int and argument.value >= 1
            if kind == "c" and not whole:
                raise ValueError(f"{node.func.id} takes a whole number from 1 on in its last place")
        for argument in node.args:
            _check(argument, inputs)
    elif isinstance(node, ast.Name):
        inputs.append(node.id)
    elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
        raise ValueError(f"may hold names, numbers, + - * / and functions, not {ast.unparse(node)}")


def misfit(formula: Formula, lists: Container[str]) -> str:
    """Return what does not fit in `formula`, given which inputs are `lists`; empty where all does."""

    def kind(node: ast.expr) -> str:
        """Return l for a list, n for a number."""
        if isinstance(node, ast.Name):
            return "l" if node.id in lists else "n"
        if isinstance(node, ast.BinOp):
            for side in (node.left, node.right):
                if kind(side) == "l":
                    raise ValueError(f"{ast.unparse(side)} is a list, where a number is needed")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for wanted, argument in zip(FUNCTIONS[node.func.id][0], node.args, strict=True):
                if wanted != "c" and kind(argument) != wanted:
                    needed = "list" if wanted == "l" else "number"
                    raise ValueError(f"{node.func.id} takes a {needed}, and {ast.unparse(argument)} is none")
            return "l" if node.func.id in ("latest", "before_last") else "n"
        return "n"

    try:
        return "is a list, not a number" if kind(formula.tree) == "l" else ""
    except ValueError as error:
        return str(error)


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
