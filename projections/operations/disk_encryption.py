"""What shelters a folder where this machine can tell: files in it are in memory alone, or on a disk that is encrypted.

Linux says it in two places, which are read and nothing else: the list of mounts, and what each disk is made of. What
cannot be told there (a disk that encrypts by itself, a folder that is encrypted alone) counts as not sheltered.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Literal, NamedTuple

Shelter = Literal["memory", "encrypted disk"]

MOUNTS: Final = Path("/proc/self/mountinfo")
DISKS: Final = Path("/sys/dev/block")
_IN_MEMORY: Final = {"tmpfs", "ramfs"}
_ENCRYPTING: Final = {"ecryptfs", "fuse.cryfs", "fuse.encfs", "fuse.gocryptfs", "fuse.securefs"}
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


class _Mount(NamedTuple):
    place: Path
    disk: str
    kind: str


def shelter_of(folder: Path, mounts: Path = MOUNTS, disks: Path = DISKS) -> Shelter | None:
    """What shelters the files of a folder; None if nothing is known to."""
    try:
        listed = [_mount(line) for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return None
    real = Path(os.path.realpath(folder))
    above = [mount for mount in listed if mount is not None and real.is_relative_to(mount.place)]
    if not above:
        return None
    mount = max(reversed(above), key=lambda mount: len(mount.place.parts))  # of two at one place the later one is seen
    if mount.kind in _IN_MEMORY:
        return "memory"
    return "encrypted disk" if mount.kind in _ENCRYPTING or _encrypted(disks / mount.disk) else None


def _mount(line: str) -> _Mount | None:
    """A line of the list: its third field names the disk, its fifth the place; the kind stands behind a dash."""
    before, dash, after = line.partition(" - ")
    fields = before.split(" ")
    if not dash or len(fields) < 5:
        return None
    return _Mount(Path(_ESCAPED.sub(lambda mark: chr(int(mark[1], 8)), fields[4])), fields[2], after.split(" ")[0])


def _encrypted(disk: Path) -> bool:
    """Whether a disk, or each one that it is made of, is encrypted by the system."""
    made_by, beneath = disk / "dm" / "uuid", disk / "slaves"
    try:
        if made_by.exists() and made_by.read_text(encoding="utf-8").startswith("CRYPT-"):
            return True
        parts = list(beneath.iterdir())
    except OSError:
        return False
    return bool(parts) and all(map(_encrypted, parts))
