"""Which episodes claims of a number are in, and which answers stand in the ledger: an index that only grows.

It is made from the ledger's rows in the order of their positions, a little further whenever somebody asks, and is kept
in the read model, in tables that no rebuild fills and no fingerprint covers. A number that was taken back stays in it:
who asks looks at the episode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from ledger.facts.administration import HouseAct, PaymentReceived, RemittanceUnmatched
from ledger.facts.billing import RemittancePosted
from ledger.facts.entry import statement_of
from ledger.facts.events import ClaimSubmitted, FactCorrected
from ledger.facts.stored import TAGS, StoredRow, read_row
from ledger.store import EpisodeLedger
from projections.read_model.views import Views

_CLAIMS = frozenset({TAGS[ClaimSubmitted], TAGS[FactCorrected]})


class KnownAnswer(NamedTuple):
    """An answer of the house's own, no episode's: what it says as a digest, and whose it is."""

    digest: str
    payer: str


def batch_number(batch: str) -> str:
    """How claims are found by the batch they left in, whatever fills its number up: ``B1`` and ``000000001`` alike."""
    bare = batch.removeprefix("B").lstrip("0")
    return f"batch\0{bare or '0'}"


def index_numbers(views: Views, ledger: EpisodeLedger) -> None:
    """Bring the index up to the ledger's last entry."""
    acts, head = ledger.count_of_acts(), ledger.position()
    position, seen = _upto(views)
    if position == head:
        return
    with views.writing():
        _lay(views)
        position, seen = _upto(views)
        numbers = (number for row in ledger.scan(position, head) for number in _numbers_in(row))
        views.connection.executemany("INSERT OR IGNORE INTO claim_numbers VALUES (?, ?)", numbers)
        told = ledger.acts_of(PaymentReceived, RemittanceUnmatched, after=seen)
        answers = (answer for _, act in told for answer in _answers_in(act))
        views.connection.executemany("INSERT OR IGNORE INTO house_answers VALUES (?, ?, ?)", answers)
        views.connection.execute("INSERT OR REPLACE INTO numbers_upto VALUES (0, ?, ?)", (head, acts))


def _upto(views: Views) -> tuple[int, int]:
    """The position, and how many acts of the house, it stands for."""
    if not views.connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'numbers_upto'").fetchone():
        return 0, 0
    found = views.connection.execute("SELECT position, acts FROM numbers_upto").fetchone()
    return found or (0, 0)


def _lay(views: Views) -> None:
    for table in (
        "claim_numbers (number TEXT, episode TEXT, PRIMARY KEY (number, episode))",
        "house_answers (key TEXT PRIMARY KEY, digest TEXT, payer TEXT)",
        "numbers_upto (one INTEGER PRIMARY KEY, position INTEGER, acts INTEGER)",
    ):
        views.connection.execute(f"CREATE TABLE IF NOT EXISTS {table} STRICT, WITHOUT ROWID")


def _numbers_in(row: StoredRow) -> Iterator[tuple[str, str]]:
    _, episode, _, tag, _ = row
    fact = statement_of(read_row(row)) if tag in _CLAIMS else None
    if isinstance(fact, ClaimSubmitted):
        for number in {fact.claim, fact.number_on_claim}:
            yield number, episode
        if isinstance(fact.batch, str):
            yield batch_number(fact.batch), episode


def _answers_in(act: HouseAct) -> Iterator[tuple[str, str, str]]:
    if isinstance(act, PaymentReceived):
        yield payment_key(act.payer, act.payment), digest_of(act), act.payer
        yield originator_key(act.originator, act.payment), "", act.payer
    elif isinstance(act, RemittanceUnmatched):
        yield act.key, digest_of(act.posting), act.posting.payer


def payment_key(payer: str, payment: str) -> str:
    """What a check is known by."""
    return f"check\0{payer}\0{payment}"


def originator_key(originator: str, payment: str) -> str:
    """The same by what the file calls the payer: so one check has one payer, whatever the book says meanwhile."""
    return f"originator\0{originator}\0{payment}"


def digest_of(told: PaymentReceived | RemittancePosted) -> str:
    """What an answer says, without when and out of which file it came."""
    if isinstance(told, PaymentReceived):
        says: object = told.payment, told.payer, told.paid_on, told.cents, told.claims, told.adjustments
    else:
        says = told
    return hashlib.sha256(msgspec.json.encode(says)).hexdigest()


def episodes_with(views: Views, numbers: Iterable[str]) -> dict[str, list[str]]:
    """The episodes in which each of some numbers was ever given to a claim."""
    found: dict[str, list[str]] = {}
    for number in dict.fromkeys(numbers):
        rows = views.connection.execute("SELECT episode FROM claim_numbers WHERE number = ?", (number,)).fetchall()
        found[number] = [episode for (episode,) in rows]
    return found


def episodes_with_claims(views: Views) -> list[str]:
    """Every episode that ever had a claim."""
    rows = views.connection.execute("SELECT DISTINCT episode FROM claim_numbers ORDER BY episode")
    return [episode for (episode,) in rows]


def known_answer(views: Views, key: str) -> KnownAnswer | None:
    """What stands in the ledger under a key of the house."""
    found = views.connection.execute("SELECT digest, payer FROM house_answers WHERE key = ?", (key,)).fetchone()
    return KnownAnswer(*found) if found else None
