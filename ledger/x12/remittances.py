"""835: what a payer paid, claim by claim, however long the file is; no name, birth date or member's number is kept.

An answer is given as soon as it has been read, its check after all of them: what was kept from the check or added to it
stands at its end.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from ledger.facts.administration import PaymentAdjustment
from ledger.facts.billing import Adjustment, PaidLine, RemittancePosted
from ledger.x12.elements import cents_at, code_at, date_at, name_at
from ledger.x12.segments import Segment, Unreadable
from ledger.x12.service_lines import MOST_TRIPLES, adjustments_in, line_fields

Repeatable = tuple[str, str, str]
"""A check, a claim and a status: what may stand in a check more than once."""


class Check(msgspec.Struct):
    """A payer's check or transfer: its number, whom it is from and what they are called, and what it is worth."""

    payment: str = ""
    originator: str = ""
    name: str = ""
    ids: tuple[str, ...] = ()
    sender: str = ""
    paid_on: date | None = None
    cents: int = 0
    claims: int = 0
    posted_cents: int = 0
    adjustments: tuple[PaymentAdjustment, ...] = ()

    @property
    def is_balanced(self) -> bool:
        """Whether what was posted, less what was kept from it, is what it is worth."""
        return self.posted_cents - sum(each.cents for each in self.adjustments) == self.cents


class Answer(NamedTuple):
    """What a check says of one claim: the fact, whose payer nobody has looked up yet; the claim's frequency; and the
    how manieth of its claim and status it is in the check."""

    fact: RemittancePosted
    frequency: str
    occurrence: int
    check: Check


def read_remittances(
    segments: Iterable[Segment], repeated: Container[Repeatable] | None = None
) -> Iterator[Answer | Check]:
    """Every answer of a file, and after those of a check the check.

    Only what is ``repeated`` is counted, so that memory does not grow with a file; without it, everything.
    """
    sender, counted = "", dict[Repeatable, int]()
    reader: _Reader | None = None
    for segment in segments:
        id = segment.id
        if id == "ISA":
            sender = segment.at(6)
        elif id == "ST":
            if segment.at(1) != "835":
                raise Unreadable("expected a remittance (ST01 835)", segment.number)
            reader, counted = _Reader(sender), {}  # the same check once more is not another one
        elif id == "SE":
            assert reader is not None
            yield from _counted(reader.finished(), repeated, counted)
            yield reader.check_at(segment)
            reader = None
        elif reader is not None:
            yield from _counted(reader.take(segment), repeated, counted)
        elif id == "GS" and segment.at(1) != "HP":
            raise Unreadable("expected a remittance (GS01 HP)", segment.number)


def _counted(
    answers: Iterable[Answer], repeated: Container[Repeatable] | None, counted: dict[Repeatable, int]
) -> Iterator[Answer]:
    for answer in answers:
        key = repeatable(answer)
        if repeated is None or key in repeated:
            counted[key] = counted.get(key, 0) + 1
            yield answer._replace(occurrence=counted[key])
        else:
            yield answer


def repeatable(answer: Answer) -> Repeatable:
    """By what an answer is counted in its check."""
    return f"{answer.check.originator} {answer.fact.payment}", answer.fact.claim, answer.fact.status


class _Line(NamedTuple):
    """A line that is being read."""

    fields: dict[str, object]
    adjustments: list[Adjustment]
    remarks: list[str]


_LINE_DATES: Final = {"150": ("from_",), "151": ("to",), "472": ("from_", "to")}
_CLAIM_DATES: Final = {"232": 0, "233": 1}


class _Reader:
    """One transaction, segment by segment."""

    def __init__(self, sender: str) -> None:
        self.check = Check(sender=sender)
        self._claim: dict[str, object] | None = None
        self._adjustments: list[Adjustment] = []
        self._remarks: list[str] = []
        self._lines: list[PaidLine] = []
        self._line: _Line | None = None
        self._dates: list[date | None] = [None, None]
        self._frequency = ""
        self._in_payer = False

    def take(self, segment: Segment) -> Iterator[Answer]:
        """Go on by one segment; gives the claim before, if it is complete now."""
        id = segment.id
        if id == "CLP":
            yield from self.finished()
            self._begin(segment)
        elif id == "PLB":
            yield from self.finished()
            self._adjust(segment)
        elif self._claim is not None:
            self._go_on(segment, id)
        else:
            self._head(segment, id)

    def _head(self, segment: Segment, id: str) -> None:
        check = self.check
        if id == "BPR":
            check.cents = cents_at(segment, 2)
            check.paid_on = date_at(segment, 16) if segment.at(16) else None
            if segment.at(3) == "D":
                check.cents = -check.cents
        elif id == "TRN":
            check.payment, check.originator = name_at(segment, 2), segment.at(3)
        elif id == "DTM" and segment.at(1) == "405" and check.paid_on is None:
            check.paid_on = date_at(segment, 2)
        elif id == "N1":
            self._in_payer = segment.at(1) == "PR"
            if self._in_payer:
                check.name = segment.at(2)
                check.ids += (segment.at(4),) if segment.at(4) else ()
        elif id == "REF" and self._in_payer and segment.at(2):
            check.ids += (segment.at(2),)

    def _begin(self, segment: Segment) -> None:
        check = self.check
        if not check.payment or check.paid_on is None:
            raise Unreadable("a claim stands before the number and date of its check", segment.number)
        self._claim = {
            "claim": name_at(segment, 1), "payer": "", "payment": check.payment, "paid_on": check.paid_on,
            "status": code_at(segment, 2), "charge_cents": cents_at(segment, 3), "paid_cents": cents_at(segment, 4),
            "patient_cents": cents_at(segment, 5) if segment.at(5) else UNSET,
            "payer_control": name_at(segment, 7) if segment.at(7) else UNSET,
        }  # fmt: skip
        self._frequency = segment.at(9)

    def _go_on(self, segment: Segment, id: str) -> None:
        if id == "SVC":
            self._finish_line()
            self._line = _Line(line_fields(segment), [], [])
        elif id == "CAS":
            (self._line.adjustments if self._line else self._adjustments).extend(adjustments_in(segment))
        elif id == "DTM":
            self._dated(segment)
        elif self._line is not None:
            if id == "REF" and segment.at(1) == "6R":
                self._line.fields["line"] = name_at(segment, 2)
            elif id == "AMT" and segment.at(1) == "B6":
                self._line.fields["allowed_cents"] = cents_at(segment, 2)
            elif id == "LQ" and segment.at(1) == "HE":
                self._line.remarks.append(code_at(segment, 2))
        elif id in ("MOA", "MIA"):
            places = range(3, 8) if id == "MOA" else (5, 20, 21, 22, 23)
            self._remarks += [code_at(segment, place) for place in places if segment.at(place)]

    def _dated(self, segment: Segment) -> None:
        which = segment.at(1)
        if self._line is not None:
            for name in _LINE_DATES.get(which, ()):
                self._line.fields[name] = date_at(segment, 2)
        elif which in _CLAIM_DATES:
            self._dates[_CLAIM_DATES[which]] = date_at(segment, 2)

    def _finish_line(self) -> None:
        if self._line is None:
            return
        fields, first = self._line.fields, self._dates[0]
        if "from_" not in fields and "to" in fields:
            fields["from_"] = fields["to"]
        if "from_" not in fields and first is not None:
            fields["from_"], fields["to"] = first, self._dates[1] or first
        fields.setdefault("to", fields.get("from_", UNSET))
        adjustments, remarks = tuple(self._line.adjustments), tuple(self._line.remarks)
        self._lines.append(PaidLine(**fields, adjustments=adjustments, remarks=remarks))  # type: ignore[arg-type]
        self._line = None

    def finished(self) -> Iterator[Answer]:
        """The claim that was read last, if one is open."""
        self._finish_line()
        if self._claim is not None:
            fact = RemittancePosted(
                **self._claim, adjustments=tuple(self._adjustments), remarks=tuple(self._remarks),  # type: ignore[arg-type]
                lines=tuple(self._lines),
            )  # fmt: skip
            self.check.claims += 1
            self.check.posted_cents += fact.paid_cents
            yield Answer(fact, self._frequency, 1, self.check)
        self._claim, self._frequency = None, ""
        self._adjustments, self._remarks, self._lines, self._dates = [], [], [], [None, None]

    def _adjust(self, segment: Segment) -> None:
        found = []
        for place in range(3, 3 + 2 * MOST_TRIPLES, 2):
            if segment.at(place):
                reason, reference = (*segment.parts(place), "")[:2]
                found.append(PaymentAdjustment(reason, cents_at(segment, place + 1), reference))
        self.check.adjustments += tuple(found)

    def check_at(self, segment: Segment) -> Check:
        """The check, whose transaction ends here."""
        if not self.check.payment or self.check.paid_on is None:
            raise Unreadable("its check has no number (TRN02) or no date (BPR16)", segment.number)
        return self.check
