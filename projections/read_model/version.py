"""Which judge made a read model."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import ledger
import projections
from projections.read_model.tables import SHAPE


@cache
def code_version() -> str:
    """The version of the judge: the release, the shape of the tables, and a digest of the sources.

    The digest makes a judge that was changed without a new release known as another one.
    """
    digest = hashlib.sha256()
    for package in (ledger, projections):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.relative_to(package.__path__[0]).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{version('episode-ledger')}/{SHAPE}/{digest.hexdigest()[:12]}"
