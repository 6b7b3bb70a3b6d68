"""A dry run is the real run: the same outcomes and the same effect, and nothing of it stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.writing.record import Outcome, record
from commands.writing.rehearsal import Rehearsal
from ledger.facts.administration import PatientsMerged, PatientsParted
from ledger.facts.entry import Entry
from ledger.facts.events import EpisodeOpened
from ledger.facts.forms import parse_instant
from ledger.store import EpisodeLedger
from projections.effects.effect import State, changes_between
from tests.command_line import OPENING, SERVED, told
from tests.harness import book_of
from tests.histories import history
from tests.stores import examples, open_ledger
from tests.tiers import many

pytestmark = pytest.mark.usefixtures("every_store")

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def file(lines: list[Any]) -> BytesIO:
    return BytesIO(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))


def sent(ledger: EpisodeLedger, lines: list[Any], batch: int = 4_000) -> list[Outcome]:
    return list(record(ledger, file(lines), keep_recorded_at=True, clock=lambda: LATER, batch=batch))


def tell(ledger: EpisodeLedger, entries: list[dict[str, Any]]) -> None:
    """Record a history as it went, acts of the house among its entries."""
    for entry in entries:
        if entry["episode"]:
            sent(ledger, [entry])
            continue
        fact = dict(entry["fact"])
        kind = {"PatientsMerged": PatientsMerged, "PatientsParted": PatientsParted}[fact.pop("type")]
        at = parse_instant(entry["recorded_at"])
        if all(ledger.episodes_of(fact[name]) for name in ("patient", "into") if name in fact):  # else they are nobody
            ledger._record_act(kind(at, "clerk", nonce="0" * 32, **fact), len(ledger.house_acts()))


def spoiled(rng: Random, known: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[Any]:
    """Lines to be sent: the new ones, some that are known, and some that are refused."""
    lines: list[Any] = [line for line in new if line["episode"]]
    repeated = [line for line in known if line["episode"]]
    for _ in range(rng.randint(0, 4)):
        at = rng.randint(0, len(lines))
        lines.insert(at, rng.choice([b"{", rng.choice(repeated or [b"[]"]), told("x", SERVED, episode="nowhere")]))
    return lines


@given(rng=st.randoms(use_true_random=False), batch=st.sampled_from([1, 3, 4_000]))
@settings(max_examples=examples(many(6, 40)), deadline=None)
def test_a_dry_run_gives_the_outcomes_and_the_effect_of_the_real_run(rng: Random, batch: int) -> None:
    entries, tables = history(rng, house=True)
    cut, book = rng.randint(0, len(entries)), book_of(tables)
    lines = spoiled(rng, entries[:cut], entries[cut:])
    with TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.db", create=True) as ledger:
        tell(ledger, entries[:cut])
        began, before = ledger.position(), list(ledger.scan())
        with Rehearsal(ledger, Path(folder)) as rehearsal:
            tried = sent(rehearsal, lines, batch)
            touched = rehearsal.touched()
            foreseen = list(changes_between(State(ledger, began), State(rehearsal), touched, book))
        assert list(ledger.scan()) == before
        assert sent(ledger, lines, batch) == tried
        assert ledger.patients_since(began) == touched
        real = list(changes_between(State(ledger, began), State(ledger), touched, book))
        assert real == foreseen


def test_what_others_record_meanwhile_is_not_in_a_rehearsal(ledger: EpisodeLedger, path: Path) -> None:
    sent(ledger, [told("a", OPENING)])
    with Rehearsal(ledger, path.parent) as rehearsal, open_ledger(path, create=False) as other:
        sent(other, [told("b"), told("c", OPENING, episode="EP-2")])
        assert [outcome.outcome for outcome in sent(rehearsal, [told("b"), told("d")])] == ["recorded", "recorded"]
        assert [entry.id for entry in rehearsal.entries_of("EP-1")] == ["a", "b", "d"]
        assert rehearsal.entries_of("EP-2") == []
        assert rehearsal.touched() == {"P-1"}


def test_a_name_of_an_older_form_is_known_in_a_rehearsal_as_in_the_ledger(ledger: EpisodeLedger, path: Path) -> None:
    odd = dict(OPENING, patient="Jose\u0301")
    line = told("b", OPENING | {"patient": "Jose\u0301"}, episode="EP-2")
    with Rehearsal(ledger, path.parent) as rehearsal:
        assert sent(rehearsal, [line])[0].code == "malformed"
    entry = Entry(
        "EP-1",
        1,
        "pump",
        "a",
        "rn-1",
        LATER,
        "0" * 32,
        EpisodeOpened(**{k: v for k, v in odd.items() if k != "type"}),
        2,
    )
    ledger.append([entry], [(odd["patient"], "EP-1")])
    (path.parent / "again").mkdir()
    with Rehearsal(ledger, path.parent / "again") as rehearsal:
        assert sent(rehearsal, [line])[0].outcome == "recorded"
        assert rehearsal.touched() == {"Jose\u0301"}


def test_a_rehearsal_of_an_encrypted_ledger_leaves_nothing_to_read(
    ledger: EpisodeLedger, path: Path, every_store: str
) -> None:
    sent(ledger, [told("a", OPENING)])
    with Rehearsal(ledger, path.parent) as rehearsal:
        sent(rehearsal, [told("b", SERVED | {"order": "ORDER-7"})])
        written = b"".join(file.read_bytes() for file in path.parent.glob("rehearsal.db*"))
    assert written
    assert (b"ORDER-7" in written) is ("encrypted" not in every_store)
