"""What every command shares: its options, how it prints or writes what it made, and how it refuses."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from psoas_cli.terminal import printable, width

F = TypeVar("F", bound=Callable[..., Any])


class Problem(click.ClickException):
    """The command or its input is unusable: exit 2, like click's own usage errors."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message on standard error."""
        click.echo(f"psoas: {self.message}", err=True, file=file)


def kb_option(command: F) -> F:
    """Add `--kb DIR`."""
    return click.option(
        "--kb",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Another knowledge base than the shipped one.",
    )(command)


def laid_out(document: Any, form: str, *, terminal: bool) -> str:
    """Return a document as text, in colour on a terminal that wants it, or as Markdown."""
    if form == "markdown":
        from psoas.telling.markdown import to_markdown

        return to_markdown(document)
    from psoas.telling.plain import to_text

    if not (terminal and is_terminal(sys.stdout)):
        return to_text(document)
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    columns = width(sys.stdout)
    return to_text(document, columns) if plain else to_text(document, columns, paint=painted)


def is_terminal(stream: Any) -> bool:
    """Tell whether a person sits at the other end of `stream`, which may be closed or missing."""
    try:
        return bool(stream is not None and stream.isatty())
    except ValueError:
        return False


def painted(role: str, text: str) -> str:
    """Return `text` in the look of its role."""
    styles: dict[str, dict[str, Any]] = {
        "alarm": {"fg": "white", "bg": "red", "bold": True},
        "title": {"bold": True},
        "heading": {"fg": "cyan", "bold": True},
        "head": {"bold": True},
    }
    return click.style(text, **styles[role])


def write(target: Path | None, content: str | bytes) -> None:
    """Write `content` to the file `target`, whole or not at all, or to standard output."""
    try:
        if target is None:
            click.echo(content if isinstance(content, bytes) else printable(content, sys.stdout), nl=False)
        else:
            write_file(target, content.encode() if isinstance(content, str) else content)
            click.echo(f"wrote {target}", err=True)
    except RuntimeError as error:  # a link in a circle, before Python 3.13
        raise Problem(f"{target}: cannot be written: {error}") from error
    except OSError as error:
        if error.errno == errno.EPIPE:  # the reader has gone away
            raise
        raise Problem(f"{target or 'standard output'}: cannot be written: {error.strerror}") from error


def write_file(target: Path, data: bytes) -> None:
    """Replace the regular file `target` in one step, keeping its mode; write straight into anything else."""
    from psoas.disk import replace

    if target.is_symlink():
        target = target.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(data)
    else:
        replace(target, data)
