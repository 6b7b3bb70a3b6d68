"""The rules of the gate (claims.md section 4), all of them in one list, each with its level.

A message names what is wrong and where, never what a patient is called, has or is insured under.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from ledger.facts.forms import has_npi_check_digit
from ledger.x12.basic_text import is_basic
from ledger.x12.claim_reader import ReadPerson
from ledger.x12.gate import CheckedClaim, CheckedLine, Found, GateRule, cents_of, day_of, units_of
from ledger.x12.outgoing import LONGEST_CONTROL, MOST_DIAGNOSES, MOST_LINES, MOST_POINTERS

_NPI: Final = re.compile(r"[0-9]{10}\Z")
_NDC: Final = re.compile(r"[0-9]{11}\Z")
_HCPCS: Final = re.compile(r"(?:[A-Z][0-9]{4}|[0-9]{4}[0-9A-Z])\Z")
_ICD10: Final = re.compile(r"[A-Z][0-9][0-9A-Z][0-9A-Z]{0,4}\Z")
_POST_BOX: Final = re.compile(r"\bP\.? ?O\.? ?BOX\b|\bPOST OFFICE BOX\b|\ABOX [0-9]")
_ICD10_BEGAN: Final = date(2015, 10, 1)
_ORIGINAL, _VOID, _FREQUENCIES = "1", "8", ("1", "7", "8")
_MEDICARE: Final = frozenset({"MA", "MB", "16"})
_LATER_THERAPIES: Final = frozenset({"SH", "SJ"})


def incomplete(c: CheckedClaim) -> Found:
    """Nothing that a claim must say is left out: who bills, who is insured, the patient's address, birth date and sex,
    the payer, a diagnosis, a line."""
    claim, whose = c.claim, c.claim.whose
    needed = {
        "the billing provider's name, NPI, address and tax id": (
            claim.billing.last and claim.billing.id and claim.billing.street and claim.billing.tax_id
        ),
        "the subscriber's name and member number": claim.insured.last and claim.insured.id,
        "the patient's name and address": whose.last and whose.street and whose.city and whose.state and whose.zip,
        "the patient's birth date and sex": whose.birth_date and whose.sex,
        "the payer's number": claim.payer.id,
        "a diagnosis": claim.diagnoses,
        "a line": claim.lines,
    }
    return (("", f"{what}: missing") for what, there in needed.items() if not there)


def npi_check_digit(c: CheckedClaim) -> Found:
    """Every NPI has ten digits and its check digit: of the billing, the referring and each ordering provider."""
    if not _is_npi(c.claim.billing):
        yield "", "the billing provider's NPI is none"
    if c.claim.referring and not _is_npi(c.claim.referring):
        yield "", "the referring provider's NPI is none"
    for line in c.lines:
        if line.read.ordering and not _is_npi(line.read.ordering):
            yield line.number, "the ordering provider's NPI is none"


def _is_npi(whom: ReadPerson) -> bool:
    return _is_valid(whom.id)


@lru_cache(maxsize=4096)
def _is_valid(npi: str) -> bool:
    return bool(_NPI.match(npi)) and has_npi_check_digit(npi)


def total_is_sum(c: CheckedClaim) -> Found:
    """The claim asks for the sum of its lines."""
    lines = [line.cents for line in c.lines]
    total = cents_of(c.claim.charge)
    if None not in (total, *lines) and total != sum(filter(None, lines)):
        yield "", "the claim does not ask for the sum of its lines"


def amount_form(c: CheckedClaim) -> Found:
    """An amount is a number with at most two decimals, not below zero."""
    if cents_of(c.claim.charge) is None:
        yield "", "the claim's amount is no number of at most two decimals"
    for line in c.lines:
        if line.cents is None:
            yield line.number, "the amount is no number of at most two decimals"


def zero_charge(c: CheckedClaim) -> Found:
    """A line that asks for nothing is rarely meant."""
    return ((line.number, "asks for nothing") for line in c.lines if line.cents == 0)


def units_form(c: CheckedClaim) -> Found:
    """Units are above zero, and whole for a per diem."""
    for line in c.lines:
        if not line.units:
            yield line.number, "the units are no number above zero"
        elif line.is_per_diem and line.units % 1:
            yield line.number, "the units of a per diem are whole"


def per_diem_units(c: CheckedClaim) -> Found:
    """A per diem asks for a unit a day."""
    for line in c.lines:
        if line.is_per_diem and line.units and line.from_ and line.to and line.from_ <= line.to:
            days = (line.to - line.from_).days + 1
            if line.units != days:
                yield line.number, f"asks for {line.units} units over {days} days"


def dates_form(c: CheckedClaim) -> Found:
    """Service dates exist, and a span does not run backwards."""
    for line in c.lines:
        if not (line.from_ and line.to):
            yield line.number, "there is no such service date"
        elif line.to < line.from_:
            yield line.number, "the span runs backwards"


def date_ahead(c: CheckedClaim) -> Found:
    """No service date is after the day on which the file was written."""
    for line in c.lines:
        if c.written_on and line.to and line.to > c.written_on:
            yield line.number, f"{line.to} is after the day of writing, {c.written_on}"


def ndc_form(c: CheckedClaim) -> Found:
    """An NDC has eleven digits, and a quantity above zero in a unit."""
    for line in c.lines:
        if line.read.ndc:
            if not _NDC.match(line.read.ndc):
                yield line.number, "the NDC has not eleven digits"
            if not units_of(line.read.quantity) or line.read.unit not in ("F2", "GR", "ME", "ML", "UN"):
                yield line.number, "the NDC's quantity is no number above zero in one of its units"


def ndc_belongs(c: CheckedClaim) -> Found:
    """A J code bears its NDC, a per diem none."""
    for line in c.lines:
        if line.read.code[:1] == "J" and not line.read.ndc:
            yield line.number, f"{line.read.code} needs its NDC"
        if line.is_per_diem and line.read.ndc:
            yield line.number, "a per diem bears no NDC"


def diagnosis_form(c: CheckedClaim) -> Found:
    """A diagnosis has the form of an ICD-10-CM code without its dot; there are at most twelve, none twice."""
    codes = c.claim.diagnoses
    if not all(map(_ICD10.match, codes)):
        yield "", "a diagnosis has not the form of an ICD-10-CM code without its dot"
    if len(set(codes)) < len(codes):
        yield "", "a diagnosis is there twice"
    if len(codes) > MOST_DIAGNOSES:
        yield "", f"there are more than {MOST_DIAGNOSES} diagnoses"


def diagnosis_in_force(c: CheckedClaim) -> Found:
    """A diagnosis is in force: ICD-10-CM by the dates, and by the ledger's record where it knows the claim."""
    days = [day for line in c.lines for day in (line.from_, line.to) if day]
    if not days:
        return
    if min(days) < _ICD10_BEGAN:
        yield "", f"before {_ICD10_BEGAN} diagnoses were not told in ICD-10-CM"
    if c.known and c.claim.frequency != _VOID:
        for code in c.claim.diagnoses:
            if not any(
                code == known and from_ <= max(days) and min(days) <= to for known, from_, to in c.known.diagnoses
            ):
                yield "", "a diagnosis is not in force on the claim's dates by the ledger"
                return


def neoplasm_pain_beside_chronic(c: CheckedClaim) -> Found:
    """G89.3 and G89.2- exclude each other."""
    codes = c.claim.diagnoses
    if "G893" in codes and any(code.startswith("G892") for code in codes):
        yield "", "G89.3 stands beside G89.2-"


def pointers(c: CheckedClaim) -> Found:
    """Each line points to one to four of the claim's diagnoses, to none twice."""
    valid = {str(place) for place in range(1, len(c.claim.diagnoses) + 1)}
    for line in c.lines:
        pointed = line.read.pointers
        if not pointed or len(pointed) > MOST_POINTERS:
            yield line.number, f"points to {'more than four' if pointed else 'no'} diagnoses"
        elif not valid.issuperset(pointed):
            yield line.number, "points to a diagnosis that is not there"
        elif len(set(pointed)) < len(pointed):
            yield line.number, "points to a diagnosis twice"


def code_form(c: CheckedClaim) -> Found:
    """A code has the form of a HCPCS or CPT code, a modifier two capitals or digits."""
    for line in c.lines:
        if not _HCPCS.match(line.read.code):
            yield line.number, "the code has not the form of HCPCS or CPT"
        if not all(len(each) == 2 and each.isalnum() and each.upper() == each for each in line.read.modifiers):
            yield line.number, "a modifier is not two capitals or digits"


def code_in_force(c: CheckedClaim) -> Found:
    """A code that the book knows is in force on the line's dates."""
    for line in c.lines:
        code = c.book.codes.get(line.read.code)
        if code and line.from_ and line.to and (line.from_ < code.from_ or (code.to and line.to > code.to)):
            yield line.number, f"{line.read.code} is not in force on these dates"


def frequency_number(c: CheckedClaim) -> Found:
    """The frequency is 1, 7 or 8; of 7 and 8 the payer's own number of the claim they name is there, of 1 none."""
    frequency, named = c.claim.frequency, c.claim.payer_number
    if frequency not in _FREQUENCIES:
        yield "", "the frequency is not 1, 7 or 8"
    elif frequency == _ORIGINAL and named:
        yield "", "an original names no earlier claim of the payer's"
    elif frequency != _ORIGINAL and not named:
        yield "", "a replacement or void names the payer's number of the earlier claim"


def per_diem_twice(c: CheckedClaim) -> Found:
    """A per diem stands once on a date, and beside no other: in the file, and against the patient's live claims."""
    if c.claim.frequency == _VOID:
        return
    whose = c.claim.whose
    key = (c.claim.insured.id, whose.last, whose.first, whose.birth_date)
    before = c.seen.per_diems.setdefault(key, {})
    elsewhere = c.known.per_diems if c.known else {}
    for line in c.lines:
        for day in line.dates() if line.is_per_diem else ():
            other = before.get(day) or next(iter(elsewhere.get(day, ())), None)
            before.setdefault(day, line.read.code)
            if other is not None:
                beside = "twice" if other == line.read.code else f"beside {other}"
                yield line.number, f"{line.read.code} {beside} on {day}"
                break


def bundled_item(c: CheckedClaim) -> Found:
    """What a per diem includes is not asked for beside it, but where the payer's terms except it."""
    for line in c.lines:
        code = c.book.codes.get(line.read.code)
        if not (code and code.family == "bundled"):
            continue
        served = {day for other in c.lines if other.is_per_diem for day in other.dates()}
        if not served.isdisjoint(line.dates()):
            terms = c.terms_on(line.from_)
            if terms is None or line.read.code not in terms.bundled_exceptions:
                yield line.number, f"{line.read.code} is inside the per diem"


def further_hours_alone(c: CheckedClaim) -> Found:
    """Further hours of a nurse's visit (99602) follow a visit (99601) of the date."""
    visits = {line.from_ for line in c.lines if line.read.code == "99601"}
    for line in c.lines:
        if line.read.code == "99602" and line.from_ not in visits:
            yield line.number, "99602 without 99601 on the date"


def rank_alone(c: CheckedClaim) -> Found:
    """SH or SJ mark a second or third therapy: beside a first one on the claim."""
    if not any(_LATER_THERAPIES.intersection(line.read.modifiers) for line in c.lines):
        return
    first = {
        day for line in c.lines if _is_therapy(c, line) and not _LATER_THERAPIES & set(line.read.modifiers)
        for day in line.dates()
    }  # fmt: skip
    for line in c.lines:
        if _LATER_THERAPIES & set(line.read.modifiers) and first.isdisjoint(line.dates()):
            yield line.number, "SH or SJ without a first therapy on the claim"


def _is_therapy(c: CheckedClaim, line: CheckedLine) -> bool:
    code = c.book.codes.get(line.read.code)
    return code is not None and code.family in ("pain", "therapy")


def place_of_service(c: CheckedClaim) -> Found:
    """The place of service is two digits, and one of the terms' places for a per diem."""
    for line in c.lines:
        place = line.read.place_of_service or c.claim.place_of_service
        if not (len(place) == 2 and place.isdigit()):
            yield line.number, "the place of service is not two digits"
        elif line.is_per_diem and (terms := c.terms_on(line.from_)) and place not in terms.places_of_service:
            yield line.number, "the payer's terms know no per diem at this place"


def zip_form(c: CheckedClaim) -> Found:
    """A ZIP has five or nine digits, the house's nine."""
    if not (len(c.claim.billing.zip) == 9 and c.claim.billing.zip.isdigit()):
        yield "", "the billing provider's ZIP has not nine digits"
    for whom in {id(whom): whom for whom in (c.claim.insured, c.claim.whose)}.values():
        if whom.zip and not (len(whom.zip) in (5, 9) and whom.zip.isdigit()):
            yield "", "a ZIP has not five or nine digits"


def post_box(c: CheckedClaim) -> Found:
    """The house bills from a street, never from a post box."""
    if any(map(_POST_BOX.search, (c.claim.billing.street.upper(), c.claim.billing.street2.upper()))):
        yield "", "the billing provider's address is a post box"


def tax_id_form(c: CheckedClaim) -> Found:
    """The tax id has nine digits."""
    if not (len(c.claim.billing.tax_id) == 9 and c.claim.billing.tax_id.isdigit()):
        yield "", "the tax id has not nine digits"


def member_blanks(c: CheckedClaim) -> Found:
    """A member number with blanks in it was often copied from a card."""
    if " " in c.claim.insured.id:
        yield "", "the member number has blanks in it"


def born_after_service(c: CheckedClaim) -> Found:
    """The patient was born, on a day that exists, before the first service."""
    born = day_of(c.claim.whose.birth_date)
    if born is None and c.claim.whose.birth_date:
        yield "", "there is no such birth date"
    first = min((line.from_ for line in c.lines if line.from_), default=None)
    if born and first and born > first:
        yield "", "the birth date is after the first service"


def s_code_to_medicare(c: CheckedClaim) -> Found:
    """Medicare takes no S code."""
    if c.claim.claim_filing in _MEDICARE or (c.payer and c.payer.kind == "medicare"):
        for line in c.lines:
            if line.read.code[:1] == "S":
                yield line.number, f"{line.read.code} to Medicare"


def control_unique(c: CheckedClaim) -> Found:
    """A claim's number has one to fifteen characters and stands in a file once; but for those that replace or void."""
    control = c.claim.control
    if not 1 <= len(control) <= LONGEST_CONTROL:
        yield "", f"the claim's number has not 1 to {LONGEST_CONTROL} characters"
    if control in c.seen.controls and c.claim.frequency == _ORIGINAL:
        yield "", "the claim's number stands in the file twice"
    c.seen.controls.add(control)


def line_unique(c: CheckedClaim) -> Found:
    """A line's number has at most fifteen characters and stands on a claim once."""
    numbers = Counter(line.read.number for line in c.lines if line.read.number)
    for line in c.lines:
        if len(line.read.number) > LONGEST_CONTROL:
            yield line.number, f"the line's number has more than {LONGEST_CONTROL} characters"
        if numbers[line.read.number] > 1:
            yield line.number, "the line's number stands on the claim twice"


def ordering_is_billing(c: CheckedClaim) -> Found:
    """Who ordered is rarely who bills."""
    billing = c.claim.billing.id
    if c.claim.referring and c.claim.referring.id == billing:
        yield "", "the referring provider is the billing one"
    for line in c.lines:
        if line.read.ordering and line.read.ordering.id == billing:
            yield line.number, "the ordering provider is the billing one"


def character_set(c: CheckedClaim) -> Found:
    """Names, addresses and numbers are of the basic character set."""
    if not is_basic("".join(_texts(c))):
        yield "", "a name, an address or a number has a character that is not of the basic set"


def _texts(c: CheckedClaim) -> Iterator[str]:
    claim = c.claim
    for whom in (claim.billing, claim.insured, claim.patient, claim.payer, claim.referring):
        if whom:
            yield from (whom.id, whom.last, whom.first, whom.street, whom.street2, whom.city)
    yield from (claim.control, claim.authorization, claim.payer_number, claim.group)
    for line in c.lines:
        yield from (line.read.number, line.read.authorization, line.read.rx)


def too_many_lines(c: CheckedClaim) -> Found:
    """A claim has at most fifty lines."""
    if len(c.lines) > MOST_LINES:
        yield "", f"there are more than {MOST_LINES} lines"


def filing_limit(c: CheckedClaim) -> Found:
    """The payer's filing limit, counted from the line's first date, is not past when the file is written."""
    if c.claim.frequency != _ORIGINAL:
        return
    for line in c.lines:
        if line.from_ and c.written_on and (terms := c.terms_on(line.from_)):
            limit = line.from_ + timedelta(days=terms.timely_filing_days)
            if c.written_on > limit:
                yield line.number, f"the filing limit was {limit}"


def payer_in_force(c: CheckedClaim) -> Found:
    """The payer is one of the book's, and has terms in force on the line's dates."""
    if c.payer is None:
        yield "", "no payer of the book has this number in its [edi]"
        return
    for line in c.lines:
        if any(day and c.terms_on(day) is None for day in (line.from_, line.to)):
            yield line.number, "the payer has no terms in force on these dates"


def plan_in_force(c: CheckedClaim) -> Found:
    """The patient's coverage by the payer is in force on the line's dates, where the ledger knows the claim."""
    for line in c.lines if c.known and c.claim.frequency != _VOID else ():
        assert c.known is not None
        if any(not any(from_ <= day <= to for from_, to in c.known.coverage) for day in line.dates()):
            yield line.number, "the payer does not cover the patient on all of these dates"


def authorization_covers(c: CheckedClaim) -> Found:
    """An authorization covers the line's dates, code and units, where the ledger knows the claim."""
    if not c.known or c.claim.frequency == _VOID:
        return
    asked: Counter[str] = Counter()
    for line in c.lines:
        number = line.read.authorization or c.claim.authorization
        if not (number and line.is_per_diem):
            continue
        told = c.known.authorizations.get(number, ())
        if any(
            not any(each.from_ <= day <= each.to and line.read.code in each.codes for each in told)
            for day in line.dates()
        ):
            yield line.number, "the authorization does not cover these dates and this code"
            continue
        asked[number] += int(line.units or 0)
        if asked[number] + c.known.units_used.get(number, 0) > sum(each.units for each in told):
            yield line.number, "the authorization has not so many units"


RULES: Final = (
    GateRule("hard", incomplete), GateRule("hard", npi_check_digit), GateRule("hard", total_is_sum),
    GateRule("hard", amount_form), GateRule("soft", zero_charge), GateRule("hard", units_form),
    GateRule("hard", per_diem_units), GateRule("hard", dates_form), GateRule("hard", date_ahead),
    GateRule("hard", ndc_form), GateRule("hard", ndc_belongs), GateRule("hard", diagnosis_form),
    GateRule("hard", diagnosis_in_force), GateRule("soft", neoplasm_pain_beside_chronic), GateRule("hard", pointers),
    GateRule("hard", code_form), GateRule("hard", code_in_force), GateRule("hard", frequency_number),
    GateRule("hard", per_diem_twice), GateRule("hard", bundled_item), GateRule("hard", further_hours_alone),
    GateRule("soft", rank_alone), GateRule("hard", place_of_service), GateRule("hard", zip_form),
    GateRule("hard", post_box), GateRule("hard", tax_id_form), GateRule("soft", member_blanks),
    GateRule("hard", born_after_service), GateRule("hard", s_code_to_medicare), GateRule("hard", control_unique),
    GateRule("hard", line_unique), GateRule("soft", ordering_is_billing), GateRule("hard", character_set),
    GateRule("hard", too_many_lines), GateRule("soft", filing_limit), GateRule("hard", payer_in_force),
    GateRule("hard", plan_in_force), GateRule("hard", authorization_covers),
)  # fmt: skip
"""Every rule of the gate, in the order in which its findings are told."""
