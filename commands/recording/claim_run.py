"""One run of ``claims write``: alone, from what was left unfinished to the last file's name.

A file is listed among what was handed out before its claims are recorded, and again when it stands under its name. What
is recorded and not listed a second time was cut off in between: the next run makes the same bytes and names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from commands.outside import utc_now
from commands.recording.claim_batches import Batch, BatchMaker, HeldClaim, addressed, file_name
from commands.recording.holding import clock_told, opened_to_record
from commands.terminal.handing_out import Notes
from commands.terminal.options import Setup
from commands.terminal.output import Output
from commands.terminal.show import printable, say
from commands.writing.adopt import adopt
from commands.writing.handle import refuse_doubtful_clock
from ledger.facts.administration import BatchWritten
from ledger.facts.events import ClaimSubmitted
from ledger.files import locked
from ledger.recorders import Unknown
from ledger.store import EpisodeLedger, RecordConflictError
from ledger.x12.gate import GateFinding
from projections.claims_out.again import NotAgain, RecordedBatch, claims_in, made_again
from projections.claims_out.drafts import KeptOff
from projections.claims_out.prepare import Prepared, prepared
from projections.erasure.handed_out import giving, handed_out
from projections.reading.joined import entries_of_kinds

ATTEMPTS: Final = 20
BEGUN: Final = "claims write"
STANDS: Final = "claims written"
"""How a claims file is listed: before its claims are recorded, and when it stands under its name."""


class ClaimRow(Struct, frozen=True):
    """A claim as ``claims write`` tells of it."""

    claim: str | None
    control: str | None
    episode: str
    payer: str
    frequency: str
    file: str | None
    charge_cents: int
    outcome: Literal["written", "held"]


class ToLookAt(NamedTuple):
    """Up to which position the ledger is read, and the patients of whom something may go out."""

    upto: int
    patients: Sequence[str]


class Run(NamedTuple):
    """What became of a run."""

    rows: list[ClaimRow]
    held: list[HeldClaim]
    kept_off: list[KeptOff]
    soft: list[GateFinding]


class ClaimRun:
    """A run into a folder; ``look`` says who may have something to claim, afresh each time it is asked."""

    def __init__(
        self, setup: Setup, ledger: EpisodeLedger, folder: Path, by: str, look: Callable[[], ToLookAt]
    ) -> None:
        self._setup, self._ledger, self._folder, self._by, self._look = setup, ledger, folder, by, look

    def done(self, *, dry: bool) -> Run:
        """Write everything that can be written; nothing where it is only tried."""
        written = [] if dry else list(self._finish())
        for _ in range(ATTEMPTS):
            if not dry:
                adopt(self._ledger, self._setup.book, utc_now())
            run = Run([], [], [], [])
            try:
                self._write(run, dry=dry)
            except RecordConflictError:  # somebody recorded meanwhile: look again at what is there
                written += run.rows
                continue
            return run._replace(rows=written + run.rows)
        raise Unknown("others kept recording, and not every claim was written; run it again")

    def _finish(self) -> Iterator[ClaimRow]:
        """What was recorded and cut off before its file had its name: the file, now."""
        listed = handed_out(self._setup.places)
        stand = {each.sha256 for each in listed if each.command == STANDS}
        begun = {each.sha256: each.path for each in listed if each.command == BEGUN}
        for position, act in self._ledger.acts_of(BatchWritten):
            if act.sha256 not in begun or act.sha256 in stand:
                continue
            batch, path = RecordedBatch(position, act), Path(begun[act.sha256])
            entries = claims_in(self._ledger, batch)
            if not _stands(path, act.sha256):
                path = self._folder / file_name(act)
                try:
                    content = made_again(self._ledger, batch)
                except NotAgain as error:
                    say(printable(f"Left unfinished: {error}."))
                    continue
                self._name(path, content, [entry.episode for entry in entries])
            Notes(self._setup.places, STANDS, path).whole(path)
            yield from (_row(entry.episode, entry.fact, path.name) for entry in entries)  # type: ignore[arg-type]

    def _write(self, run: Run, *, dry: bool) -> None:
        now, (upto, patients) = utc_now(), self._look()
        ready = list[Prepared]()
        for claims, kept in prepared(self._ledger, self._setup.book, patients, upto, now):
            run.kept_off.extend(kept)
            ready += [each for each in claims if not each.draft.missing]
            run.held.extend(HeldClaim(each.draft, each.draft.missing) for each in claims if each.draft.missing)
        if ready:
            self._write_batches(run, ready, upto, now, dry=dry)
        run.rows.extend(
            ClaimRow(None, None, draft.episode, draft.payer, draft.frequency, None, draft.charge_cents, "held")
            for draft, _ in run.held
        )

    def _write_batches(self, run: Run, ready: Sequence[Prepared], upto: int, now: datetime, *, dry: bool) -> None:
        number = len(self._ledger.acts_of(BatchWritten))
        maker = BatchMaker(self._setup.book, upto, now, self._by, numbers_taken(self._ledger, upto))
        after = self._ledger.count_of_acts(upto)
        for where, claims in addressed(ready, self._setup.book):
            batch, held = maker.batch(where, claims, number + 1)
            run.held.extend(held)
            if batch is None:
                continue
            if not dry:
                self._record(batch, after)
            number, after = number + 1, after + 1
            run.rows.extend(_row(episode, claim, batch.file) for episode, claim in batch.claims)
            run.soft.extend(batch.soft)

    def _record(self, batch: Batch, after: int) -> None:
        """List the file, record its claims, give it its name, list that it stands."""
        path, episodes = self._folder / batch.file, [entry.episode for entry in batch.entries]
        Output(self._setup, path).check()
        notes = Notes(self._setup.places, BEGUN, path)
        notes.content(batch.content, sorted(set(episodes)))
        self._ledger.append(batch.entries, acts=[batch.act], after_act=after)
        Output(self._setup, path).write(batch.content)
        Notes(self._setup.places, STANDS, path).content(batch.content, sorted(set(episodes)))

    def _name(self, path: Path, content: bytes, episodes: Sequence[str]) -> None:
        """Give a file that is made again its name, listed before under that place, too."""
        Notes(self._setup.places, BEGUN, path).content(content, sorted(set(episodes)))
        Output(self._setup, path).write(content)


def _stands(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def _row(episode: str, claim: ClaimSubmitted, file: str) -> ClaimRow:
    asked = sum(line.charge_cents for line in claim.lines)
    return ClaimRow(
        claim.claim, claim.number_on_claim, episode, claim.payer, claim.frequency, file, asked, "written"
    )  # fmt: skip


@contextmanager
def opened_to_write(setup: Setup, *, clock_is_right: bool = False) -> Iterator[EpisodeLedger]:
    """The ledger, while nobody else on this machine writes claims of it and nothing is taken back."""
    lock = setup.places.live.with_name(f"{setup.places.stem}.claims.lock")
    with opened_to_record(setup, create=False) as ledger, locked(lock), giving(setup.places):
        if setup.rollbacks.found:  # what went out since is known to nobody, and would go out twice
            say("episode-ledger: no claims were written")
            setup.rollbacks.end()
        if not clock_is_right:
            with clock_told():
                refuse_doubtful_clock(ledger, utc_now())
        yield ledger


def numbers_taken(ledger: EpisodeLedger, upto: int) -> frozenset[str]:
    """Every number that a claim of the ledger has or had, or that stands on one."""
    episodes = [name for name, _ in ledger.versions_since(0)]
    numbers = set[str]()
    for _, entries in entries_of_kinds(ledger, episodes, upto, (ClaimSubmitted,)):
        for entry in entries:
            fact = getattr(entry.fact, "fact", entry.fact)
            if isinstance(fact, ClaimSubmitted):
                numbers |= {fact.claim, fact.number_on_claim}
    return frozenset(numbers)


def find_batch(ledger: EpisodeLedger, named: str) -> RecordedBatch:
    """The batch that is called so, or has a claim that is, or on which that number stands; the last of several."""
    batches = [RecordedBatch(position, act) for position, act in ledger.acts_of(BatchWritten)]
    for batch in reversed(batches):
        if named in (batch.act.batch, *batch.act.claims):
            return batch
    for batch in reversed(batches):
        if any(entry.fact.number_on_claim == named for entry in claims_in(ledger, batch)):  # type: ignore[union-attr]
            return batch
    raise NotAgain("no file that was written here has a claim of this number; 'episode-ledger claims list' has them")
