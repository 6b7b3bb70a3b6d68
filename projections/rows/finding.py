"""The row of a finding, as ``findings`` prints it (contract section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, groupby
from operator import attrgetter
from string import Formatter
from typing import Annotated, Final, NamedTuple

import msgspec

from ledger.judge.findings import Finding
from projections.rows.cells import Cells, json_lists, shown
from projections.rows.columns import columns_of, named_cells, note
from projections.words import iso, listed, verdict_words


class FindingRow(msgspec.Struct, frozen=True, gc=False):
    """One contradiction or mistake worth a human's time."""

    rule: Annotated[str, note("the rule that was broken", "kept", "word")]
    level: Annotated[str, note("`hard` stops a claim, `soft` warns", "kept", "word")]
    patient: Annotated[str, note("the patient's name in the ledger", "pseudonym")]
    episodes: Annotated[tuple[str, ...], note("the episodes concerned", "pseudonym")]
    dates: Annotated[tuple[str, ...], note("the service dates concerned", "shifted", "dates")]
    codes: Annotated[tuple[str, ...], note("the codes concerned", "kept")]
    because: Annotated[
        tuple[str, ...], note("the entries that decided, as `source:id`, the decisive one first", "left out")
    ]
    message: Annotated[str, note("what is wrong and what to do, in a sentence", "left out")]


class KeptFinding(FindingRow, frozen=True, gc=False):
    """A finding as the read model keeps it: with what it is chosen and ordered by."""

    payers: Annotated[tuple[str, ...], note("the payers concerned, to choose by", "left out")]
    first_date: Annotated[str, note("the first of the dates, to order by", "left out", "date")]


FINDING_COLUMNS: Final = tuple(columns_of(FindingRow))
KEPT_FINDING_COLUMNS: Final = tuple(columns_of(KeptFinding))
FINDING_ORDER: Final = ("patient", "rule", "first_date", "dates", "episodes", "codes", "because")
FindingCells: Final = named_cells(KeptFinding)
"""A finding as the read model keeps it, its places named as the columns are."""


class Message(NamedTuple):
    """What a finding says: what is wrong, and what to do."""

    wrong: str
    todo: str


MESSAGES: Final[dict[str, Message]] = {
    "pain_code_exclusion": Message("{codes} on the same day.", "Decide which one to bill."),
    "duplicate_per_diem": Message(
        "{codes} is billed twice on this day.", "Choose the one to keep, and decide to bill nothing in the other."
    ),
    "specific_pair": Message("{codes} on the same day.", "Decide which one to bill."),
    "catheter_care_with_per_diem": Message(
        "{codes} on the same day: catheter care is not billed with a per diem.", "Void one of them."
    ),
    "pharmacy_hours_with_per_diem": Message(
        "{codes} on the same day: pharmacy hours are not billed with a per diem.", "Void one of them."
    ),
    "bundled_item_billed": Message("{codes} on the same day: the per diem includes the item.", "Void the item."),
    "served_after_death": Message(
        "An infusion is recorded after the patient's death.", "Correct the date of the death or of the infusion."
    ),
    "served_after_discharge": Message(
        "An infusion is recorded after the discharge.", "Correct the date of the discharge or of the infusion."
    ),
    "served_while_inpatient": Message(
        "An infusion at home is recorded during a hospital stay.", "Correct the stay or the infusion."
    ),
    "mixed_pain_codes": Message("One episode bills {codes} under the same terms.", "Check the modes of its orders."),
    "claimed_not_billable": Message(
        "Claim {claim} billed {codes}, but the day is {now}.", "Send a replacement (7) or a void (8)."
    ),
    "billable_not_claimed": Message("{codes} is billable and on no claim.", "Claim the day."),
    "claimed_before_signature": Message(
        "Claim {claim} left before the plan of treatment or the order for the day was signed.",
        "Have it signed and send a replacement (7).",
    ),
    "claimed_ahead": Message(
        "Claim {claim} left before the day had come.", "Send a replacement (7) once the day has been served."
    ),
    "claimed_twice": Message("The day is claimed more than once ({claim}).", "Replace or void all but one."),
    "claim_units": Message(
        "Claim {claim} has {units} units of {codes} for the {count} days from {first} to {last}.",
        "Send a replacement (7).",
    ),
    "replaces_unknown": Message(
        "Claim {claim} replaces or voids a claim that this episode does not have.", "Correct the number it names."
    ),
    "number_reused": Message(
        "Claim number {claim} was given to claims of different dates, and only the last one counts.",
        "Give the earlier one its own number.",
    ),
    "unmatched": Message("A {what} belongs to no admission or hold.", "Record what is missing, or correct the number."),
    "stays_adjoin": Message(
        "Two hospital stays adjoin ({first}, {last}) and are read as two.",
        "Check the times of discharge and admission.",
    ),
    "stay_stretched": Message(
        "One visit number has discharges more than a day apart.", "If there was an admission between them, record it."
    ),
    "stay_open": Message(
        "A hospital stay without a discharge is read as one with a later stay.", "Record the discharge."
    ),
    "voided_with_facts": Message(
        "The episode is voided and holds records that would count for the patient.",
        "Record them in another episode.",
    ),
    "evidence_gap": Message(
        "No service is recorded between {first} and {last}, more than 180 days.", "Check for a mistyped year."
    ),
    "coverage_overlap": Message("{payers} cover these days with the same rank.", "Correct the rank of one of them."),
    "coverage_reinstated": Message(
        "Coverage by {payers} was verified after its end was recorded.", "Check that it really goes on."
    ),
    "runs_disagree": Message("Two sources log different runs of one order at the same time.", "Correct one of them."),
    "served_beyond_supply": Message(
        "An infusion is recorded, and no dispensed supply is left for it.", "Check the days' supply and the day served."
    ),
    "concurrent_unranked": Message(
        "{codes} on the same day, and no rank is recorded.", "Record which of the therapies is the first."
    ),
    "decision_without_effect": Message(
        "The decision to bill {codes} changes nothing on this date.", "Check its date and its code."
    ),
    "remittance_unbalanced": Message(
        "The answer to claim {claim} does not add up: charges less adjustments are not what was paid.",
        "Ask the payer for a corrected one.",
    ),
    "code_changed": Message(
        "Claim {claim} was answered under another code than was asked ({codes}).",
        "Compare it with the contract; appeal, or correct the code.",
    ),
    "paid_not_claimed": Message(
        "For claim {claim} {paid} was paid for a day that is not on it.", "Ask the payer which claim it is for."
    ),
    "claim_rejected": Message(
        "Claim {claim} was turned back and never reached the payer.", "Mend it and send a new claim."
    ),
    "underpaid": Message(
        "Claim {claim} was allowed {allowed} of {expected} for the day ({reasons}).",
        "Compare the contract, and appeal or correct the claim.",
    ),
    "overpaid": Message(
        "Claim {claim} was paid {paid} for the day, and {expected} is expected.", "Give back what is too much."
    ),
    "denied": Message("Claim {claim} was denied for the day ({reasons}).", "'claims plan' says what cures it."),
    "units_cut": Message(
        "Claim {claim} was paid for fewer units than it has days; this one is presumed to be cut ({reasons}).",
        "Find out which day the payer left out, and appeal or correct the claim.",
    ),
    "reversed": Message(
        "What was answered for claim {claim} was taken back, and nothing has come since.",
        "Await the payer's new answer, or ask for it.",
    ),
    "correction_window": Message(
        "Claim {claim} is not as it is known now, and its payer took corrections until {until}.",
        "'claims plan' says what is left to do.",
    ),
    "payment_unbalanced": Message(
        "Check {payment} of {payers} is worth {worth}, and what it pays for claims, less what was kept, is {answered}.",
        "Ask the payer for a corrected remittance.",
    ),
    "recouped": Message(
        "From check {payment} of {payers} {kept} was kept for earlier payments ({reference}); no answer shows it.",
        "Find out for which claim, and ask the payer to take its answer back.",
    ),
    "forwarded": Message(
        "Check {payment} of {payers} {carries}, and no other check settles it.",
        "Await the payer's next checks, or ask which one does.",
    ),
}

_NAMES_SOMETHING: Final = frozenset({"claim", "payment", "reference"})
"""What a message says that stands in the ledger as a number or name."""
_TWO_EPISODES: Final = "Two episodes bill {codes} on this day."


def message_of(found: Finding) -> str:
    """What a finding says, with its codes, payers and dates and what it is about."""
    return f"{_wrong(found, found.payers, found.about)} {MESSAGES[found.rule].todo}"


def summary_of(found: Finding) -> str:
    """What is wrong, without a name that stands in the ledger: to be said beside the output."""
    said = tuple((name, "…" if name in _NAMES_SOMETHING else value) for name, value in found.about)
    return _wrong(found, ("…",), said)


def _wrong(found: Finding, payers: tuple[str, ...], about: tuple[tuple[str, str], ...]) -> str:
    is_of_two = found.rule == "duplicate_per_diem" and len(found.episodes) > 1
    wrong = _TWO_EPISODES if is_of_two else MESSAGES[found.rule].wrong
    dates = found.dates if found.rule in _NAMING_DATES else ()
    return _filled(wrong, found.codes, payers, dates, about)


_NAMING_DATES: Final = frozenset(
    rule
    for rule, message in MESSAGES.items()
    if {"count", "first", "last"} & {name for _, name, _, _ in Formatter().parse(message.wrong)}
)
"""The rules whose messages say on how many dates, or on which."""


@lru_cache(maxsize=64)  # neighbouring dates say the same
def _filled(
    wrong: str,
    codes: tuple[str, ...],
    payers: tuple[str, ...],
    dates: tuple[int, ...],
    about: tuple[tuple[str, str], ...],
) -> str:
    words: dict[str, str] = {"codes": listed(codes or ["nothing"]), "payers": listed(payers or ["the payer"])}
    if dates:
        words |= {"count": str(len(dates)), "first": iso(dates[0]), "last": iso(dates[-1])}
    for name in {name for name, _ in about}:
        values = [value for other, value in about if other == name]
        words[name] = listed([_now(value, codes) for value in values] if name == "now" else values)
    return wrong.format_map(words)


def _now(verdict: str, claimed: Sequence[str]) -> str:
    """What a claimed day is now."""
    if not verdict:
        return "no day of the episode"
    if not verdict.startswith("billable "):
        return verdict_words(verdict)
    _, code, payer = verdict.split(" ", 2)
    return f"billable to {payer}" if code in claimed else f"billable as {code}"


def finding_cells(findings: Sequence[Finding]) -> list[Cells]:
    """The rows of one patient's findings as the read model keeps them: by rule, first date, dates, episodes, codes,
    causes. The last two cells are for choosing and ordering only."""
    dates = [[*map(iso, found.dates)] for found in findings]
    told = [(one.episodes, on, one.codes, one.because, one.payers) for one, on in zip(findings, dates, strict=True)]
    lists = chain.from_iterable(json_lists([*chain.from_iterable(some)]) for some in _in_parts(told))
    found = [
        _cells_of(
            FindingCells,  # by place, as ``KeptFinding`` has them
            (one.rule, one.level, one.patient, episodes, days, codes, because, message_of(one), payers, on[0]),
        )
        for one, on, episodes, days, codes, because, payers
        in zip(findings, dates, lists, lists, lists, lists, lists, strict=True)
    ]  # fmt: skip
    if len(found) > 1:
        found.sort(key=_place)
    return found


_Lists = tuple[Sequence[str], ...]


def _in_parts(told: Sequence[_Lists]) -> Iterable[Sequence[_Lists]]:
    """Findings in so many at a time as name few entries: while a part is encoded, nothing can be stopped."""
    if sum([len(because) for *_, because, _ in told]) <= _LABELS_AT_ONCE:  # mostly
        return [told]
    parts, labels = list[list[_Lists]](), _LABELS_AT_ONCE
    for each in told:
        *_, because, _ = each
        labels += len(because)
        if labels > _LABELS_AT_ONCE:
            parts.append([])
            labels = len(because)
        parts[-1].append(each)
    return parts


_LABELS_AT_ONCE: Final = 10_000
_cells_of: Final = tuple.__new__
_place: Final = attrgetter(*(name for name in FINDING_ORDER if name != "patient"))


def finding_row(cells: Cells) -> FindingRow:
    """The row as it is shown."""
    return shown(FindingRow, FINDING_COLUMNS, cells)


def together(findings: Iterable[FindingRow]) -> list[FindingRow]:
    """Findings that follow each other and say the same of the same episodes, as one with all their dates."""
    groups = (list(alike) for _, alike in groupby(findings, lambda row: (row.rule, row.episodes, row.message)))
    return [
        msgspec.structs.replace(
            group[0],
            dates=tuple(sorted({date for row in group for date in row.dates})),
            because=tuple(dict.fromkeys(label for row in group for label in row.because)),
        )
        for group in groups
    ]
