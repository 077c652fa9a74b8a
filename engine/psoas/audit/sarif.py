"""What an audit found → SARIF 2.1.0, which editors and code hosts show beside the lines it is about."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from psoas import __version__
from psoas.audit.manual import page
from psoas.audit.report import Audit, Flaw, verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(audit: Audit) -> str:
    """Return `audit` as the text of a SARIF log."""
    checks = sorted({*audit.checks, *(flaw.check for flaw in audit.flaws)})
    number = {check: index for index, check in enumerate(checks)}
    results = [_result(flaw, number) for flaw in audit.flaws]
    for flaw, reason in audit.suppressed:
        justified = {"kind": "external", "status": "accepted", "justification": reason.because}
        results.append({**_result(flaw, number), "suppressions": [justified]})
    _tell_apart(results)
    driver = {"name": "psoas", "version": __version__, "rules": [_rule(check) for check in checks]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {"verdict": verdict(audit)},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(check: str) -> dict[str, Any]:
    about = page(check)
    return {
        "id": check,
        "shortDescription": {"text": f"{about.title}."},
        "fullDescription": {"text": about.finds},
        "help": {"text": about.do, "markdown": about.whole},
        "helpUri": about.file.as_uri(),
    }


def _result(flaw: Flaw, number: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": flaw.check,
        "ruleIndex": number[flaw.check],
        "level": flaw.severity,
        "message": {"text": f"{flaw.message}. {flaw.do}"},
        "locations": [_location(flaw)],
        "partialFingerprints": {"item/v1": f"{flaw.check}:{flaw.item}:{','.join(flaw.others)}"},
    }


def _tell_apart(results: list[dict[str, Any]]) -> None:
    """Number the results of one fingerprint: a code host takes two of them for one."""
    seen: Counter[str] = Counter()
    for result in results:
        prints = result["partialFingerprints"]
        seen[prints["item/v1"]] += 1
        if seen[prints["item/v1"]] > 1:
            prints["item/v1"] += f":{seen[prints['item/v1']]}"


def _location(flaw: Flaw) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(Path(flaw.place.file))}}
    if flaw.place.line:
        physical["region"] = {"startLine": flaw.place.line, "startColumn": max(flaw.place.column, 1)}
    return {"physicalLocation": physical, "logicalLocations": [{"name": flaw.item or flaw.place.file}]}


def _uri(file: Path) -> str:
    """Return the address of `file`: from the folder one stands in if it lies there, and whole otherwise."""
    if file.is_absolute():
        if not file.is_relative_to(Path.cwd()):
            return file.as_uri()
        file = file.relative_to(Path.cwd())
    return quote(file.as_posix())
