"""What is exported: one struct a dataset, the one declaration of its columns for every format and for docs/feed.md.

Columns are only ever added, at the end: ``SCHEMA_VERSION`` counts the rest.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Struct, field

from ledger.judge.steps import PAYER_EXCLUDES_S_CODES, SEVERAL_CODES
from projections.export.columns import CalendarDate, Word, dataset_of, note

SCHEMA_VERSION: Final = "1"

_PATIENT: Final = note("the patient's name in the ledger", "pseudonym")
_EPISODE: Final = note("the episode", "pseudonym")
_STATUS: Final = note("`billable`, `not_billable`, `hold` or `conflict`", "kept")
_REASON: Final = note("the verdict's second word; null when billable", "kept")
_CODE: Final = note(f"the per-diem code of the day; null before step {SEVERAL_CODES.number} is passed", "kept")
_PAYER: Final = note(f"the payer of the day; null before step {PAYER_EXCLUDES_S_CODES.number} is passed", "kept")
_RATE: Final = note("dollars for the day; null unless billable", "kept")
_AUTHORIZATION: Final = note("the authorization that the day draws a unit from", "left out")
_TERMS_FROM: Final = note("the first service date of the terms' edition", "left out")
_TERMS_PUBLISHED: Final = note("when that edition was published", "left out")
_BECAUSE: Final = note("the entries that decided, as `source:id`, the decisive one first", "left out")


class ExportedDay(Struct, frozen=True):
    """One service date of one episode with its verdict."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[CalendarDate, note("the service date, local where the patient lives", "shifted")]
    status: Annotated[Word, _STATUS]
    reason: Annotated[Word | None, _REASON]
    code: Annotated[Word | None, _CODE]
    payer: Annotated[Word | None, _PAYER]
    terms_from: Annotated[CalendarDate | None, _TERMS_FROM]
    terms_published: Annotated[CalendarDate | None, _TERMS_PUBLISHED]
    rate: Annotated[Decimal | None, _RATE]
    authorization: Annotated[str | None, _AUTHORIZATION]
    because: Annotated[tuple[str, ...], _BECAUSE]


class ExportedLine(Struct, frozen=True):
    """One claim line to bill: consecutive billable days of one payer, code, rate, authorization and edition."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    payer: Annotated[Word, note("the payer to bill", "kept")]
    code: Annotated[Word, note("the per-diem code", "kept")]
    from_: Annotated[CalendarDate, note("the first service date", "shifted")] = field(name="from")
    to: Annotated[CalendarDate, note("the last service date, included", "shifted")]
    units: Annotated[int, note("days, which are units", "kept")]
    rate: Annotated[Decimal, note("dollars for a day", "kept")]
    charge: Annotated[Decimal, note("dollars for the line: `units` times `rate`", "kept")]
    authorization: Annotated[str | None, _AUTHORIZATION]
    terms_from: Annotated[CalendarDate, _TERMS_FROM]
    modifiers: Annotated[tuple[str, ...], note("the modifiers; none in this edition", "left out")]


class ExportedFinding(Struct, frozen=True):
    """One contradiction or mistake worth a human's time."""

    rule: Annotated[Word, note("the rule that was broken", "kept")]
    level: Annotated[Word, note("`hard` stops a claim, `soft` warns", "kept")]
    patient: Annotated[str, _PATIENT]
    episodes: Annotated[tuple[str, ...], note("the episodes concerned", "pseudonym")]
    dates: Annotated[tuple[CalendarDate, ...], note("the service dates concerned", "shifted")]
    codes: Annotated[tuple[str, ...], note("the codes concerned", "kept")]
    because: Annotated[tuple[str, ...], _BECAUSE]
    message: Annotated[str, note("what is wrong and what to do, in a sentence", "left out")]


class ExportedChange(Struct, frozen=True):
    """One day that is not what it was: take the row with the old values away, put the one with the new values in."""

    position: Annotated[int, note("where these changes lead: the consumer's next `--since`", "kept")]
    book: Annotated[str, note("SHA-256 of the book in force there", "kept")]
    kind: Annotated[
        Word,
        note("`insert` (no such day before), `restate` (another row now), `retract` (no such day now)", "kept"),
    ]
    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[CalendarDate, note("the service date; with patient and episode the key of the day", "shifted")]
    old_status: Annotated[Word | None, _STATUS]
    old_reason: Annotated[Word | None, _REASON]
    old_code: Annotated[Word | None, _CODE]
    old_payer: Annotated[Word | None, _PAYER]
    old_terms_from: Annotated[CalendarDate | None, _TERMS_FROM]
    old_terms_published: Annotated[CalendarDate | None, _TERMS_PUBLISHED]
    old_rate: Annotated[Decimal | None, _RATE]
    old_authorization: Annotated[str | None, _AUTHORIZATION]
    old_because: Annotated[tuple[str, ...] | None, _BECAUSE]
    new_status: Annotated[Word | None, _STATUS]
    new_reason: Annotated[Word | None, _REASON]
    new_code: Annotated[Word | None, _CODE]
    new_payer: Annotated[Word | None, _PAYER]
    new_terms_from: Annotated[CalendarDate | None, _TERMS_FROM]
    new_terms_published: Annotated[CalendarDate | None, _TERMS_PUBLISHED]
    new_rate: Annotated[Decimal | None, _RATE]
    new_authorization: Annotated[str | None, _AUTHORIZATION]
    new_because: Annotated[tuple[str, ...] | None, _BECAUSE]
    cause: Annotated[
        tuple[str, ...],
        note("what changed the day since then, the last first: entries as `source:id`, or `book`", "left out"),
    ]
    cause_position: Annotated[
        int | None,
        note("the position of the first cause; null where the patient was unknown before", "left out"),
    ]


class ExportedClaimedDay(Struct, frozen=True):
    """One service date as claimed, as known when claimed and as known now; or a billable day that is on no claim."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[CalendarDate, note("the service date, local where the patient lives", "shifted")]
    kind: Annotated[Word, note("`overclaimed`, `changed`, `unbilled` or `as_claimed`: see docs/diff.md", "kept")]
    claim: Annotated[str | None, note("the claim; null when unbilled", "left out")]
    payer: Annotated[Word, note("the payer it was claimed from; when unbilled, the payer of the day", "kept")]
    claimed_code: Annotated[Word | None, note("the code claimed; null when unbilled", "kept")]
    claimed_charge: Annotated[Decimal, note("the day's share of the line's charge in dollars; 0 when unbilled", "kept")]
    known_when_claimed: Annotated[
        Word | None, note("the verdict and its reason or code as known when claimed; null without such a day", "kept")
    ]
    known_now: Annotated[Word | None, note("the verdict as known now; null if the episode has no such day", "kept")]
    now_payer: Annotated[Word | None, note("the payer of the day as known now", "kept")]
    now_code: Annotated[Word | None, note("the per-diem code of the day as known now", "kept")]
    now_rate: Annotated[Decimal, note("dollars for the day as known now; 0 unless billable", "kept")]
    exposure: Annotated[Decimal, note("dollars to give back", "kept")]
    revealed_by: Annotated[
        tuple[str, ...],
        note("the entries that showed that the day does not stand; none where new terms did", "left out"),
    ]
    revealed_at: Annotated[
        datetime | None, note("when that was; null for a day that stands or is unbilled", "left out")
    ]
    repay_by: Annotated[
        CalendarDate | None, note("when the money must be back with a payer of kind `medicaid`; else null", "left out")
    ]
    file_by: Annotated[
        CalendarDate | None, note("the last date to file a day whose payer has no claim yet; else null", "shifted")
    ]


class ExportedAuthorization(Struct, frozen=True):
    """One live authorization of an episode that has days, with the units that its days drew."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    number: Annotated[str, note("the authorization's number", "left out")]
    payer: Annotated[Word, note("the payer who granted it", "kept")]
    codes: Annotated[tuple[str, ...], note("the codes it is for", "kept")]
    from_: Annotated[CalendarDate, note("the first date it covers", "left out")] = field(name="from")
    to: Annotated[CalendarDate, note("the last date it covers, included", "left out")]
    units: Annotated[int, note("units granted; one is a day", "kept")]
    drawn: Annotated[int, note("units drawn, also by days on hold for `no_rate`", "kept")]
    billable_days: Annotated[int, note("the billable days among them", "kept")]
    last_drawn: Annotated[CalendarDate | None, note("the last date that drew a unit; null if none did", "shifted")]
    last_day: Annotated[CalendarDate, note("the episode's last day so far, whatever its verdict", "shifted")]
    ended: Annotated[bool, note("whether a discharge or a death ended the episode", "kept")]


class ExportedRate(Struct, frozen=True):
    """What an edition of a payer's terms pays for a day."""

    payer: Annotated[Word, note("the payer", "kept")]
    terms_from: Annotated[CalendarDate, note("the first service date of the terms' edition", "kept")]
    terms_published: Annotated[CalendarDate, note("when that edition was published", "kept")]
    code: Annotated[
        Word | None, note("the per-diem code; null: any day, where S9325 is paid for every mode of therapy", "kept")
    ]
    rate: Annotated[Decimal, note("dollars for a day", "kept")]


DATASETS: Final = {
    dataset.name: dataset
    for dataset in (
        dataset_of("days", ExportedDay, "date", "patient", "episode", "date"),
        dataset_of("lines", ExportedLine, "from", "patient", "episode", "from"),
        dataset_of("findings", ExportedFinding, "dates", "patient", "rule", "dates", "episodes", "codes", "because"),
        dataset_of("changes", ExportedChange, "date", "patient", "episode", "date"),
        dataset_of("claimed", ExportedClaimedDay, "date", "patient", "episode", "date", is_key=False),
        dataset_of("authorizations", ExportedAuthorization, "last_day", "patient", "episode", "number"),
        dataset_of("rates", ExportedRate, None, "payer", "terms_from", "terms_published", "code", is_key=False),
    )
}
"""The datasets by name, in the order they are documented."""
