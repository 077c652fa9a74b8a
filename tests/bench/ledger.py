"""Runs in a process of its own: one `psoas consult`, with every millisecond booked to one account. Prints JSON.

Accounts are exclusive: what networkx takes to import is networkx's, though a module of psoas asked for it; a module
of the standard library is booked to whoever imports it first.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import io
import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

IMPORTS = {"click": "click", "yaml": "yaml", "networkx": "networkx", "experta": "experta", "frozendict": "experta"}
OURS = ("psoas", "psoas_cli")
STEPS = (
    ("psoas.knowledge.load", "load", "reading and checking the knowledge base"),
    ("psoas.consultation", "compile_program", "compiling the rules"),
    ("psoas.consultation", "Inference", "building the network"),
    ("psoas.case", "read_case", "reading the case"),
    ("psoas.consultation", "Consultant.consult", "the consultation: triage, reasons, plan"),
    ("psoas.readings.fire", "Inference.fire", "firing the rules"),
    ("psoas.consultation", "Consultation.turns", "what would change the advice"),
    ("psoas.consultation", "Consultation.questions", "what to ask next"),
    ("psoas.telling.advice", "advice", "telling"),
    ("psoas.telling.plain", "to_text", "telling"),
)


class Ledger:
    """Seconds by account."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._inner = [0.0]

    def booked(self, account: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return `work`, which books what it takes, less what is booked inside it, to `account`."""

        def wrapper(*positional: Any, **named: Any) -> Any:
            start = perf_counter()
            self._inner.append(0.0)
            try:
                return work(*positional, **named)
            finally:
                whole = perf_counter() - start
                self.spent[account] = self.spent.get(account, 0.0) + whole - self._inner.pop()
                self._inner[-1] += whole

        return wrapper

    def watch_imports(self) -> None:
        """Book the imports of ours and of what we build on."""
        plain = builtins.__import__

        def importing(name: str, *rest: Any, **named: Any) -> Any:
            root = name.partition(".")[0]
            account = IMPORTS.get(root) or ("psoas" if root in OURS else "")
            if not account or name in sys.modules:
                return plain(name, *rest, **named)
            return self.booked(f"importing {account}", plain)(name, *rest, **named)

        builtins.__import__ = importing

    def watch_steps(self) -> None:
        """Book the steps of a consultation."""
        for module_name, path, account in STEPS:
            owner: Any = __import__(module_name, fromlist=["*"])
            *holders, name = path.split(".")
            for holder in holders:
                owner = getattr(owner, holder)
            step = vars(owner)[name]
            if hasattr(step, "func"):  # a cached property
                step.func = self.booked(account, step.func)
            else:
                setattr(owner, name, self.booked(account, step))


def main(case: str) -> None:
    """Consult on the file `case`; print account → seconds, `everything` being the whole."""
    ledger = Ledger()
    start = perf_counter()
    ledger.watch_imports()
    import psoas_cli.main as cli

    gc.disable()  # as `main` does
    ledger.watch_steps()
    sys.argv = ["psoas", "consult", case]
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
        cli.main()
    ledger.spent["everything"] = perf_counter() - start
    print(json.dumps({"spent": ledger.spent, "characters": len(shown.getvalue())}))


if __name__ == "__main__":
    main(sys.argv[1])
