"""The README shows what the program really prints; `PSOAS_GOLDEN=write` renews its transcript and picture."""

from __future__ import annotations

import os
import re

import pytest

from conftest import ROOT
from psoas.case import read_case
from psoas.consultation import Consultant
from psoas.drawing import render
from psoas.picture import case_picture
from psoas.telling.advice import advice
from psoas.telling.plain import to_text

README = ROOT / "README.md"
SHOWN = re.compile(r"(\$ psoas consult kb/cases/V12\.yaml\n).*?(\n```)", re.DOTALL)


def excerpt(text: str) -> str:
    """Return the verdict, the first remedies and the first cause of a consultation, cuts marked."""
    lines = text.rstrip().splitlines()
    plan = lines.index("What to do")
    causes = lines.index("Likely causes")
    held = lines.index("Held back")
    second = next(n for n in range(causes, held) if lines[n].startswith("  2  "))
    after = lines.index("  After a run")
    next_item = next(n for n in range(after + 2, causes) if lines[n].startswith("  - "))
    disputes = lines.index("Where the sources disagree")
    first_dispute_end = next(n for n in range(disputes + 2, len(lines)) if lines[n].startswith("  - "))
    return "\n".join(
        [
            *lines[: plan + 1],
            "  …",
            *lines[after:next_item],
            "  …",
            "",
            *lines[causes:second],
            "  …",
            "",
            *lines[held:first_dispute_end],
            "  …",
        ]
    )


def test_the_transcript_is_what_is_printed(consultant: Consultant) -> None:
    case = read_case(consultant.knowledge, ROOT / "kb/cases/V12.yaml")
    shown = excerpt(to_text(advice(consultant.consult(case))))
    readme = README.read_text()
    if os.environ.get("PSOAS_GOLDEN") == "write":
        readme = SHOWN.sub(lambda found: found[1] + shown + found[2], readme)
        README.write_text(readme)
    found = SHOWN.search(readme)
    assert found is not None
    assert found[0] == f"$ psoas consult kb/cases/V12.yaml\n{shown}\n```"


def test_the_picture_is_of_the_present_reasoning(consultant: Consultant) -> None:
    case = read_case(consultant.knowledge, ROOT / "kb/cases/V12.yaml")
    svg = str(render(case_picture(consultant.consult(case)), "svg"))
    picture = ROOT / "docs/images/V12.svg"
    if os.environ.get("PSOAS_GOLDEN") == "write":
        picture.write_text(svg)
    titles = re.compile(r"<title>([^<]+)</title>|xlink:title=\"([^\"]*)\"")
    assert titles.findall(picture.read_text()) == titles.findall(svg)


def test_every_link_in_the_documents_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
        if not target.startswith(("http", "mailto")) and not (path.parent / target).exists()
    ]
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)
