"""Attacks on a ledger by somebody who holds its file, drops its triggers, and knows how seals are made.

Each kind works on a ``Copy`` of the rows, which can be read from a file and written back into one; it gives the first
position that is not as it was. The seals are the second verifier's, so that an attacker shares no code with the ledger.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from ledger.proof.checkpoint import Checkpoint
from ledger.proof.walk import ProofReport, Walk
from tests import plain_verifier as plain
from tests.plain_verifier import Row


@dataclass
class Copy:
    """A ledger's file, taken apart."""

    ledger: str
    rows: list[Row]
    patients: list[tuple[bytes, bytes]]
    last_number: int

    @staticmethod
    def of(path: Path) -> Copy:
        return Copy(*plain.read(path))

    def again(self) -> Copy:
        return replace(self, rows=list(self.rows), patients=list(self.patients))

    @property
    def plainly(self) -> plain.Ledger:
        return plain.Ledger(self.ledger, self.rows, self.patients, self.last_number)

    def walk(self, checkpoints: Sequence[Checkpoint] = ()) -> ProofReport:
        """The proof of these rows, without a file."""
        walk = Walk(self.ledger, checkpoints)
        for row in self.rows:
            walk.take((*row, True))
        return walk.report(last_number=self.last_number, patients=self.patients)

    def write(self, clean: Path, path: Path) -> None:
        """A copy of a clean ledger's file with these rows in it, and its guards back in place."""
        shutil.copyfile(clean, path)
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("PRAGMA synchronous = OFF")
            file.execute("PRAGMA ignore_check_constraints = 1")
            guards = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            file.execute("BEGIN")
            for name, _ in guards:
                file.execute(f"DROP TRIGGER {name}")
            file.execute("DELETE FROM entries")
            insert = "INSERT INTO entries VALUES (?, CAST(? AS TEXT), ?, CAST(? AS TEXT), CAST(? AS TEXT), ?)"
            file.executemany(insert, self.rows)
            file.execute("DELETE FROM patients")
            file.executemany("INSERT INTO patients VALUES (CAST(? AS TEXT), CAST(? AS TEXT))", self.patients)
            file.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'entries'", (self.last_number,))
            for _, sql in guards:
                file.execute(sql)
            file.execute("COMMIT")

    def renumber(self, last_number: int | None = None) -> None:
        """Close every gap; the file's own numbering is set to fit."""
        self.rows[:] = [row._replace(position=place) for place, row in enumerate(self.rows, 1)]
        self.last_number = len(self.rows) if last_number is None else last_number

    def reseal(self, first: int, last: int | None = None) -> None:
        """Make the seals anew from a position on."""
        before = self.rows[first - 2].seal if first > 1 else plain.beginning(self.ledger)
        for place in range(first - 1, len(self.rows) if last is None else last):
            before = plain.seal(before, place + 1, self.rows[place])
            self.rows[place] = self.rows[place]._replace(seal=before)

    def patients_named(self) -> None:
        """Leave only those patients whom the openings name."""
        self.patients = sorted(plain.named(self.rows))


def changed(row: Row, rng: Random) -> Row:
    """An entry that says something else, plausibly."""
    told = json.loads(row.text)
    if rng.random() < 0.5:
        told["by"] = told["by"] + "x"
    else:
        told["nonce"] = f"{rng.getrandbits(128):032x}"
    return row._replace(text=json.dumps(told, separators=(",", ":")).encode())


def foreign(position: int, rng: Random, episode: str = "EP-NEW", version: int = 1) -> Row:
    """An entry that was never told: the opening of an episode, or a day of it."""
    opening = {"type": "EpisodeOpened", "patient": "P-FOREIGN", "provider": "1234567893", "zone": "America/Chicago"}
    fact = opening if version == 1 else {"type": "DayServed", "order": "RX-1", "date": "2026-11-02"}
    told = {
        "episode": episode, "version": version, "source": "desk", "id": str(version), "by": "forger",
        "recorded_at": "2027-01-01T00:00:00Z", "nonce": f"{rng.getrandbits(128):032x}", "fact": fact, "schema": 2,
    }  # fmt: skip
    text = json.dumps(told, separators=(",", ":")).encode()
    return Row(position, episode.encode(), version, str(fact["type"]).encode(), text, rng.randbytes(32))


def flip(copy: Copy, rng: Random) -> int:
    """One bit of what is stored, in any column."""
    place = rng.randrange(len(copy.rows))
    row = copy.rows[place]
    column = rng.choice(Row._fields)
    value = getattr(row, column)
    if isinstance(value, int):
        bits = [bit for bit in range(62) if not value >> bit & 1 and (bit > 8 or column == "version")]
        value |= 1 << rng.choice(bits)
    else:
        at = rng.randrange(len(value) * 8)
        value = value[: at // 8] + bytes([value[at // 8] ^ 1 << at % 8]) + value[at // 8 + 1 :]
    copy.rows[place] = row._replace(**{column: value})
    if len({(each.episode, each.version) for each in copy.rows}) < len(copy.rows):  # the table would refuse it
        copy.rows[place] = row
        return flip(copy, rng)
    copy.rows.sort(key=lambda each: each.position)
    copy.last_number = max(copy.last_number, copy.rows[-1].position)
    return row.position


def delete(copy: Copy, rng: Random) -> int:
    """One or more entries are gone; the gap stays."""
    place = rng.randrange(len(copy.rows) - 4)
    del copy.rows[place : place + rng.randint(1, 3)]
    return place + 1


def delete_with_seal(copy: Copy, rng: Random) -> int:
    """Gone with their seals; what followed is moved up and keeps its seals."""
    first = delete(copy, rng)
    copy.renumber()
    copy.patients_named()
    return first


def swap(copy: Copy, rng: Random) -> int:
    """Two entries exchange their places, with their seals or without."""
    one, other = sorted(rng.sample(range(len(copy.rows)), 2))
    first, second = copy.rows[one], copy.rows[other]
    seals = (second.seal, first.seal) if rng.random() < 0.5 else (first.seal, second.seal)
    copy.rows[one] = second._replace(position=one + 1, seal=seals[0])
    copy.rows[other] = first._replace(position=other + 1, seal=seals[1])
    return one + 1


def rewrite(copy: Copy, rng: Random) -> int:
    """An entry says something else; its seal stays."""
    place = rng.randrange(len(copy.rows))
    copy.rows[place] = changed(copy.rows[place], rng)
    return place + 1


def forge(copy: Copy, rng: Random) -> int:
    """An entry says something else, and its own seal is made anew; the last one is left to ``reseal_everything``."""
    place = rng.randrange(len(copy.rows) - 1)
    copy.rows[place] = changed(copy.rows[place], rng)
    copy.reseal(place + 1, place + 1)
    return place + 1


def reseal_everything(copy: Copy, rng: Random) -> int:
    """An entry says something else, or an episode's last one is gone, and every seal from there on is made anew."""
    place = rng.randrange(len(copy.rows))
    later = {row.episode for row in copy.rows[place + 1 :]}
    if rng.random() < 0.3 and copy.rows[place].episode not in later:
        del copy.rows[place]
        copy.rows.append(foreign(0, rng))
        copy.renumber()
        copy.patients_named()
    else:
        copy.rows[place] = changed(copy.rows[place], rng)
    copy.reseal(place + 1)
    return place + 1


def cut_tail(copy: Copy, rng: Random) -> int:
    """The last entries are gone; half of the time the file's numbering is set back, too."""
    place = rng.randrange(len(copy.rows))
    del copy.rows[place:]
    copy.patients_named()
    if rng.random() < 0.5:
        copy.last_number = place
    return place + 1


def cut_and_refill(copy: Copy, rng: Random) -> int:
    """The last entries are gone, and as many or more others stand there, sealed as they should be."""
    place, before = rng.randrange(len(copy.rows)), len(copy.rows)
    del copy.rows[place:]
    for version in range(1, before - place + 1 + rng.randint(0, 5)):
        copy.rows.append(foreign(place + version, rng, version=version))
    copy.renumber()
    copy.patients_named()
    copy.reseal(place + 1)
    return place + 1


def reorder(copy: Copy, rng: Random) -> int:
    """A stretch of entries is put into another order, each with its seal."""
    length = rng.randint(3, 9)
    start = rng.randrange(len(copy.rows) - length)
    stretch = copy.rows[start : start + length]
    shuffled = list(stretch)
    while shuffled == stretch:
        rng.shuffle(shuffled)
    copy.rows[start : start + length] = shuffled
    copy.renumber()
    return start + 1 + next(place for place, row in enumerate(shuffled) if row != stretch[place])


def add(copy: Copy, rng: Random) -> int:
    """Entries are put in between; what follows is moved down; the new ones' own seals fit, or do not."""
    place, many = rng.randrange(len(copy.rows) - 2), rng.randint(1, 3)
    copy.rows[place:place] = [foreign(0, rng, version=version) for version in range(1, many + 1)]
    copy.renumber()
    copy.patients_named()
    if rng.random() < 0.5:
        copy.reseal(place + 1, place + many)
    return place + 1


def roll_back(copy: Copy, rng: Random) -> int:
    """An older copy is put back; half of the time others are recorded after it, past where the ledger was."""
    length, before = rng.randrange(len(copy.rows)), len(copy.rows)
    del copy.rows[length:]
    if rng.random() < 0.5:
        for version in range(1, before - length + rng.randint(1, 5)):
            copy.rows.append(foreign(length + version, rng, version=version))
        copy.reseal(length + 1)
    copy.renumber()
    copy.patients_named()
    return length + 1


KINDS: dict[str, Callable[[Copy, Random], int]] = {
    "flip": flip,
    "delete": delete,
    "delete with seal": delete_with_seal,
    "swap": swap,
    "rewrite": rewrite,
    "forge": forge,
    "re-seal everything": reseal_everything,
    "cut tail": cut_tail,
    "cut and refill": cut_and_refill,
    "reorder": reorder,
    "add": add,
    "roll back a backup": roll_back,
}
