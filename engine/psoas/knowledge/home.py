"""Where the shipped knowledge base lies: beside the package in a wheel, at the root of a checkout otherwise."""

from pathlib import Path

from psoas.faults import Fault, Place, Unusable


def knowledge_home() -> Path:
    """Return the folder of the shipped knowledge base. Raises `Unusable` if the installation has none."""
    package = Path(__file__).resolve().parents[1]
    # The checkout comes first: an editable install also copies kb/ beside the package, and the copy goes stale.
    for home in (package.parents[1] / "kb", package / "kb"):
        if (home / "knowledge.yaml").is_file():
            return home
    raise Unusable([Fault(Place(str(package)), "this installation has no knowledge base", "give one with --kb DIR")])
