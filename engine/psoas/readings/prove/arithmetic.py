"""Calculated findings, exactly: each as a quotient of linear terms, so that a test of it is multiplied out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import z3

from psoas.knowledge.model import Calculated
from psoas.readings.prove.answers import Answers, Formula

TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)


@dataclass(frozen=True)
class Quotient:
    """A calculated number as a quotient of linear terms, and when it has a value; the divisor is then positive."""

    over: Any
    under: Any
    defined: Formula


class Arithmetic:
    """A formula of a calculated finding as a quotient of linear terms."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def of(self, item: Calculated) -> Quotient:
        """Return the number of a calculated finding."""
        return self._number(item.formula.tree)

    def _number(self, node: ast.expr) -> Quotient:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, int | float)
            return Quotient(z3.RealVal(node.value), 1, TRUE)
        if isinstance(node, ast.Name):
            return Quotient(self.answers.number[node.id], 1, TRUE)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)  # noqa: PT018
        return self._call(node.func.id, node.args)

    def _operation(self, node: ast.BinOp) -> Quotient:
        left, right = self._number(node.left), self._number(node.right)
        defined = z3.And(left.defined, right.defined)
        if isinstance(node.op, ast.Mult):
            return Quotient(left.over * right.over, left.under * right.under, defined)
        if isinstance(node.op, ast.Div):
            return Quotient(left.over * right.under, left.under * right.over, z3.And(defined, right.over > 0))
        sign = 1 if isinstance(node.op, ast.Add) else -1
        over = left.over * right.under + sign * right.over * left.under
        return Quotient(over, left.under * right.under, defined)

    def _call(self, name: str, arguments: list[ast.expr]) -> Quotient:
        if name == "rise":
            new, old = self._number(arguments[0]), self._number(arguments[1])
            over = 100 * (new.over * old.under - old.over * new.under)
            return Quotient(over, old.over * new.under, z3.And(new.defined, old.defined, old.over > 0))
        if name == "smallest":
            one, two = self._number(arguments[0]), self._number(arguments[1])
            less = one.over * two.under <= two.over * one.under
            return Quotient(
                z3.If(less, one.over, two.over), z3.If(less, one.under, two.under), z3.And(one.defined, two.defined)
            )
        return self._of_list(name, arguments[0])

    def _of_list(self, name: str, node: ast.expr) -> Quotient:
        """Return `first`, `last`, `mean` or `largest` of a list, case by case of its length."""
        over: Any = z3.RealVal(0)
        defined = FALSE
        for condition, numbers in self._lists(node):
            if not numbers:
                continue
            over = z3.If(condition, _folded(name, numbers), over)
            defined = z3.Or(condition, defined)
        return Quotient(over, 1, defined)

    def _lists(self, node: ast.expr) -> Iterator[tuple[Formula, list[Any]]]:
        """Yield each shape a list may have: when it has it, and its numbers."""
        if isinstance(node, ast.Name):
            series, length = self.answers.series[node.id], self.answers.length[node.id]
            for count in range(1, len(series) + 1):
                yield length == count, series[-count:]
            return
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)  # noqa: PT018
        count = ast.literal_eval(node.args[1])
        for condition, numbers in self._lists(node.args[0]):
            kept = numbers[:-1] if node.func.id == "before_last" else numbers
            yield condition, kept[max(0, len(kept) - count) :]


def _folded(name: str, numbers: list[Any]) -> Any:
    if name == "first":
        return numbers[0]
    if name == "last":
        return numbers[-1]
    if name == "mean":
        return z3.Sum(*numbers) / len(numbers)
    largest = numbers[0]
    for number in numbers[1:]:
        largest = z3.If(number > largest, number, largest)
    return largest
