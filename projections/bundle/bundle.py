"""A bundle: what one hands to a payer who does not trust us, and how everything in it is made.

It holds the data of the episodes it names and of nobody else. The entries are proven, the rest is derived from them
and from the terms beside them. Nothing depends on when or where it is made: the same ledger, book and checkpoint give
the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ledger.book import Book, Code, Payer, Provider
from ledger.book.reference import canonical
from ledger.facts.administration import time_of_act
from ledger.facts.entry import Entry, statement_of, states_identity
from ledger.facts.liveness import known
from ledger.facts.stored import StoredRow
from ledger.keys.cipher import Unopened
from ledger.keys.envelope import read_envelope
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.merkle import Proof
from ledger.proof.seals import leaf_of
from ledger.store import EpisodeLedger, StoreError
from projections.answers.claim_papers import claim_papers
from projections.audit.claimed import claimed_of
from projections.bundle import verify_bundle
from projections.bundle.days import Inside, bundled_claims, bundled_days
from projections.bundle.readme import readme
from projections.bundle.zip import Bundled, BundleManifest, Vouch, with_manifest
from projections.page.html import render_page
from projections.page.page import page_of
from projections.read_model.version import code_version
from projections.reading.around import entries_around
from projections.reading.as_known import book_known, judged_among, owner_among
from projections.words import utc_text


class Chosen(NamedTuple):
    """What goes into a bundle: the episodes' entries up to a position, and of those the ones recorded by an instant.

    ``positions`` are the entries' places; ``around`` are all entries that may decide a day, by episode.
    """

    episodes: tuple[str, ...]
    position: int
    known_at: datetime | None
    around: Mapping[str, Sequence[Entry]]
    positions: Mapping[tuple[str, int], int]

    def entries_of(self, episode: str) -> list[Entry]:
        """The entries of an episode that go in, from version 1 on."""
        return known(self.around[episode], self.known_at)

    @property
    def wanted(self) -> list[int]:
        """The positions of the entries that go in."""
        return [self.positions[one.episode, one.version] for name in self.episodes for one in self.entries_of(name)]


def choose(ledger: EpisodeLedger, episodes: Iterable[str], position: int, known_at: datetime | None) -> Chosen:
    """The entries of episodes as they stood at a position, and all that may decide their days."""
    names = tuple(sorted(set(episodes)))
    around = entries_around(ledger, names, position)
    entries = [entry for stream in around.values() for entry in stream]
    positions = ledger.positions_of(entries)
    assert positions is not None, "what was just read stands in the ledger"
    places = {(entry.episode, entry.version): place for entry, place in zip(entries, positions, strict=True)}
    return Chosen(names, position, known_at, around, places)


def time_of(ledger: EpisodeLedger, position: int) -> datetime:
    """When the entry at a position was recorded, rounded down to the second: the time of a bundle's own checkpoint."""
    for _, entry in ledger.follow(position - 1, position):
        return entry.recorded_at.astimezone(UTC).replace(microsecond=0)
    act = next((act for place, act in ledger.house_acts() if place == position), None)
    if act is None:
        raise StoreError(f"entry {position} was forgotten while the bundle was being made")
    return time_of_act(act).astimezone(UTC).replace(microsecond=0)


class Proofs(NamedTuple):
    """The stored rows that go in, each with its proof, by position; and the signed checkpoint they lead to. ``vouch``
    signs the manifest with the key that signed it; None where that is not at hand."""

    note: bytes
    checkpoint: Checkpoint
    rows: Mapping[int, StoredRow]
    proofs: Mapping[int, Proof]
    vouch: Vouch | None = None


def bundle_of(ledger: EpisodeLedger, book: Book, chosen: Chosen, proofs: Proofs) -> dict[str, bytes]:
    """Every member of the bundle, by name; each chosen episode must have an entry."""
    proven = {name: list(_proven(ledger, chosen.entries_of(name), chosen, proofs)) for name in chosen.episodes}
    members = {
        "README.txt": readme(encrypted=any(row.content is not UNSET for rows in proven.values() for row in rows)),
        "checkpoint.txt": proofs.note,
        "verify_bundle.py": Path(verify_bundle.__file__).read_bytes(),
        **_book_members(book, chosen),
    }
    shown = []
    for number, name in enumerate(chosen.episodes, 1):
        shown.append(Bundled(number, name, 1, len(proven[name])))
        members[f"entries/{number}.jsonl"] = _lines(proven[name])
        members |= _derived(ledger, book, chosen, number, name)
    made_from = BundleManifest(
        ledger=ledger.id,
        position=chosen.position,
        known_at=utc_text(chosen.known_at) if chosen.known_at else None,
        book=book.hash,
        code=code_version(),
        episodes=tuple(shown),
    )
    return with_manifest(members, made_from, proofs.vouch)


class ProvenEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry as it is stored, ``state`` being its text to the letter, and the way from its leaf to the root.

    Where that text is an envelope, ``content`` is what is in it, to the letter; else there is no such field. Of one
    that says who somebody is there is no text, and ``leaf`` in its place: the hash, in hex, that the tree has of it.
    """

    position: int
    episode: str
    version: int
    topic: str
    state: str | UnsetType
    proof: tuple[str, ...]
    content: str | UnsetType = UNSET
    leaf: str | UnsetType = UNSET


def _proven(ledger: EpisodeLedger, entries: Iterable[Entry], chosen: Chosen, proofs: Proofs) -> Iterator[ProvenEntry]:
    for entry in entries:
        place = chosen.positions[entry.episode, entry.version]
        proof = (base64.b64encode(each).decode() for each in proofs.proofs[place])
        stored = proofs.rows[place]
        position, episode, version, tag, text = stored
        if states_identity(entry.fact):
            leaf = leaf_of(position, episode.encode(), version, tag.encode(), text.encode()).hex()
            yield ProvenEntry(position, episode, version, tag, UNSET, tuple(proof), leaf=leaf)
        else:
            yield ProvenEntry(*stored, tuple(proof), _content(ledger, stored))


def _content(ledger: EpisodeLedger, stored: StoredRow) -> str | UnsetType:
    """The text in a stored envelope, held to what stands on it before it goes out; nothing of an entry in the open."""
    position, episode, version, tag, text = stored
    if not ledger.encrypted:
        return UNSET
    try:
        envelope = read_envelope(text)
    except Unopened:
        raise StoreError(f"entry {position} is in no envelope; 'verify' says what is wrong") from None
    opened = next(ledger.scan(position - 1, position), None)
    says = position, envelope.episode, envelope.version, envelope.type
    if opened is None or opened[:4] != says or says != (position, episode, version, tag):
        raise StoreError(f"entry {position} does not open, or its envelope is another's; 'verify' says what is wrong")
    if hashlib.sha256(opened[4].encode()).hexdigest() != envelope.content:
        raise StoreError(f"entry {position} is not the text that its envelope stands for; 'verify' says what is wrong")
    return opened[4]


_json_lines: Final = msgspec.json.Encoder()


def _lines(rows: Iterable[msgspec.Struct]) -> bytes:
    return b"".join(_json_lines.encode(row) + b"\n" for row in rows)


def _book_members(book: Book, chosen: Chosen) -> dict[str, bytes]:
    """The codes, and of payers and providers those that the episodes have to do with, in the book's canonical form.

    Of a provider's agreements only those with these payers; of terms only those published by the instant.
    """
    stated = [statement_of(entry) for name in chosen.episodes for entry in chosen.entries_of(name)]
    payers = {getattr(fact, "payer", None) for fact in stated} & book.payers.keys()
    providers = {getattr(fact, "provider", None) for fact in stated} & book.providers.keys()
    seen = book_known(book, chosen.known_at)
    parts: dict[str, list[Code] | list[Payer] | list[Provider]] = {
        "codes": [book.codes[code] for code in sorted(book.codes)],
        "payers": [_published(seen, payer) for payer in sorted(map(str, payers))],
        "providers": [
            msgspec.structs.replace(
                book.providers[npi], agreements=tuple(a for a in book.providers[npi].agreements if a.payer in payers)
            )
            for npi in sorted(map(str, providers))
        ],
    }
    return {f"book/{name}.json": canonical(part) + b"\n" for name, part in parts.items()}


def _published(book: Book, payer: str) -> Payer:
    found = book.payers[payer]
    by_then = tuple(terms for terms in found.terms if book.known_on is None or terms.published <= book.known_on)
    return msgspec.structs.replace(found, terms=by_then)


def _derived(ledger: EpisodeLedger, book: Book, chosen: Chosen, number: int, name: str) -> dict[str, bytes]:
    """Verdicts, claim comparison and report of one episode."""
    patient = owner_among(chosen.around, name, chosen.known_at)
    judged = judged_among(chosen.around, patient, book, chosen.known_at) if patient is not None else None
    assert patient is not None, "the episode has an entry"
    assert judged is not None, "it is its patient's"
    case = judged.case(name)
    inside = Inside(chosen.episodes, chosen.positions, _known_entries(chosen))
    claims = claimed_of(chosen.around, patient, book, chosen.known_at, every=True)
    page = page_of(ledger, name, book, chosen.known_at, upto=chosen.position)
    assert page is not None, "the episode has an entry"
    return {
        f"verdicts/{number}.jsonl": _lines(bundled_days(case, judged.others(case), inside)),
        f"claimed/{number}.jsonl": _lines(bundled_claims((day for day in claims if day.episode == name), inside)),
        f"papers/{number}.jsonl": _lines(claim_papers(ledger, case.episode, chosen.position, chosen.known_at)),
        f"report/{number}.html": render_page(page).encode(),
    }


def _known_entries(chosen: Chosen) -> Iterator[Entry]:
    for entries in chosen.around.values():
        yield from known(entries, chosen.known_at)
