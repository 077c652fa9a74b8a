"""Which files of a folder are YAML to be read; what is hidden or set apart is not even entered."""

from __future__ import annotations

import os
from collections.abc import Container
from pathlib import Path

from psoas.faults import Fault, Place, Unusable

ENDINGS = (".yaml", ".yml")


def found(folder: Path, apart: Container[str]) -> list[Path]:
    """Return the YAML files in `folder`, in the order of their names, named from it.

    What stands in a file or folder directly below it whose name is `apart`, and all that is hidden, is left out.
    Raises `Unusable` for folders that cannot be looked into, and for links to folders, which are not followed.
    """
    files: list[Path] = []
    faults: list[Fault] = []

    def refuse(error: OSError) -> None:
        faults.append(Fault(Place(str(error.filename)), f"cannot be read: {error.strerror}"))

    for top, folders, names in os.walk(folder, onerror=refuse):
        here = Path(top).relative_to(folder)
        entered = []
        for name in sorted((*folders, *names)):
            path = here / name
            if name.startswith(".") or (here == Path() and path.stem in apart):
                continue
            if name.lower().endswith(ENDINGS):
                files.append(path)
            elif os.path.islink(folder / path) and name in folders:
                hint = "put the folder itself here"
                faults.append(Fault(Place(str(folder / path)), "is a link to a folder, and is not followed", hint))
            elif name in folders:
                entered.append(name)
        folders[:] = entered
    if faults:
        raise Unusable(faults)
    return sorted(files)


def holds(folder: Path, stem: str) -> bool:
    """Tell whether `folder` has a YAML file named `stem`. Raises `Unusable` if nobody may look."""
    for ending in ENDINGS:
        try:
            (folder / (stem + ending)).stat()
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
            continue
        except OSError as error:
            raise Unusable([Fault(Place(str(folder)), f"cannot be read: {error.strerror}")]) from error
        return True
    return False


def beside(folder: Path, stem: str) -> Path | None:
    """Return a folder just below or above `folder` that has a YAML file named `stem`, if there is one."""
    try:
        around = [*sorted(entry for entry in folder.iterdir() if entry.is_dir()), folder.resolve().parent]
        return next((place for place in around if holds(place, stem)), None)
    except (OSError, Unusable):  # nobody may look there
        return None
