"""One instant, in whatever offset it is written: every reader of an instant agrees with ``days --known-at``.

Terms are known from the start of the UTC date they were published (rulebook section 1), never of a local one. Nothing
else that the product does takes an instant: ``status``, ``what-if`` and ``rebuild`` are about all that is recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from ledger.book import Book, load_book
from ledger.facts.administration import MonthClosed
from ledger.facts.entry import Entry
from ledger.progress import silent
from ledger.proof.checkpoint import Checkpoint
from ledger.store import EpisodeLedger
from projections.audit.between import between_of
from projections.audit.claimed import claimed_days
from projections.audit.replay import replay_of
from projections.audit.restated import Restatements
from projections.bundle.bundle import Proofs, bundle_of, choose
from projections.export.judged import AUTHORIZATIONS, CLAIMED, AsOf, judged_rows, rate_rows
from projections.operations.health import clock_row
from projections.page.episode import episode_sheet
from projections.page.page import page_of
from projections.read_model import queries
from projections.read_model.catch_up import fill_as_known
from projections.read_model.generations import Places
from projections.read_model.queries import Filters
from projections.read_model.version import code_version
from projections.read_model.views import Views, passing_views
from projections.rebuild.rebuild import Wanted, rebuild
from projections.report.asked import Asked
from projections.report.report import report_of
from projections.why.why import why_of
from tests.harness import book_of, typed
from tests.histories import history
from tests.projections.bundle.bundles import Sender, rows
from tests.stores import named, open_ledger
from tests.stories import Story
from tests.tiers import many

EPISODE = "EP-1"
BEGINNING, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2098, 1, 1, tzinfo=UTC)
OFFSETS = tuple(timezone(timedelta(minutes=minutes)) for minutes in (-11 * 60, -6 * 60, 0, 5 * 60 + 30, 14 * 60))
PUBLISHED = datetime(2026, 8, 20, tzinfo=UTC)
"""prairie-blue's terms from 2026-07-01 were published on this date, and ask for an authorization."""
BEFORE, AFTER = PUBLISHED - timedelta(microseconds=1), PUBLISHED + timedelta(hours=5, minutes=30)
SPELLED = {
    BEFORE: ["2026-08-19T17:59:59.999999-06:00", "2026-08-19T23:59:59.999999Z", "2026-08-20T05:29:59.999999+05:30"],
    AFTER: ["2026-08-19T23:30-06:00", "2026-08-20T05:30Z", "2026-08-20T11:00+05:30"],
}
"""Instants on either side of it, each as people in three places write it, where the local date is another one."""

Days = dict[str, str]
"""An episode's dates, each with its verdict in two words."""


class Asking(NamedTuple):
    """A ledger and a book, and an episode that is asked about."""

    ledger: EpisodeLedger
    book: Book
    episode: str = EPISODE

    def as_known(self, at: datetime) -> Views:
        """The read model that ``days``, ``findings``, ``lines``, ``report`` and ``export`` fill for an instant."""
        views = passing_views()
        fill_as_known(self.ledger, views, self.book, at)
        return views


def words(row: Any) -> str:
    return f"{row.status} {row.reason or row.code}"


def days(asking: Asking, at: datetime) -> Days:
    """What ``days --known-at`` says, which every other reader has to agree with."""
    with closing(asking.as_known(at)) as views:
        return {row.date: words(row) for row in queries.day_rows(views, Filters(episode=asking.episode))}


def by_why(asking: Asking, at: datetime) -> Days:
    every = days(asking, END) | days(asking, at)
    told = ((day, why_of(asking.ledger, asking.episode, date.fromisoformat(day), asking.book, at)) for day in every)
    return {day: words(answer.verdict) for day, answer in told if answer and answer.verdict}


def by_replay(asking: Asking, at: datetime) -> Days:
    found: dict[str, str | None] = {}
    for row in replay_of(asking.ledger, asking.episode, asking.book, at):
        found |= {change.date: change.after for change in row.changes if change.episode == asking.episode}
    return {day: verdict for day, verdict in found.items() if verdict is not None}


def by_diff_up_to(asking: Asking, at: datetime) -> Days:
    changed = between_of(asking.ledger, asking.episode, asking.book, BEGINNING, at) or []
    return {row.date: row.after for row in changed if row.after is not None}


def by_diff_from(asking: Asking, at: datetime) -> Days:
    changed = between_of(asking.ledger, asking.episode, asking.book, at, END) or []
    found = days(asking, END) | {row.date: row.before for row in changed}
    return {day: verdict for day, verdict in found.items() if verdict is not None}


def by_page(asking: Asking, at: datetime) -> Days:
    page = page_of(asking.ledger, asking.episode, asking.book, at)
    return {day.date: day.status for run in page.runs for day in run.days} if page else {}


def by_site(asking: Asking, at: datetime) -> Days:
    with closing(passing_views()) as views:
        sheet = episode_sheet(asking.ledger, views, asking.episode, asking.book, at)
    cells = (cell for month in sheet.months for week in month.weeks for cell in week) if sheet else ()
    return {cell.day.date: cell.day.status for cell in cells if cell and cell.day}


def by_lines(asking: Asking, at: datetime) -> Days:
    with closing(asking.as_known(at)) as views:
        lines = list(queries.line_rows(views, Filters(episode=asking.episode)))
    return {
        (date.fromisoformat(line.from_) + timedelta(days=day)).isoformat(): f"billable {line.code}"
        for line in lines
        for day in range(line.units)
    }


def by_claims(asking: Asking, at: datetime) -> Days:
    found = claimed_days(asking.ledger, asking.book, episode=asking.episode, known_at=at, every=True)
    return {row.date: row.known_now for row in found if row.known_now is not None}


def in_full(told: Days) -> Days:
    return told


def by_status(told: Days) -> Days:
    return {day: verdict.split()[0] for day, verdict in told.items()}


def only_billable(told: Days) -> Days:
    return {day: verdict for day, verdict in told.items() if verdict.startswith("billable")}


VERDICTS: dict[str, tuple[Callable[[Asking, datetime], Days], Callable[[Days], Days]]] = {
    "days": (days, in_full),
    "why": (by_why, in_full),
    "replay": (by_replay, in_full),
    "diff --between T END": (by_diff_from, in_full),
    "diff --between BEGINNING T": (by_diff_up_to, in_full),
    "page": (by_page, by_status),
    "the site": (by_site, by_status),
    "lines": (by_lines, only_billable),
}
"""Readers that say what the verdicts of an episode are, each with what of ``days`` it is held to."""


def findings(asking: Asking, at: datetime) -> Any:
    with closing(asking.as_known(at)) as views:
        return list(queries.finding_rows(views, Filters()))


def claims(asking: Asking, at: datetime) -> Any:
    return list(claimed_days(asking.ledger, asking.book, known_at=at, every=True))


def bundle(asking: Asking, at: datetime) -> Any:
    chosen = choose(asking.ledger, [asking.episode], asking.ledger.position(), at)
    checkpoint = Checkpoint("", asking.ledger.id, 0, b"", b"", END)
    stored = {row[0]: row for row in asking.ledger.scan()}
    return bundle_of(asking.ledger, asking.book, chosen, Proofs(b"", checkpoint, stored, defaultdict(list)))


def monday(asking: Asking, at: datetime) -> Any:
    with closing(asking.as_known(at)) as views:
        return report_of(asking.ledger, views, asking.book, Asked("2026-09-01", known_at=at))


def rates(asking: Asking, at: datetime) -> Any:
    return list(rate_rows(asking.book, at))


def exported(dataset: str) -> Callable[[Asking, datetime], Any]:
    def export(asking: Asking, at: datetime) -> Any:
        as_of = AsOf(asking.ledger, asking.ledger.position(), asking.book, at)
        return list(judged_rows(dataset, as_of, {}, pytest.fail, silent))

    return export


def restatements(asking: Asking, at: datetime) -> Any:
    closed = MonthClosed("2026-07", BEGINNING, "c", 1, asking.book.text, code_version(), "", "0" * 32)
    return list(Restatements(asking.ledger, closed, asking.book, at).rows(Filters()))


ANSWERS: dict[str, Callable[[Asking, datetime], Any]] = {
    "findings": findings,
    "diff --claimed": claims,
    "bundle": bundle,
    "report": monday,
    "export rates": rates,
    "export claimed": exported(CLAIMED),
    "export authorizations": exported(AUTHORIZATIONS),
    "restatements": restatements,
}
"""Readers whose answers say more, or other things, than verdicts: one answer to each instant."""


def story() -> Story:
    """A day of July that is billable until the terms published in August ask for an authorization of it."""
    told = Story().opened()
    told.clock = datetime(2026, 7, 5, 9, tzinfo=UTC)
    told.served("2026-07-02")
    told.tell("plan", "PlanSigned", plan="B", signed_on="2026-06-30", from_="2026-06-30", to="2026-08-01")
    told.tell("pain-2", "PainAssessed", date="2026-07-01", score=5)
    told.tell("auth", "AuthorizationGranted", number="A-1", payer="prairie-blue", codes=["S9325"], units=9,
              from_="2026-08-01", to="2026-08-31")  # fmt: skip
    line = {"code": "S9325", "from": "2026-07-02", "to": "2026-07-02", "units": 1, "charge_cents": 9000}
    return told.tell("claim", "ClaimSubmitted", claim="C-1", payer="prairie-blue", frequency="1", lines=[line])


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with open_ledger(tmp_path_factory.mktemp("known") / "ledger.db", create=True) as ledger:
        ledger.append(typed(story().told), [("P-1", EPISODE)])
        yield Asking(ledger, load_book())


def test_terms_are_known_from_the_utc_date_they_were_published(asking: Asking) -> None:
    assert days(asking, BEFORE)["2026-07-02"] == "billable S9325"
    assert days(asking, AFTER)["2026-07-02"] == "hold auth_missing"


@pytest.mark.parametrize("offset", OFFSETS, ids=str)
@pytest.mark.parametrize("at", [BEFORE, PUBLISHED, AFTER], ids=str)
@pytest.mark.parametrize("reader", VERDICTS)
def test_every_reader_of_verdicts_agrees_with_days(asking: Asking, reader: str, at: datetime, offset: timezone) -> None:
    read, of_days = VERDICTS[reader]
    assert read(asking, at.astimezone(offset)) == of_days(days(asking, at))


@pytest.mark.parametrize("reader", ANSWERS)
def test_every_other_reader_gives_an_instant_one_answer(asking: Asking, reader: str) -> None:
    answers = {at: ANSWERS[reader](asking, at) for at in (BEFORE, PUBLISHED, AFTER)}
    assert any(answers.values()), "there is something to say"
    for at, answer in answers.items():
        for offset in OFFSETS:
            assert ANSWERS[reader](asking, at.astimezone(offset)) == answer, offset


def test_what_is_claimed_is_held_to_the_verdicts_of_days(asking: Asking) -> None:
    for at in (BEFORE, AFTER):
        for offset in OFFSETS:
            found = by_claims(asking, at.astimezone(offset))
            assert found
            assert found.items() <= days(asking, at).items()


@pytest.mark.parametrize("seed", range(many(5, 30)))
def test_every_reader_of_verdicts_agrees_with_days_on_random_histories(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    told, tables = history(rng)
    published = {terms["published"] for payer in tables["payers"] for terms in payer["terms"]}
    midnights = sorted(datetime.combine(on, time(), UTC) for on in published)[-2:]
    moments = [at + timedelta(minutes=rng.randint(-840, 840)) for at in midnights] + [instant(rng.choice(told))]
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ledger.append(typed(told), openings(typed(told)))
        for episode in sorted({entry["episode"] for entry in told}):
            asking = Asking(ledger, book_of(tables), episode)
            for at in moments:
                right, written = days(asking, at), at.astimezone(rng.choice(OFFSETS))
                found = {reader: read(asking, written) for reader, (read, _) in VERDICTS.items()}
                assert found == {reader: of_days(right) for reader, (_, of_days) in VERDICTS.items()}
                assert by_claims(asking, written).items() <= right.items()


def instant(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["recorded_at"])


def openings(entries: list[Entry]) -> list[tuple[str, str]]:
    """The patient of each opening, and of each correction of one."""
    facts = ((entry.episode, getattr(entry.fact, "fact", entry.fact)) for entry in entries)
    return sorted({(fact.patient, episode) for episode, fact in facts if hasattr(fact, "patient")})


COMMANDS = (
    ["days"], ["findings"], ["lines"], ["why", EPISODE, "2026-07-02"], ["replay", EPISODE],
    ["diff", EPISODE, "--claimed", "--every"], ["page", EPISODE], ["report", "--on", "2026-09-01"],
)  # fmt: skip


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    sender = Sender(tmp_path_factory.mktemp("sender"))
    assert sender.house.tell(*story().told, options=["--keep-recorded-at"]).status == 0
    return sender


@pytest.mark.parametrize("at", SPELLED, ids=str)
def test_the_commands_give_an_instant_one_answer_however_it_is_spelled(sender: Sender, at: datetime) -> None:
    answers = [
        [sender.house.run(*command, "--known-at", spelled) for command in COMMANDS]
        + [sender.house.run("diff", EPISODE, "--between", spelled, END.isoformat())]
        + [sender.house.run("diff", EPISODE, "--between", BEGINNING.isoformat(), spelled)]
        for spelled in SPELLED[at]
    ]
    assert {answer.status for answer in answers[0]} <= {0, 1}  # 1: something claimed is not billable
    assert answers[1:] == answers[:1] * 2
    assert [b"auth_missing" in answers[0][place].out for place in (0, 3)] == [at == AFTER] * 2
    bundles = [sender.members(EPISODE, "--known-at", spelled) for spelled in SPELLED[at]]
    assert bundles[1:] == bundles[:1] * 2
    assert rows(bundles[0]["verdicts/1.jsonl"])[-1]["status"] == ("hold" if at == AFTER else "billable")


@pytest.mark.parametrize("offset", OFFSETS, ids=str)
def test_the_clock_is_shown_in_utc_whatever_offset_it_comes_in(offset: timezone) -> None:
    row = clock_row(AFTER.astimezone(offset), BEFORE.astimezone(offset))
    assert (row.state, row.says) == ("ok", "2026-08-20T05:30:00Z")
    assert "newest entry (2026-08-20T05:30:00Z)" in clock_row(BEFORE, AFTER.astimezone(offset)).says


@pytest.mark.parametrize("offset", OFFSETS, ids=str)
def test_a_certificate_bears_the_time_in_utc_whatever_offset_it_comes_in(sender: Sender, offset: timezone) -> None:
    house, wanted = sender.house, Wanted(check=True)
    made = rebuild(named(house.ledger), Places(house.views), load_book(house.book), wanted, AFTER.astimezone(offset))
    assert made.made_at.startswith("2026-08-20T05:30:00.")
