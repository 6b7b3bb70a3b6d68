"""Whether Episode Ledger can run here, found out before ``ledger``, ``projections`` or ``commands`` is imported.

Those three names are generic, so Python may find another program's package under one of them: on PYTHONPATH, in the
current folder, or installed over ours in a shared environment.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PACKAGES: Final = ("ledger", "projections", "commands")
HOME: Final = Path(__file__).parent.parent
MARK: Final = "Episode Ledger"
"""In the docstring of each package: tells ours from one that was installed over it, in the same folder."""


class CannotRun(ImportError):
    """This system or this environment is not one that Episode Ledger runs in; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def check_can_run() -> None:
    """Raise CannotRun if this is no POSIX system, or if one of the packages found is not our own."""
    if find_spec("fcntl") is None:
        raise CannotRun(
            "Windows is not supported: Episode Ledger needs a POSIX system such as Linux",
            "on Windows, install and run it in WSL (Windows Subsystem for Linux); a browser on Windows can open"
            " the link that 'episode-ledger serve' prints there",
        )
    for name in PACKAGES:
        found = _found(name)
        if found is None or not _is_ours(name, found):
            raise CannotRun(
                f"the package '{name}' that Python finds is not Episode Ledger's own: {found or 'there is none'}",
                "install Episode Ledger in an environment of its own, such as 'pipx install .' makes;"
                f" PYTHONPATH and the current folder must not have another '{name}'",
            )


def _found(name: str) -> str | None:
    """Where Python finds a package; None if nowhere."""
    try:
        spec = find_spec(name)
    except ValueError:  # something without an origin has that name already
        return "a module made while running"
    if spec is None:
        return None
    return spec.origin or ", ".join(spec.submodule_search_locations or ())


def _is_ours(name: str, found: str) -> bool:
    own = HOME / name / "__init__.py"
    same = os.path.realpath(found) == os.path.realpath(own)
    return same and MARK in own.read_text(encoding="utf-8", errors="replace")
