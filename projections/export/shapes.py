"""What is exported: the datasets, their columns declared once for every format and for docs/reference/feed.md.

Columns are only ever added, at the end: ``SCHEMA_VERSION`` counts the rest.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

from msgspec import Struct, field

from projections.answers.exported_shapes import (
    ExportedAdjustment,
    ExportedClaim,
    ExportedPayment,
    ExportedRemittance,
    ExportedRemittanceLine,
)
from projections.export.change_shapes import ChangePlace, changes_of, day_change_columns
from projections.export.columns import Dataset, dataset_of
from projections.rows.columns import CalendarDate, Word, columns_of, note
from projections.rows.day import DAY_ORDER, DayRow
from projections.rows.finding import FINDING_ORDER, FindingRow
from projections.rows.line import LINE_ORDER, LineRow

SCHEMA_VERSION: Final = "1"

_PATIENT: Final = note("the patient's name in the ledger", "pseudonym")
_EPISODE: Final = note("the episode", "pseudonym")


class ExportedProvider(Struct, frozen=True):
    """A provider of the book: what `provider` of days, lines and episodes stands for."""

    provider: Annotated[Word, note("the NPI", "kept")]
    name: Annotated[str, note("the name people read", "kept")]
    branch: Annotated[Word | None, note("the branch of the house that it is; null where the book names none", "kept")]


class NamedFinding(Struct, frozen=True):
    """What a finding is called."""

    finding: Annotated[
        str, note("names the finding: the same as long as everything that tells it from others is the same", "left out")
    ]


class ExportedEpisode(Struct, frozen=True):
    """One episode: whose it is, who provides it, where, and who pays."""

    episode: Annotated[str, _EPISODE]
    patient: Annotated[str, _PATIENT]
    provider: Annotated[Word, note("the NPI it goes under, the last one where that changed", "kept")]
    branch: Annotated[
        Word | None, note("the branch of that provider in the book; null where it names none", "left out")
    ]
    zone: Annotated[Word, note("the time zone its days are counted in", "left out")]
    opened: Annotated[datetime, note("when its opening was recorded", "left out")]
    discharged: Annotated[CalendarDate | None, note("its last date, where it was discharged; else null", "shifted")]
    voided: Annotated[bool, note("whether it was voided: then it has no days", "kept")]
    payers: Annotated[tuple[str, ...], note("the payer of each spell of coverage, by rank and first date", "kept")]


class ExportedClaimedDay(Struct, frozen=True):
    """One service date as claimed, as known when claimed and as known now; or a billable day that is on no claim."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[CalendarDate, note("the service date, local where the patient lives", "shifted")]
    kind: Annotated[
        Word,
        note(
            "`overclaimed`, `changed`, `unbilled`, `as_claimed` or `overpaid`: see `episode-ledger help claimed-days`",
            "kept",
        ),
    ]
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
    exposure: Annotated[
        Decimal, note("dollars to give back; as long as there is no answer, dollars claimed that do not stand", "kept")
    ]
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
    paid: Annotated[Decimal | None, note("dollars paid for it; null as long as there is no answer", "kept")]
    nth: Annotated[
        int, note("1 for the first row of its date, 2 for the second, in the order the claims were recorded", "kept")
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
    ordered_to: Annotated[
        CalendarDate | None,
        note("the last date of an order of the episode, 2099-12-31 if it is open; null without one", "left out"),
    ]


class ExportedRate(Struct, frozen=True):
    """What an edition of a payer's terms pays for a day."""

    payer: Annotated[Word, note("the payer", "kept")]
    terms_from: Annotated[CalendarDate, note("the first service date of the terms' edition", "kept")]
    terms_published: Annotated[CalendarDate, note("when that edition was published", "kept")]
    code: Annotated[
        Word | None, note("the per-diem code; null: any day, where S9325 is paid for every mode of therapy", "kept")
    ]
    rate: Annotated[Decimal, note("dollars for a day", "kept")]
    provider: Annotated[Word | None, note("the NPI whose agreement pays it; null: any, by the terms", "kept")]
    from_: Annotated[
        CalendarDate | None, note("the first date on which that agreement pays it; null without one", "kept")
    ] = field(name="from")
    to: Annotated[CalendarDate | None, note("the last date, likewise; null: open", "kept")]


ANSWER: Final = ("patient", "episode", "answer")
"""What names a payer's answer."""


def _declared(name: str, struct: type[Struct], dated_by: str | None, *order: str, is_key: bool = True) -> Dataset:
    return dataset_of(name, struct.__doc__, columns_of(struct), dated_by, *order, is_key=is_key)


_LINES: Final = _declared("lines", LineRow, "from", *LINE_ORDER)
_FINDINGS: Final = dataset_of(
    "findings",
    FindingRow.__doc__,
    [*columns_of(FindingRow), *columns_of(NamedFinding)],
    "dates",
    *(name for name in FINDING_ORDER if name != "first_date"),
    key="finding",
)
_CLAIMED: Final = _declared("claimed", ExportedClaimedDay, "date", *DAY_ORDER, "nth")
_PAYMENTS: Final = _declared("payments", ExportedPayment, "date", "patient", "episode", "claim", "date", "code")
DATASETS: Final = {
    dataset.name: dataset
    for dataset in (
        _declared("days", DayRow, "date", *DAY_ORDER),
        _LINES,
        _FINDINGS,
        dataset_of("changes", ChangePlace.__doc__, day_change_columns(), "date", *DAY_ORDER),
        changes_of(_LINES, "line_changes"),
        changes_of(_FINDINGS, "finding_changes"),
        changes_of(_CLAIMED, "claimed_changes"),
        changes_of(_PAYMENTS, "payment_changes"),
        _CLAIMED,
        _declared("episodes", ExportedEpisode, None, "patient", "episode"),
        _declared("authorizations", ExportedAuthorization, "last_day", "patient", "episode", "number", "from"),
        _declared("claims", ExportedClaim, "from", "patient", "episode", "claim"),
        _PAYMENTS,
        _declared("remittances", ExportedRemittance, "paid_on", *ANSWER),
        _declared("remittance_lines", ExportedRemittanceLine, "paid_on", *ANSWER, "number"),
        _declared("remittance_adjustments", ExportedAdjustment, "paid_on", *ANSWER, "number"),
        _declared("providers", ExportedProvider, None, "provider"),
        _declared(
            "rates",
            ExportedRate,
            None,
            "payer",
            "terms_from",
            "terms_published",
            "code",
            "provider",
            "from",
            is_key=False,
        ),
    )
}
"""The datasets by name, in the order they are documented."""
CHANGES_OF: Final = {
    "changes": "days",
    "line_changes": "lines",
    "finding_changes": "findings",
    "claimed_changes": "claimed",
    "payment_changes": "payments",
}
"""The datasets of changes, each with the one whose rows it brings up to date."""
