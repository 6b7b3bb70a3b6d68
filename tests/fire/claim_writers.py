"""Whoever writes claims killed at any moment: run again, into another folder, no day goes out twice, none is left out,
and every file that stands is one that the ledger recorded."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from ledger.facts.administration import BatchWritten
from ledger.keys.cipher import load_master_key
from ledger.store import open_ledger
from ledger.x12.claim_reader import read_claims
from tests.command_line import run
from tests.fire.acts import CLAIMS_BOOK
from tests.fire.moments import Moments
from tests.fire.stage import Stage

GOLDEN = Path(__file__).parent.parent / "golden" / "claims"
INTAKE = GOLDEN / "intake.jsonl"
EPISODES = 6
TUNED = {"claims_in_a_file": 1}
"""One claim in a file, so that there are moments between files, too."""


def claim_writers_killed(
    folder: Path, count: int, rng: Random, *, encrypted: bool = False, unlisted: bool = False
) -> Counter[str]:
    """Kill so many writers of claims; ``unlisted`` is the control that lists no file before its claims are recorded."""
    found: Counter[str] = Counter(kills=0, too_late=0, cut_between=0, twice=0, left_out=0, unknown=0, unfinished=0)
    house = _House(folder, encrypted=encrypted)
    with Stage(folder) as stage:
        moments = Moments(rng, _time(stage, house))
        while found["kills"] < count:
            house.begin()
            args = _args(house, "first")
            if unlisted:  # the control is killed in the gap, by itself
                writer = stage.start("write_unlisted", tuned=TUNED, args=args)
            else:
                writer = moments.kill(stage, "command", TUNED, args=args)
            late = writer.wait() != -9
            found["too_late" if late else "kills"] += 1
            known, there = house.recorded(), {path.stem for path in house.files()}
            moments.met("its end" if late else "its work" if known else "nothing yet")
            found["cut_between"] += bool(known.keys() - there)
            status, _ = stage.run("command", tuned=TUNED, args=_args(house, "second"))
            found["unfinished"] += status != 0
            found.update(house.looked_at())
    return found


class _House:
    """A ledger that claims can be written from, put back to what it was before each kill."""

    def __init__(self, folder: Path, *, encrypted: bool) -> None:
        self.made, self.folder, self.key = folder / "made", folder / "house", folder / "ledger.key"
        self.encrypted = encrypted
        self.made.mkdir()
        if encrypted:
            assert run("master-key", str(self.key)).status == 0
        intake = folder / "intake.jsonl"
        intake.write_text("".join(_told(number) for number in range(EPISODES)), encoding="utf-8")
        record = ["record", "--identity-in-the-open", "--no-effect", str(intake)]
        for args in (record, ["status"]):
            assert run(*self.args(self.made, args)).status == 0

    def args(self, folder: Path, verb: list[str]) -> list[str]:
        """A command over the ledger in a folder."""
        key = ["--master-key", str(self.key)] if self.encrypted else []
        return ["--ledger", str(folder / "ledger.db"), "--book", str(CLAIMS_BOOK), *key, *verb]

    def begin(self) -> None:
        """Put everything back."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.made, self.folder, symlinks=True)

    def files(self) -> list[Path]:
        """The files that stand."""
        return sorted(self.folder.rglob("*.837"))

    def recorded(self) -> dict[str, str]:
        """The batches that the ledger knows, with their SHA-256."""
        master = load_master_key(self.key) if self.encrypted else None
        with open_ledger(self.folder / "ledger.db", create=False, master=master) as ledger:
            return {act.batch: act.sha256 for _, act in ledger.acts_of(BatchWritten)}

    def looked_at(self) -> Counter[str]:
        """What is wrong with the files together."""
        days: Counter[tuple[str, str, str]] = Counter()
        known = self.recorded()
        unknown = 0
        for path in self.files():
            content = path.read_bytes()
            unknown += known.get(path.stem) != hashlib.sha256(content).hexdigest()
            for claim in read_claims(content)[0].claims:
                for line in claim.lines:
                    days[claim.insured.id, line.code, line.from_] += 1
        twice = sum(count - 1 for count in days.values())
        return Counter(twice=twice, left_out=EPISODES * len(_LINES) - len(days), unknown=unknown)


_LINES = (("S9325", "20260928"), ("S9325", "20261001"), ("J1171", "20260928"), ("99601", "20260928"))
"""The lines of the example's claim."""


def _told(number: int) -> str:
    """The example, of another episode and patient."""
    lines: list[str] = []
    for line in INTAKE.read_text(encoding="utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line)
        fact = entry["fact"]
        if "patient" in fact:
            fact["patient"] = f"P-{number}"
        if "member" in fact:
            fact["member"] = f"M{number}"
        if "number" in fact:
            fact["number"] = f"A-{number}"
        lines.append(json.dumps(entry | {"episode": f"EP-{number}"}) + "\n")
    return "".join(lines)


def _args(house: _House, folder: str) -> list[str]:
    return house.args(house.folder, ["claims", "write", "--out", str(house.folder / folder)])


def _time(stage: Stage, house: _House) -> float:
    """How long the writer takes when nobody kills it: the shortest of three."""
    took = []
    for _ in range(3):
        house.begin()
        status, writer = stage.run("command", tuned=TUNED, args=_args(house, "first"))
        assert status == 0, writer.complained
        took.append(writer.took)
        assert house.looked_at() == Counter(twice=0, left_out=0, unknown=0)
    return min(took)
