"""The worked cases: each says what it expects, and a knowledge base that gives something else has lost something."""

from __future__ import annotations

from collections.abc import Iterator

from psoas.audit.casework.expectations import missed, misses
from psoas.audit.material import Material
from psoas.audit.report import Flaw
from psoas.case import Case


def case_disagrees(material: Material) -> Iterator[Flaw]:
    """A worked case, or a limit, that does not come out as it expects, or that cannot be read any more."""
    for worked in material.cases:
        if worked.case is None:
            fault = worked.faults[0]
            message = f"{worked.name} cannot be read: {fault.message}"
            yield Flaw(fault.place, "case-disagrees", "error", worked.name, message, str(fault.hint))
        elif worked.case.expect is not None and _misses_any(material, worked.case):
            for miss in misses(material.consultant.consult(worked.case)):
                message = f"{worked.case.id} {miss.says}" + (f": {miss.why}" if miss.why else "")
                yield Flaw(worked.place, "case-disagrees", "error", worked.name, message, others=miss.items)


def _misses_any(material: Material, case: Case) -> bool:
    return any(missed(case.expect, material.judge.outcome(case), material.knowledge))
