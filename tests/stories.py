"""Stories of an episode told fact by fact, and days judged from them without a store."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from ledger.book import PER_DIEM_CODES, Book, load_book
from ledger.facts.entry import Entry
from ledger.judge.patients import by_episode
from ledger.judge.rule import Step
from projections.audit.claimed import claimed_of
from projections.audit.claimed_rows import ClaimedDay
from projections.why.steps import StepShown
from projections.why.why import Why, why
from tests import kept
from tests.command_line import Ended, Told, lines_of, run
from tests.harness import judge_entries, typed
from tests.histories import NORTHSIDE, STRANGER


class Story:
    """Entries told one after another, an hour apart, from 2026-02-01 on; read against the packaged book."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.clock = datetime.fromisoformat("2026-02-01T09:00:00+00:00")

    def tell(self, id_: str, type_: str, episode: str = "EP-1", **fields: Any) -> Story:
        """One fact; ``from`` is written ``from_``."""
        fact = {"type": type_} | {name.rstrip("_"): value for name, value in fields.items()}
        self.told.append({"episode": episode, "source": "chart", "id": id_, "by": "rn-1", "fact": fact,
                          "recorded_at": self.clock.isoformat()})  # fmt: skip
        self.clock += timedelta(hours=1)
        return self

    def opened(self, episode: str = "EP-1", **changes: Any) -> Story:
        """An episode of 3 February 2026 with every gate of prairie-blue open, but for plan and service."""
        told = {"patient": "P-1", "provider": NORTHSIDE, "zone": "America/Chicago"} | changes
        self.tell("open", "EpisodeOpened", episode, **told)
        self.tell("cov", "CoverageVerified", episode, payer="prairie-blue", member="M-1", from_="2026-01-01")
        self.tell("rx", "TherapyOrdered", episode, order="RX", mode="continuous", from_="2026-02-01",
                  prescriber=STRANGER, signed_on="2026-02-01")  # fmt: skip
        self.tell("dx", "DiagnosisRecorded", episode, icd10="G89.3", from_="2026-01-01")
        return self.tell("pain", "PainAssessed", episode, date="2026-02-01", score=6)

    def planned(self, episode: str = "EP-1", signed_on: str = "2026-02-01") -> Story:
        """A plan of treatment for February."""
        return self.tell("plan", "PlanSigned", episode, plan="A", signed_on=signed_on, from_="2026-02-01",
                         to="2026-02-28")  # fmt: skip

    def served(self, day: str, episode: str = "EP-1") -> Story:
        """An infused day."""
        return self.tell(f"day-{day[-2:]}", "DayServed", episode, order="RX", date=day)

    def why(self, day: str, episode: str = "EP-1", known_at: str | None = None) -> Why:
        """Why a date has its verdict."""
        at = datetime.fromisoformat(known_at) if known_at else None
        answer = why(by_episode(typed(self.told)), episode, date.fromisoformat(day), load_book(), at)
        assert answer is not None
        return answer


def placed(entries: list[Entry]) -> list[tuple[int, Entry]]:
    """Entries with positions that have gaps, as a ledger's may."""
    return [(position * 3, entry) for position, entry in enumerate(entries, 1)]


def judged(entries: list[Entry], book: Book, known_at: datetime | None = None) -> Days:
    """Every day of every episode with its verdict, as ``days`` gives it."""
    rows = judge_entries(entries, book, known_at).days
    return {(row["episode"], row["date"]): f"{row['status']} {row['reason'] or row['code']}" for row in rows}


class Course(Story):
    """A course under one payer, every gate open, in a month; then claims, and what came to light after them."""

    def __init__(self, payer: str = "cascade-medicaid", month: str = "2026-03", units: int = 31) -> None:
        super().__init__()
        self.payer = payer
        self.clock = datetime.fromisoformat(f"{month}-01T09:00+00:00")
        self.tell("open", "EpisodeOpened", patient="P-1", provider=NORTHSIDE, zone="America/Chicago")
        self.tell("cov", "CoverageVerified", payer=payer, member="M-1", from_="2026-01-01")
        self.tell("rx", "TherapyOrdered", order="RX", mode="continuous", from_=f"{month}-01", prescriber=STRANGER,
                  signed_on=f"{month}-01")  # fmt: skip
        self.tell("dx", "DiagnosisRecorded", icd10="G89.3", from_="2026-01-01")
        self.tell("pain", "PainAssessed", date=f"{month}-01", score=6)
        self.tell("plan", "PlanSigned", plan="A", signed_on=f"{month}-01", from_=f"{month}-01", to="2026-12-31")
        if units:
            self.authorized(units)

    def authorized(self, units: int, id_: str = "auth") -> Course:
        self.tell(id_, "AuthorizationGranted", number=f"N-{id_}", payer=self.payer, units=units,
                  codes=sorted(PER_DIEM_CODES), from_="2026-01-01", to="2026-12-31")  # fmt: skip
        return self

    def days(self, *days: str) -> Course:
        for day in days:
            self.clock = max(self.clock, datetime.fromisoformat(f"{day}T20:00+00:00"))  # once it has come
            self.served(day)
        return self

    def at(self, moment: str) -> Course:
        self.clock = datetime.fromisoformat(moment)
        return self

    def claim(self, first: str, last: str, cents: int, claim: str = "C-1", **more: Any) -> Course:
        days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
        line = {"code": more.pop("code", "S9325"), "from": first, "to": last, "units": days, "charge_cents": cents}
        claimed = {"claim": claim, "payer": self.payer, "frequency": "1", "lines": [line], **more}
        self.tell(f"claim-{claim}", "ClaimSubmitted", **claimed)
        return self

    def rows(self, known_at: str | None = None, every: bool = False) -> list[ClaimedDay]:
        instant = datetime.fromisoformat(known_at) if known_at else None
        return claimed_of(by_episode(typed(self.told)), "P-1", load_book(), instant, every)


def march() -> Course:
    """Four Medicaid days of March, claimed in April with ten cents that no four days share evenly."""
    course = Course().days("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05").at("2026-04-02T15:00Z")
    return course.claim("2026-03-02", "2026-03-05", 28810)


def summer() -> Course:
    """Two days of July under prairie-blue, claimed before its terms from July were published on 20 August."""
    course = Course("prairie-blue", "2026-07").days("2026-07-02", "2026-07-03")
    return course.at("2026-08-03T15:00Z").claim("2026-07-02", "2026-07-03", 18000)


Days = dict[tuple[str, str], str]

FIELDS = (
    "patient episode date kind claim payer claimed_code claimed_cents known_when_claimed known_now now_payer now_code"
    " now_cents exposure_cents revealed_by revealed_at repay_by file_by paid_cents"
)


def stories() -> list[Told]:
    """Four patients: coverage lost after the claim, terms told late, an authorization granted late, all in order."""
    lost = march().at("2026-05-11T15:00Z")
    lost.tell("cov-end", "CoverageEnded", payer="cascade-medicaid", last_date="2026-03-03")
    late = Course(units=1).days("2026-03-02", "2026-03-03").at("2026-04-02T15:00Z")
    late.claim("2026-03-02", "2026-03-02", 7200).at("2026-05-04T15:00Z").authorized(5, "late")
    told: list[Told] = []
    for number, course in enumerate((lost, summer(), late, march()), 1):
        course.told[0]["fact"]["patient"] = f"P-{number}"
        told += [entry | {"episode": f"EP-{number}"} for entry in course.told]
    return told


def _record_stories(folder: Path) -> None:
    recorded = run("--ledger", folder / "ledger.db", "record", "--keep-recorded-at", "-", stdin=lines_of(stories()))
    assert recorded.status == 0


class StoriesTold:
    """A ledger of the stories, read against the packaged book."""

    def __init__(self, folder: Path) -> None:
        self.ledger = folder / "ledger.db"
        kept.copied(folder, "stories", _record_stories)

    def run(self, *args: object, **more: Any) -> Ended:
        return run("--ledger", self.ledger, *args, **more)


DAY = "2026-02-03"


def book_with(payer: str = "prairie-blue", **terms: Any) -> Book:
    """The packaged book, in which every edition of one payer's terms says this instead."""
    book = load_book()
    known = book.payers[payer]
    changed = msgspec.structs.replace(known, terms=tuple(msgspec.structs.replace(t, **terms) for t in known.terms))
    return Book(book.codes.values(), [*(book.payers | {payer: changed}).values()], book.providers.values())


def asked(story: Story, day: str = DAY, episode: str = "EP-1", book: Book | None = None) -> Why:
    """Why a date has its verdict, by a book of one's own."""
    answer = why(by_episode(typed(story.told)), episode, date.fromisoformat(day), book or load_book())
    assert answer is not None
    return answer


def shown(answer: Why, step: Step) -> StepShown:
    """What an answer says of a step."""
    return answer.steps[step.number - 1]


def story_of(*facts: dict[str, Any], **opening: Any) -> Story:
    """A billable 3 February 2026, and what more was told. ``was`` names an entry that says this instead or, where
    nothing else is given, was never told."""
    story = Story().opened(**opening).planned().served("2026-02-03").served("2026-02-04")
    for number, told in enumerate(facts):
        said = {name: value for name, value in told.items() if name != "was"}
        if "was" not in told:
            story.tell(f"more-{number}", said.pop("type"), **said)
        else:
            place = next(n for n, entry in enumerate(story.told) if entry["id"] == told["was"])
            story.told[place : place + 1] = [story.told[place] | {"fact": said}] if said else []
    return story


def fact(type_: str, **fields: Any) -> dict[str, Any]:
    """A fact as intake has it."""
    return {"type": type_} | {name.rstrip("_"): value for name, value in fields.items()}


COVERED = {"was": "cov", "type": "CoverageVerified", "member": "M", "from": "2026-01-01"}


ORDER = fact("TherapyOrdered", order="RX", mode="continuous", from_="2026-02-01", prescriber=STRANGER,
             signed_on="2026-02-01")  # fmt: skip


UNSIGNED = {name: value for name, value in ORDER.items() if name != "signed_on"}


UNITS = fact("AuthorizationGranted", number="N1", payer="cascade-medicaid", codes=["S9325"], units=1,
             from_="2026-02-01", to="2026-02-28")  # fmt: skip


ACCESS = COVERED | {"payer": "example-health"}
