"""The sections of the report: their titles and columns, and what is said where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from projections.report.holds import Hold
from projections.words import amount

Cell = Callable[[Any], str]


class TextColumn(NamedTuple):
    """A column of a section's table; numbers stand on the right. ``cents`` is what money it holds."""

    name: str
    cell: Cell
    is_number: bool = False
    cents: str | None = None


class Section(NamedTuple):
    """A section's title, its columns, what is said instead of no rows, and the columns that name a row."""

    title: str
    columns: tuple[TextColumn, ...]
    nothing: str
    names: tuple[str, ...]


def _text(name: str, field: str | None = None) -> TextColumn:
    return TextColumn(name, lambda row: str(getattr(row, field or name)))


def _maybe(name: str, field: str | None = None) -> TextColumn:
    return TextColumn(name, lambda row: getattr(row, field or name) or "–")


def _count(name: str, field: str | None = None) -> TextColumn:
    return TextColumn(name, lambda row: f"{getattr(row, field or name):,}", True)


def _dollars(row: Any) -> str:
    if row.cents is None:
        return "unknown"
    known_in_part = isinstance(row, Hold) and row.priced_days < row.days
    return f"{'≥ ' if known_in_part else ''}{amount(row.cents)}"


_MONEY: Final = TextColumn("dollars", _dollars, True, "cents")


_UNDUE: Final = (
    _text("payer"), _text("kind"), _count("days"), _count("claims"), _MONEY, _maybe("first by", "first_repay_by"),
)  # fmt: skip
"""The columns of money that is not due, claimed or paid."""


def _money(name: str, field: str) -> TextColumn:
    return TextColumn(name, lambda row: amount(getattr(row, field)), True, field)


LEFT: Final = {
    "lost": "too late",
    "<=14": "up to 14 days left",
    "<=30": "15 to 30 days left",
    "<=60": "31 to 60 days left",
    "more": "more than 60 days left",
}
"""The bands of unbilled days in words."""

SECTIONS: Final[dict[str, Section]] = {
    "billed": Section(
        "Billable days and dollars by payer and month",
        (_text("month"), _text("payer"), _count("days", "billable_days"), _count("episodes"), _MONEY),
        "No day is billable.",
        ("month", "payer"),
    ),
    "holds": Section(
        "On hold, and what to do",
        (_text("reason"), _maybe("payer"), _count("days"), _count("episodes"), _MONEY, _text("oldest", "first_date"),
         _text("cure")),
        "No day is on hold.",
        ("reason", "payer"),
    ),
    "unbilled": Section(
        "Billable, and on no claim yet",
        (_text("payer"), TextColumn("to file", lambda row: LEFT[row.left]), _count("days"), _count("episodes"), _MONEY,
         _text("first by", "first_file_by")),
        "Every billable day is on a claim.",
        ("payer", "to file"),
    ),
    "exposure": Section(
        "Claimed and not answered, and not billable as claimed",
        _UNDUE,
        "No claim without an answer asks for what is not due.",
        ("payer", "kind"),
    ),
    "give_back": Section(
        "Paid, and not due: money to give back",
        _UNDUE,
        "Nothing to give back.",
        ("payer", "kind"),
    ),
    "paid": Section(
        "Predicted against paid, by payer and month of service",
        (_text("month"), _text("payer"), _count("days"), _money("predicted", "predicted_cents"),
         _money("open", "open_cents"), _money("paid", "paid_cents"), _money("patient", "patient_cents"),
         _money("missing", "missing_cents"), _money("give back", "give_back_cents"),
         _money("other", "other_cents")),
        "Nothing was claimed.",
        ("month", "payer"),
    ),
    "unanswered": Section(
        "Claims without an answer",
        (_text("claim"), _text("episode"), _text("payer"), _text("sent", "sent_on"), _count("days waiting", "waits"),
         _count("days"), _money("claimed", "cents"), _money("predicted", "predicted_cents")),
        "Every claim that left long enough ago is answered.",
        ("claim", "episode"),
    ),
    "denials": Section(
        "Denied or paid too little, by reason, and what to do",
        (_text("payer"), _text("status"), _maybe("reasons"), _count("days"), _count("claims"), _MONEY, _text("cure")),
        "Nothing is missing of what was answered.",
        ("payer", "status", "reasons"),
    ),
    "unmatched": Section(
        "Paid for no claim that is known: to be assigned",
        (_text("payer"), _count("answers"), _MONEY, _text("oldest", "first_paid_on")),
        "Every answer is for a claim of ours.",
        ("payer",),
    ),
    "authorizations": Section(
        "Authorizations running out while therapy goes on",
        (_text("number"), _text("episode"), _text("payer"), TextColumn("codes", lambda row: ", ".join(row.codes)),
         _count("units"), _count("drawn"), _count("left"), _text("ends", "to"), _text("lasts to", "lasts_to")),
        "No authorization runs out.",
        ("number", "episode"),
    ),
    "conflicts": Section(
        "Conflicts to decide",
        (_text("rule"), _count("days"), _count("episodes"), _text("oldest", "first_date")),
        "No day is in conflict.",
        ("rule",),
    ),
    "findings": Section(
        "Hard findings: each stops a claim",
        (_text("rule"), _count("findings"), _count("patients"), _text("oldest", "first_date"), _text("to do", "todo")),
        "No finding is hard.",
        ("rule",),
    ),
    "expected": Section(
        "Expected, and not there",
        (_text("due"), _text("patient"), _text("episode"), _maybe("payer"), _text("of", "what"), _maybe("since"),
         _text("to do", "says")),
        "Nothing is missing.",
        ("due", "episode"),
    ),
}  # fmt: skip
"""The sections in the order of the report."""
