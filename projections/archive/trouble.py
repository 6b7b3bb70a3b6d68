"""What can be wrong with an archive, or with what was judged from one."""

from __future__ import annotations


class ArchiveError(Exception):
    """A file of an archive, or of a result, is missing or is not what its manifest says: whoever reads stops there."""


class WrongArchive(ArchiveError):
    """Something else than what is asked for: another ledger's archive, a result of another program, no archive."""
