"""Claims written: numbered from the ledger, put on files, held against the gate, recorded in one transaction a file.

Nothing here looks at a clock or a folder: what is written at a position, of a book, under a number, is always the same
bytes. So a file that was recorded and never got its name can be made again, and so can every other one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from msgspec import UNSET

from commands.outside import random_nonces
from ledger.book import Book
from ledger.facts.administration import BatchWritten
from ledger.facts.entry import Entry
from ledger.facts.events import ClaimSubmitted
from ledger.facts.upcasts import SCHEMA
from ledger.x12.claim_file import batch_name, rendered
from ledger.x12.claim_reader import ReadClaim, read_claims
from ledger.x12.gate import GateFinding, KnownClaim, gate
from ledger.x12.gate_rules import RULES
from ledger.x12.outgoing import LONGEST_CONTROL, OutgoingFile
from projections.claims_out.as_left import AsLeft
from projections.claims_out.batch_files import FileAddress, address_of, file_of, outgoing_claim
from projections.claims_out.drafts import DraftClaim
from projections.claims_out.known import known_claim
from projections.claims_out.prepare import Prepared

SOURCE: Final = "claims"
"""Under which source a claim is recorded that was written here; its number is the id."""
MOST_CLAIMS: Final = 5_000
"""How many claims one file may hold."""
_FILE_ENDING: Final = ".837"
_OWN_NUMBER: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9-]*[A-Z0-9])?\Z")


class Batch(NamedTuple):
    """A file as it would be written, with the claims on it as they would be recorded."""

    act: BatchWritten
    entries: tuple[Entry, ...]
    content: bytes
    soft: tuple[GateFinding, ...]

    @property
    def file(self) -> str:
        """The name of the file."""
        return file_name(self.act)

    @property
    def claims(self) -> Iterator[tuple[str, ClaimSubmitted]]:
        """Each claim with its episode."""
        for entry in self.entries:
            assert isinstance(entry.fact, ClaimSubmitted)
            yield entry.episode, entry.fact


class HeldClaim(NamedTuple):
    """A claim that does not go out, and why: what is missing, or what the gate found."""

    draft: DraftClaim
    reasons: tuple[str, ...]


def file_name(act: BatchWritten) -> str:
    """The name of a batch's file: its number, and nothing of a patient."""
    return f"{act.batch}{_FILE_ENDING}"


def addressed(found: Iterable[Prepared], book: Book) -> Iterator[tuple[FileAddress, list[Prepared]]]:
    """Claims with nothing missing by the file they go on, as many as one holds at a time."""

    def address(each: Prepared) -> FileAddress:
        return address_of(book, each.draft.payer, each.draft.provider)

    for where, group in groupby(sorted(found, key=address), address):
        claims = list(group)
        for start in range(0, len(claims), MOST_CLAIMS):
            yield where, claims[start : start + MOST_CLAIMS]


class BatchMaker:
    """Makes batches of a ledger at a position; what it gave a number it gives no other."""

    def __init__(self, book: Book, upto: int, now: datetime, by: str, taken: Collection[str]) -> None:
        self._book, self._upto, self._by = book, upto, by
        self._now, self._written_at = now, now.replace(microsecond=0)
        self._taken, self._counts = taken, dict[str, int]()
        self._versions: dict[str, tuple[int, datetime]] = {}

    def batch(
        self, where: FileAddress, claims: Sequence[Prepared], number: int
    ) -> tuple[Batch | None, list[HeldClaim]]:
        """The claims that the gate lets pass as a batch of that number, None if there is none; and those it holds."""
        held = list[HeldClaim]()
        while claims:
            told = self._numbered(claims, number)
            content = rendered(self._file(where, claims, told, number))
            found = self._gated(content, claims, told)
            stopped = {each.claim: each for each in found if each.level == "hard"}
            if not stopped:
                return self._recorded(where, claims, told, number, content, found), held
            held += _held(claims, told, found)
            claims = [each for each, claim in zip(claims, told, strict=True) if claim.number_on_claim not in stopped]
        return None, held

    def _numbered(self, claims: Sequence[Prepared], number: int) -> list[ClaimSubmitted]:
        """The claims as they would be recorded, each under a number that no claim of the ledger has."""
        counts, told = dict(self._counts), list[ClaimSubmitted]()
        for place, each in enumerate(claims, 1):
            claim = _new_number(each, counts, self._taken, f"{batch_name(number)}C{place}")
            told.append(
                ClaimSubmitted(
                    claim, each.draft.payer, each.draft.frequency, each.draft.lines,  # type: ignore[arg-type]
                    replaces=each.draft.replaces or UNSET, control=each.draft.control or UNSET,
                    batch=batch_name(number), diagnoses=each.diagnoses or UNSET,
                )
            )  # fmt: skip
        return told

    def _file(
        self, where: FileAddress, claims: Sequence[Prepared], told: Sequence[ClaimSubmitted], number: int
    ) -> OutgoingFile:
        outgoing = [
            outgoing_claim(*(each.left or AsLeft(each.judged, each.case)), claim, self._book, each.draft.payer_number)
            for each, claim in zip(claims, told, strict=True)
        ]
        return file_of(self._book, where, outgoing, number, self._written_at)

    def _gated(self, content: bytes, claims: Sequence[Prepared], told: Sequence[ClaimSubmitted]) -> list[GateFinding]:
        by_control = {claim.number_on_claim: (each, claim) for each, claim in zip(claims, told, strict=True)}

        def known(read: ReadClaim) -> KnownClaim | None:
            each, claim = by_control[read.control]
            return known_claim(each.judged, each.case, claim.payer, {claim.claim, each.draft.replaces or ""})

        (file,) = read_claims(content)
        return list(gate(file, RULES, self._book, known))

    def _recorded(
        self,
        where: FileAddress,
        claims: Sequence[Prepared],
        told: Sequence[ClaimSubmitted],
        number: int,
        content: bytes,
        found: Sequence[GateFinding],
    ) -> Batch:
        nonces, versions = random_nonces(len(told) + 1), self._versions
        entries = list[Entry]()
        for each, claim, nonce in zip(claims, told, nonces, strict=False):
            episode = each.draft.episode
            if episode not in versions:
                last = each.judged.streams[episode][-1]
                versions[episode] = last.version, max(last.recorded_at, self._now)
            version, at = versions[episode]
            versions[episode] = version + 1, at
            self._counts[episode] = max(self._counts.get(episode, 0), _count(claim.claim, episode))
            entries.append(Entry(episode, version + 1, SOURCE, claim.claim, self._by, at, nonce, claim, SCHEMA))
        act = BatchWritten(
            batch_name(number), where.receiver, where.usage, self._written_at, tuple(claim.claim for claim in told),
            hashlib.sha256(content).hexdigest(), self._book.hash, self._upto, self._by, nonces[-1],
        )  # fmt: skip
        return Batch(act, tuple(entries), content, tuple(found))


def _new_number(each: Prepared, counts: dict[str, int], taken: Collection[str], otherwise: str) -> str:
    """A claim's number: the episode's name and a count, or, where that does not fit on a claim, another."""
    episode = each.draft.episode
    if episode not in counts:
        counts[episode] = max((_count(number, episode) for number in each.case.episode.claim_numbers), default=0)
    counts[episode] += 1
    while (named := f"{episode}-{counts[episode]}") in taken:
        counts[episode] += 1
    if _OWN_NUMBER.match(episode) and len(named) <= LONGEST_CONTROL:
        return named
    while otherwise in taken:
        otherwise += "X"
    return otherwise


def _count(number: str, episode: str) -> int:
    """The count in an episode's claim number; 0 if it is no such number."""
    count = number.removeprefix(f"{episode}-")
    return int(count) if count != number and count.isascii() and count.isdigit() else 0


def _held(
    claims: Sequence[Prepared], told: Sequence[ClaimSubmitted], found: Sequence[GateFinding]
) -> Iterator[HeldClaim]:
    hard: dict[str, dict[tuple[str, str], list[str]]] = {}
    for finding in found:
        if finding.level == "hard":
            said = hard.setdefault(finding.claim, {})
            said.setdefault((finding.rule, finding.message), []).append(finding.line)
    for each, claim in zip(claims, told, strict=True):
        if about := hard.get(claim.number_on_claim):
            yield HeldClaim(each.draft, tuple(_in_words(*said, lines) for said, lines in about.items()))


def _in_words(rule: str, message: str, lines: Sequence[str]) -> str:
    """A finding in words, said once for all lines it is about."""
    first = f"line {lines[0]}" if lines[0] else ""
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return f"{first}{more}: {message} ({rule})" if first else f"{message} ({rule})"
