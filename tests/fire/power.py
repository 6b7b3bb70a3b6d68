"""Power cuts: what a disk may hold after one, replayed from the writes and syncs of the real recorder.

Up to a sync a file's writes may have reached the disk or not, sector by sector and in any order; what was synced has.
The making or removal of a file counts once its folder was synced, and may count before. Standard output is noted among
the writes, so that it is known what was acknowledged at the moment of the cut.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.command_line import lines_of
from tests.fire.ground import acknowledged, facts, look, tell_the_rest, write_lines
from tests.fire.stage import Arms, Stage

SECTOR = 512
LINES = 120
BEFORE = 24
BATCH = 8
IMAGES_A_RUN = 100
NEW_IS_LOST = 0.3


class Note(NamedTuple):
    """One operation that the shim saw."""

    kind: str
    name: str
    offset: int
    data: bytes


def notes_of(file: Path) -> list[Note]:
    """What the shim noted, in order."""
    return list(_notes(file.read_bytes()))


def _notes(raw: bytes) -> Iterator[Note]:
    at = 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        kind, name, offset, length = raw[at:end].decode().split("\t")
        at = end + 1 + int(length)
        yield Note(kind, name, int(offset), raw[end + 1 : at])


class Disk:
    """What is on the disk for certain, and what is still on its way there, file by file."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.held: dict[str, bytearray | None] = {name: bytearray(data) for name, data in files.items()}
        self.coming: dict[str, list[Note]] = {}
        self.new: set[str] = set()

    def take(self, note: Note) -> None:
        """One more operation."""
        if note.kind == "S":
            self._sync(note.name)
        elif note.kind != "A":
            if note.kind != "U" and not self._is_there(note.name):
                self.new.add(note.name)
            self.coming.setdefault(note.name, []).append(note)

    def _is_there(self, name: str) -> bool:
        coming = self.coming.get(name)
        return coming[-1].kind != "U" if coming else self.held.get(name) is not None

    def _sync(self, name: str) -> None:
        if name == "/":  # the folder: what was made and removed in it is certain now
            self.new.clear()
            for other, coming in self.coming.items():
                last = max((at for at, each in enumerate(coming) if each.kind == "U"), default=-1)
                for each in coming[: last + 1]:
                    self.held[other] = _applied(self.held.get(other), each)
                del coming[: last + 1]
            return
        for each in self.coming.pop(name, []):
            self.held[name] = _applied(self.held.get(name), each)

    def after_a_cut(self, rng: Random) -> dict[str, bytes]:
        """One way the files may look when the power is back."""
        files = dict(self.held)
        for name, coming in self.coming.items():
            content = files.get(name)
            content = None if content is None else bytearray(content)
            keeps = rng.choice((0.0, 0.2, 0.5, 0.8, 1.0))
            for each in coming:
                for part in _parts(each):
                    if rng.random() < keeps:
                        content = _applied(content, part)
            files[name] = content
        lost = {"-shm"} | {name for name in self.new if rng.random() < NEW_IS_LOST}
        return {name: bytes(content) for name, content in files.items() if content is not None and name not in lost}


def _parts(note: Note) -> Iterator[Note]:
    """A write by sectors; anything else is done or not."""
    if note.kind != "W":
        yield note
        return
    at = 0
    while at < len(note.data):
        size = SECTOR - (note.offset + at) % SECTOR
        yield Note("W", note.name, note.offset + at, note.data[at : at + size])
        at += size


def _applied(content: bytearray | None, note: Note) -> bytearray | None:
    if note.kind == "U":
        return None
    content = bytearray() if content is None else content
    if note.kind == "T":
        return content[: note.offset] + bytes(max(0, note.offset - len(content)))
    if len(content) < note.offset:
        content += bytes(note.offset - len(content))
    content[note.offset : note.offset + len(note.data)] = note.data
    return content


def power_cuts(folder: Path, count: int, rng: Random, **tuned: Any) -> Counter[str]:
    """So many images of the disk after a cut; ``synchronous=0`` and ``1`` are the controls, which must lose."""
    found: Counter[str] = Counter(images=0, acknowledged=0, lost=0, half_batches=0, does_not_hold=0, unmended=0)
    with Stage(folder, shim=True) as stage:
        while found["images"] < count:
            told = facts(rng, BEFORE + LINES)
            images = min(IMAGES_A_RUN, count - found["images"])
            found.update(_one_run(stage, folder, told, images, rng, tuned))
    return found


def _one_run(
    stage: Stage, folder: Path, told: list[dict[str, Any]], images: int, rng: Random, tuned: dict[str, Any]
) -> Counter[str]:
    before = rng.choice((0, BEFORE))
    base, noted = _recorded(stage, folder, told, before, {"checkpoint_pages": rng.choice((10, 20, 40)), **tuned})
    found: Counter[str] = Counter()
    disk, taken = Disk(base), 0
    for cut in sorted(rng.randrange(len(noted) + 1) for _ in range(images)):
        for note in noted[taken:cut]:
            disk.take(note)
        taken = cut
        said = acknowledged(b"".join(each.data for each in noted[:cut] if each.kind == "A"))
        acked = {str(int(id) + before): position for id, position in said.items()}
        found.update(_look_at(disk.after_a_cut(rng), folder / "image", acked, told, before))
    return found


def _recorded(
    stage: Stage, folder: Path, told: list[dict[str, Any]], before: int, tuned: dict[str, Any]
) -> tuple[dict[str, bytes], list[Note]]:
    """A ledger with so many lines, or none yet, as files; and what was written while the others were recorded."""
    home, notes = folder / "home", folder / "notes"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    record = ["--ledger", str(home / "ledger.db"), "record"]
    if before:
        assert stage.run("command", args=[*record, str(write_lines(folder / "first", told[:before]))])[0] == 0
    base = {"": (home / "ledger.db").read_bytes()} if before else {}
    rest, arms = write_lines(folder / "rest", told[before:]), Arms(str(home / "ledger.db"), str(notes))
    status, writer = stage.run("command", arms, {"batch": BATCH, **tuned}, args=[*record, str(rest)])
    assert status == 0, writer.complained
    noted = notes_of(notes)
    answers = [at for at, each in enumerate(noted) if each.kind == "A"]
    assert any(each.name == "-wal" for each in noted), "the shim does not see SQLite's writes"
    copied_back = [each for each in noted[answers[0] : answers[-1]] if (each.kind, each.name) == ("W", "")]
    assert copied_back, "no checkpoint between the answers: half of what a cut can meet is not tried"
    return base, noted


def _look_at(
    files: dict[str, bytes], image: Path, acked: dict[str, int], told: list[dict[str, Any]], before: int
) -> Counter[str]:
    shutil.rmtree(image, ignore_errors=True)
    image.mkdir()
    for name, data in files.items():
        (image / f"ledger.db{name}").write_bytes(data)
    found = Counter(images=1, acknowledged=len(acked))
    ledger = image / "ledger.db"
    try:
        found.update(look(ledger, acked, BATCH, before, len(told) - before))
        found["unmended"] += not tell_the_rest(ledger, told, lines_of(told))
    except Exception:  # whatever it is, such an image counts against us
        found["does_not_hold"] += 1
        found["lost"] += len(acked)
    return found
