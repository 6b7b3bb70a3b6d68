"""Claims, claimed days and payers' answers as rows of the feed, patient by patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import UNSET

from ledger.book import Book
from ledger.facts.billing import Adjustment, PaidLine
from ledger.facts.entry import Entry
from ledger.judge.answers import Posting, answers_by_claim, in_order, postings_of, standing
from ledger.judge.case import Case
from ledger.judge.claims import date_of
from ledger.judge.episode import Episode
from ledger.judge.paid import is_unbalanced
from ledger.judge.patients import episodes_in
from ledger.judge.settled import settled_days
from projections.answers.claim_list import ClaimRow, rows_of
from projections.answers.exported_shapes import (
    ExportedAdjustment,
    ExportedClaim,
    ExportedPayment,
    ExportedRemittance,
    ExportedRemittanceLine,
)
from projections.answers.payments import is_shown
from projections.answers.payments import rows_of as rows_of_case
from projections.reading.as_known import judged_among
from projections.rows.cells import Cells, json_list
from projections.rows.columns import named_cells
from projections.words import iso

_Claim: Final = named_cells(ExportedClaim)
_Payment: Final = named_cells(ExportedPayment)
_Remittance: Final = named_cells(ExportedRemittance)
_Line: Final = named_cells(ExportedRemittanceLine)
_Adjustment: Final = named_cells(ExportedAdjustment)

NO_LINE: Final = "none"
"""The code of money for a claim of which the ledger knows no line."""


def exported_rows(
    dataset: str, streams: Mapping[str, Sequence[Entry]], patient: str, book: Book, at: datetime | None
) -> Iterator[Cells]:
    """The rows of one patient as known at an instant: of ``claims``, ``payments``, ``remittances`` or what is in them.

    ``streams`` are the entries of all the patient's episodes.
    """
    episodes = [each for _, each in sorted(episodes_in(streams, at).items()) if each.patient == patient]
    claimed = [each for each in episodes if each.claims or each.postings]
    if not claimed:
        return
    if dataset == "payments":
        yield from _payments(streams, patient, book, at)
        return
    for episode in claimed:
        if dataset == "claims":
            yield from _claims(episode)
        else:
            for posting, stands in _answers(episode):
                yield from _of_answer(dataset, episode, posting, stands)


def _claims(episode: Episode) -> Iterator[Cells]:
    answered: dict[str, date] = {}
    for posting, stands in _answers(episode):
        if stands:
            answered[posting.claim] = posting.fact.paid_on
    for row in rows_of(episode):
        claim = episode.claims[row.claim]
        dates = [on for line in claim.fact.lines for on in (line.from_, line.to)]
        newest = answered.get(row.claim)
        yield _Claim(
            episode.patient, episode.name, *_without_episode(row), min(dates).isoformat(), max(dates).isoformat(),
            iso(date_of(claim, episode)), newest and newest.isoformat(),
        )  # fmt: skip


def _without_episode(row: ClaimRow) -> Iterator[Any]:
    return (getattr(row, name) for name in row.__struct_fields__ if name != "episode")


def _payments(streams: Mapping[str, Sequence[Entry]], patient: str, book: Book, at: datetime | None) -> Iterator[Cells]:
    judged = judged_among(streams, patient, book, at)
    for case in judged.cases if judged else ():
        yield from payment_cells(case)


def payment_cells(case: Case) -> Iterator[Cells]:
    """The rows of ``payments`` of one judged episode."""
    settled = [each for each in settled_days(case) if is_shown(each)]
    for each, row in zip(settled, rows_of_case(case.episode, settled), strict=True):
        yield _Payment(
            case.patient.name, row.episode, row.claim, row.date, row.code or NO_LINE, row.payer, row.expected_cents,
            row.paid_cents, row.patient_cents, row.status, row.allowed_cents, row.charge_cents,
            row.to_give_back_cents, int(row.live), int(each.day.is_answered), row.missing_cents,
            json_list(row.reasons), row.waiting_since,
        )  # fmt: skip


def _answers(episode: Episode) -> Iterator[tuple[Posting, bool]]:
    """An episode's answers by the date they were paid on, and whether each stands."""
    postings = in_order(postings_of(episode))
    stand = {each.entry.label for alike in answers_by_claim(episode).values() for each in standing(alike)}
    return ((posting, posting.entry.label in stand) for posting in postings)


def _of_answer(dataset: str, episode: Episode, posting: Posting, stands: bool) -> Iterator[Cells]:
    key = (episode.patient, episode.name, posting.entry.label)
    fact, on = posting.fact, posting.fact.paid_on.isoformat()
    if dataset == "remittances":
        yield _Remittance(
            *key, posting.claim, fact.payer, fact.payment, on, fact.status, _or_none(fact.payer_control),
            fact.charge_cents, fact.paid_cents, _or_none(fact.patient_cents), json_list(fact.remarks), int(stands),
            int(not is_unbalanced(fact)),
        )  # fmt: skip
    elif dataset == "remittance_lines":
        for number, line in enumerate(fact.lines, 1):
            yield _line(key, number, on, line)
    else:
        adjustments: list[tuple[int | None, Adjustment]] = [(None, each) for each in fact.adjustments]
        adjustments += [(number, each) for number, line in enumerate(fact.lines, 1) for each in line.adjustments]
        for number, (of_line, each) in enumerate(adjustments, 1):
            yield _Adjustment(
                *key, number, on, of_line, each.group, each.code, each.cents, _decimal(each.units)
            )  # fmt: skip


def _line(key: Iterable[str], number: int, on: str, line: PaidLine) -> Cells:
    last = line.from_ if line.to is UNSET else line.to
    modifiers = () if line.modifiers is UNSET else line.modifiers
    cells: Cells = _Line(
        *key, number, on, line.code, _or_none(line.billed_code), json_list(modifiers), _date(line.from_), _date(last),
        _decimal(line.units), _decimal(line.billed_units), line.charge_cents, line.paid_cents,
        _or_none(line.allowed_cents), _or_none(line.line), json_list(line.remarks),
    )  # fmt: skip
    return cells


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value


def _date(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else None


def _decimal(value: Any) -> str | None:
    return format(value, "f") if isinstance(value, Decimal) else None
